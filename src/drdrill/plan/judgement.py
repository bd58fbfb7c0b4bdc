"""How a result is judged: what a recovery time counts from, when a service is up, how long steps take in production."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from drdrill.plan.duration import Duration, PositiveDuration
from drdrill.plan.part import Name, Part, Text


class ObjectiveClock(StrEnum):
    """The moment that an RTO counts from."""

    OUTAGE = "outage"
    DECLARATION = "declaration"


class RecoveryTime(Part):
    """A recovery time objective: restored within this time, counted from this moment."""

    within: Annotated[PositiveDuration, Field(examples=["1 h"])]
    """The longest time that may pass until service is back."""
    clock: Annotated[ObjectiveClock, Field(examples=["outage"])]
    """The moment that counting starts: the `outage` itself, or the `declaration` of the disaster."""


class Availability(Part):
    """The thresholds that decide whether a service counts as up."""

    window: Annotated[PositiveDuration, Field(examples=["1 s"])]
    """The time over which requests are judged together."""
    minimum_samples: Annotated[int, Field(ge=1, examples=[20])]
    """The fewest requests of a cohort that make a window count."""
    success_ratio: Annotated[float, Field(gt=0, le=1, examples=[0.99])]
    """The least share of good requests in a window that is up, from 0 to 1."""
    latency_p99: Annotated[PositiveDuration, Field(examples=["500 ms"])]
    """The highest 99th percentile of latency in a window that is up."""
    stability: Annotated[PositiveDuration, Field(examples=["10 s"])]
    """The time for which a service must stay up before it counts as recovered."""


class RealDuration(Part):
    """How long a step takes in production: a distribution with its source, or nothing is projected.

    `uniform` needs minimum and maximum; `triangular` also `typical`; `constant` only `typical`.
    """

    distribution: Annotated[Literal["constant", "uniform", "triangular"], Field(examples=["uniform"])]
    """The distribution: `constant` (typical), `uniform` (minimum, maximum) or `triangular` (all three)."""
    minimum: Duration | None = None
    """The shortest time."""
    typical: Duration | None = None
    """The most frequent time."""
    maximum: Duration | None = None
    """The longest time."""
    source: Annotated[Text, Field(examples=["measured in May 2026"])]
    """The document or measurement that the figures come from."""


class Projection(Part):
    """The figures from which the time in production is projected."""

    percentile: Annotated[float, Field(gt=0, lt=100, examples=[95])]
    """The percentile of the projected time that is held against the objective."""
    durations: dict[Name, RealDuration]
    """The steps of recovery by name, and how long each takes in production."""
