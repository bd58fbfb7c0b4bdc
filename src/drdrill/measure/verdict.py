"""Every objective judged twice: by what was measured here, and by what is projected for production.

A measured time counts only in a drill that proves something: where a reason is INVALID, so is the time. Loss
is different: an acknowledged row that is gone is a miss whatever the drill was worth, so nothing hides it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from drdrill.core.clock import NANOSECONDS
from drdrill.core.verdict import Verdict
from drdrill.measure.reason import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drdrill.measure.projection import Projected


class ObjectiveKind(StrEnum):
    """What an objective limits."""

    RTO = "rto"
    RPO = "rpo"
    RE_PROTECTION = "re_protection"

    @property
    def caption(self) -> str:
        """Return its name for people."""
        return {"rto": "recovery time", "rpo": "data loss", "re_protection": "redundancy back"}[self.value]


@dataclass(frozen=True, slots=True)
class Measured:
    """A measured figure in ns. `value_ns` None: not known, but `at_least_ns` at the least."""

    value_ns: int | None
    resolution_ns: int | None
    at_least_ns: int = 0


@dataclass(frozen=True, slots=True)
class Objective:
    """An objective with both results. `subject`: the service or store; `clock`: what a time counts from.

    `projected_verdict` None: there is nothing to project.
    """

    kind: ObjectiveKind
    subject: str
    clock: str | None
    objective_ns: int
    measured: Measured
    measured_verdict: Verdict
    projected: Projected
    projected_verdict: Verdict | None

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Return the verdicts that count: measured, and projected where something is."""
        return (
            (self.measured_verdict,)
            if self.projected_verdict is None
            else (self.measured_verdict, self.projected_verdict)
        )

    @property
    def name(self) -> str:
        """Return a name that is unique in a drill."""
        return f"{self.kind} of {self.subject}"

    @property
    def margin_ns(self) -> int | None:
        """Return how much of the objective the measured value leaves; negative: how much it is over."""
        value_ns = self.measured.value_ns
        return None if value_ns is None else self.objective_ns - value_ns


def judge_time(measured: Measured, objective_ns: int, *, invalid: bool, dark: bool) -> Verdict:
    """Judge a measured time. `invalid`: the drill proves nothing; `dark`: the time itself is not known.

    A time that ends after the observation is MISSED once it is longer than the objective, and open until
    then.
    """
    if invalid:
        return Verdict.INVALID
    if dark:
        return Verdict.INCONCLUSIVE
    if measured.value_ns is None:
        return Verdict.MISSED if measured.at_least_ns > objective_ns else Verdict.INCONCLUSIVE
    return Verdict.MET if measured.value_ns <= objective_ns else Verdict.MISSED


def judge_loss(measured: Measured, objective_ns: int, *, broken: bool, invalid: bool, dark: bool) -> Verdict:
    """Judge a measured loss. `broken`: rows are lost without explanation, or there that should not be."""
    if broken or (measured.value_ns is not None and measured.value_ns > objective_ns):
        return Verdict.MISSED
    if invalid:
        return Verdict.INVALID
    return Verdict.INCONCLUSIVE if dark or measured.value_ns is None else Verdict.MET


def judge_projection(projected: Projected, objective_ns: int) -> Verdict | None:
    """Judge a projected figure; without inputs it is INCONCLUSIVE; None: there is nothing to project."""
    if not projected.expected:
        return None
    if projected.value_ns is None:
        return Verdict.INCONCLUSIVE
    return Verdict.MET if projected.value_ns <= objective_ns else Verdict.MISSED


def explain_objective(objective: Objective) -> Iterator[Reason]:
    """Yield the reasons that an objective itself gives; what made the drill INVALID was said before."""
    limit = f"the objective is {objective.objective_ns / NANOSECONDS:g} s"
    measured, projected = objective.measured, objective.projected
    value_ns = measured.at_least_ns if measured.value_ns is None else measured.value_ns
    over = value_ns > objective.objective_ns
    figure = f"{'at least ' if measured.value_ns is None else ''}{value_ns / NANOSECONDS:.3f} s"
    if objective.measured_verdict is Verdict.MISSED and over:
        yield Reason(Verdict.MISSED, f"{objective.kind}_missed", f"{objective.name}: {figure}; {limit}.")
    elif (
        objective.kind is not ObjectiveKind.RPO  # why rows could not be compared was said before
        and objective.measured_verdict is Verdict.INCONCLUSIVE
        and measured.value_ns is None
    ):
        yield Reason(
            Verdict.INCONCLUSIVE,
            f"{objective.kind}_not_known",
            f"{objective.name} could not be measured; {limit}.",
        )
    if objective.projected_verdict is Verdict.INCONCLUSIVE:
        text = f"{objective.name} cannot be projected to production: {projected.basis}."
        yield Reason(Verdict.INCONCLUSIVE, f"{objective.kind}_not_projected", text)
    elif objective.projected_verdict is Verdict.MISSED and projected.value_ns is not None:
        yield Reason(
            Verdict.MISSED,
            f"{objective.kind}_projected_missed",
            f"{objective.name}, projected to production: {projected.value_ns / NANOSECONDS:.1f} s at the "
            f"{projected.percentile:g}th percentile; {limit}.",
        )
