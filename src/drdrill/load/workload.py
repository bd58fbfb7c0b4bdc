"""What users do to a store: its schema, the one statement that they write, how it is read back, how often.

The edge to `environments/<name>/workload.yaml`, which a person writes. It must not know where the store is.
"""

from __future__ import annotations

import re
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, field_validator, model_validator

from drdrill.load.journeys import Journeys
from drdrill.plan.model import Duration
from drdrill.plan.nearest import suggest
from drdrill.plan.part import Part
from drdrill.plan.yaml_file import load_model

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from drdrill.core.errors import Mistake
    from drdrill.plan.document import Place
    from drdrill.plan.model import Plan

_PARAMETER = re.compile(r"\$(\d+)")
_FASTEST_PER_SECOND = 1000  # one process in Python keeps its schedule up to about this
# A connection keeps its local port for 60 s after its end, and Linux has 28,232: 470 a second. Two cores under
# client and server together kept up with 200 a second and not with 400.
_MOST_CONNECTIONS_PER_SECOND = 400
# Clients that are told to leave wait for their last answers, and a drill waits 30 s for its clients.
_LONGEST_TIMEOUT = timedelta(seconds=20)

Rate = Annotated[float, Field(gt=0, le=_FASTEST_PER_SECOND)]
Words = Annotated[str, Field(min_length=1)]


class Amount(Part):
    """The range of a write's amount, in minor units of the currency; both ends included."""

    minimum: Annotated[int, Field(ge=1)]
    maximum: Annotated[int, Field(ge=1, lt=2**63)]

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.minimum > self.maximum:
            raise ValueError(f"the minimum {self.minimum} is above the maximum {self.maximum}")
        return self


class Asking(Part):
    """How often a client asks, and how long it waits for an answer."""

    rate_per_second: Rate
    timeout: Duration

    @field_validator("timeout")
    @classmethod
    def _bounded(cls, value: Duration) -> Duration:
        if not timedelta() < value <= _LONGEST_TIMEOUT:
            longest = _LONGEST_TIMEOUT.total_seconds()
            raise ValueError(f"a time above zero and up to {longest:g} s was expected")
        return value


class Load(Asking):
    """Clients that hold pooled connections, as services do; rate and connections are per client."""

    clients: Annotated[int, Field(ge=1, le=64)]
    connections: Annotated[int, Field(ge=1, le=256)]


class Prober(Asking):
    """Cohorts that open a connection for every request; the rate is per cohort.

    At least eight cohorts, so that the luck of one resolver's cache does not decide the figure.
    """

    cohorts: Annotated[int, Field(ge=8, le=256)]

    @model_validator(mode="after")
    def _connects_no_faster_than_it_can(self) -> Self:
        connections = self.cohorts * self.rate_per_second
        if connections > _MOST_CONNECTIONS_PER_SECOND:
            raise ValueError(
                f"{self.cohorts} cohorts at {self.rate_per_second:g} a second open {connections:g} connections a "
                f"second; up to {_MOST_CONNECTIONS_PER_SECOND} were expected"
            )
        return self


class Workload(Part):
    """Everything that users of one store do.

    `write` takes $1, the request's id, and $2, its amount in minor units, and is committed on its own.
    `read_back` selects three bigint columns without nulls: id, amount, position in the order of inserts.
    """

    service: Words
    store: Words
    endpoint: Words | None = None
    """The name by which users find the store; without it they know the name that the cloud gave it."""
    database: Words
    user: Words
    schema_: Annotated[str, Field(alias="schema", min_length=1)]
    write: Words
    read_back: Words
    amount: Amount
    load: Load
    prober: Prober
    peak: Load | None = None
    """Those who write besides, in a drill at peak load."""
    journeys: Journeys | None = None
    """What users do who come in by a public name."""

    @field_validator("write")
    @classmethod
    def _takes_both_parameters(cls, value: str) -> str:
        if {int(number) for number in _PARAMETER.findall(value)} != {1, 2}:
            raise ValueError("a statement with exactly the parameters $1 (id) and $2 (amount) was expected")
        return value.strip()

    @field_validator("read_back")
    @classmethod
    def _takes_none(cls, value: str) -> str:
        if _PARAMETER.search(value):
            raise ValueError("a query without parameters was expected")
        return value.strip().removesuffix(";")


def load_workload(path: Path, plan: Plan | None = None) -> Workload:
    """Read a workload; raises `InvalidInputError` with every mistake, its line and its field.

    Where a `plan` is given, what journeys name has to be in it.
    """
    return load_model(path, Workload, rules=None if plan is None else partial(_check_names, plan))


def _check_names(plan: Plan, root: Place) -> Iterator[Mistake]:
    for journey in root.find_all("journeys", "journeys"):
        for step in journey.find_all("steps"):
            yield from _check_name(step.find("service"), plan.services, "service")
    for whose in ("probes", "watchers"):
        for step in root.find_all("journeys", whose, "asking"):
            yield from _check_name(step.find("service"), plan.services, "service")
    for query in root.find_all("journeys", "reconcile"):
        for asked in (query, *query.find_all("pair")):
            yield from _check_name(asked.find("at", "store"), plan.stores, "store")


def _check_name(place: Place | None, known: Iterable[str], what: str) -> Iterator[Mistake]:
    names = list(known)
    if place is not None and place.text and place.text not in names:
        problem = f"there is no {what} called `{place.text}` in the plan."
        yield place.mistake(problem, suggest(place.text, names, what="There are"))
