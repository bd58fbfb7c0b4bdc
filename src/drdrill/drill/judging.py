"""What Then steps ask of a measurement. Raises, so that pytest and Allure show what the verdict says.

Only a missed objective raises an `AssertionError`; everything else means that nobody knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.core.clock import NANOSECONDS
from drdrill.core.errors import InconclusiveError, InvalidDrillError, ObjectiveMissedError
from drdrill.core.verdict import Verdict, combine
from drdrill.measure.decision import check_decision

if TYPE_CHECKING:
    from drdrill.measure import Measurement
    from drdrill.measure.reason import Reason
    from drdrill.measure.verdict import Objective, ObjectiveKind

_ERRORS = {
    Verdict.MISSED: ObjectiveMissedError,
    Verdict.INVALID: InvalidDrillError,
    Verdict.INCONCLUSIVE: InconclusiveError,
}


def require_valid(measurement: Measurement) -> None:
    """Raise `InvalidDrillError` with every reason for which the drill proves nothing."""
    _raise(Verdict.INVALID, [one for one in measurement.reasons if one.verdict is Verdict.INVALID])


def require_intact_rows(measurement: Measurement) -> None:
    """Raise for rows lost without explanation, altered, duplicated or phantom, and for two writers."""
    of_objectives = {f"{objective.kind}_{end}" for objective in measurement.objectives for end in _ENDS}
    reasons = [one for one in measurement.reasons if one.code not in of_objectives]
    for verdict in (Verdict.MISSED, Verdict.INCONCLUSIVE):
        _raise(verdict, [one for one in reasons if one.verdict is verdict])
    if measurement.integrity is None:
        raise InconclusiveError("The rows could not be compared with what users were told.")


_ENDS = ("missed", "projected_missed", "not_known", "not_projected")


def require_objective(measurement: Measurement, kind: ObjectiveKind) -> tuple[Objective, ...]:
    """Return all objectives of a kind; raises by the worst of their verdicts, measured and projected together."""
    objectives = tuple(one for one in measurement.objectives if one.kind is kind)
    if not objectives:
        raise InconclusiveError(f"The plan states no objective of the kind {kind} for this scenario.")
    verdict = combine(each for one in objectives for each in one.verdicts)
    if verdict is not Verdict.MET:
        concerned = [
            one for one in measurement.reasons if one.code.startswith(f"{kind}_") or one.verdict is verdict
        ]
        names = ", ".join(one.name for one in objectives if verdict in one.verdicts)
        _raise(verdict, concerned, otherwise=f"{names}: {verdict}.")
    return objectives


def require_stayed(measurement: Measurement) -> None:
    """Raise unless nobody failed over, and users were served all along."""
    decided = measurement.decision
    if decided is None:
        raise InconclusiveError("The plan does not say of this scenario that nobody is to fail over.")
    for verdict in (Verdict.MISSED, Verdict.INCONCLUSIVE):
        _raise(verdict, [one for one in check_decision(decided) if one.verdict is verdict])


def require_restored(measurement: Measurement) -> None:
    """Raise unless something was restored, read and found to be what users had been told, or what was planted found."""
    for verdict in (Verdict.MISSED, Verdict.INVALID, Verdict.INCONCLUSIVE):
        of_restores = ("restore_", "restored_to_another_time", "nothing_destroyed", "control_failed")
        found = [one for one in measurement.reasons if one.code.startswith(of_restores)]
        _raise(verdict, [one for one in found if one.verdict is verdict])
    if not measurement.restores:
        raise InconclusiveError("Nothing was restored that could be compared.")


def describe_figures(measurement: Measurement, seed: int) -> dict[str, str]:
    """Return the measured figures as short texts, for reports."""
    figures = {"verdict": measurement.verdict.value, "seed": str(seed)}
    for objective in measurement.objectives:
        value_ns = objective.measured.value_ns
        known = "not known" if value_ns is None else f"{value_ns / NANOSECONDS:.3f} s"
        figures[f"{objective.kind.caption} of {objective.subject}"] = known
    return figures


def _raise(verdict: Verdict, reasons: list[Reason], *, otherwise: str = "") -> None:
    text = "\n".join(reason.text for reason in reasons) or otherwise
    if text:
        raise _ERRORS[verdict](text)
