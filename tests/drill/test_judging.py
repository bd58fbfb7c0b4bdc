"""What Then steps raise: each verdict its own error, and only a miss is an assertion."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from drdrill.core.errors import InconclusiveError, InvalidDrillError, ObjectiveMissedError
from drdrill.core.verdict import Verdict
from drdrill.drill.judging import require_intact_rows, require_objective, require_restored, require_valid
from drdrill.measure import Measurement
from drdrill.measure.projection import Projected
from drdrill.measure.reason import Reason
from drdrill.measure.replication import Cut, ReplicationState
from drdrill.measure.verdict import Measured, Objective, ObjectiveKind

NOTHING = cast("Any", None)
SOMETHING = cast("Any", object())  # judging asks only whether it is there
MISSED_RTO = Reason(Verdict.MISSED, "rto_missed", "The RTO was missed by 3 s.")
LOST = Reason(Verdict.MISSED, "rows_lost", "Two acknowledged rows are gone.")
DARK = Reason(Verdict.INCONCLUSIVE, "readings_differ", "The two readings differ.")
NO_FAULT = Reason(Verdict.INVALID, "fault_not_effective", "The fault had no effect.")
ERRORS = {
    Verdict.MISSED: ObjectiveMissedError,
    Verdict.INVALID: InvalidDrillError,
    Verdict.INCONCLUSIVE: InconclusiveError,
}


def _objective(measured: Verdict, projected: Verdict) -> Objective:
    return Objective(
        ObjectiveKind.RTO,
        "payments",
        "outage",
        10,
        Measured(5, 1),
        measured,
        Projected(7, 95.0, "a guess"),
        projected,
    )


def _measurement(
    *reasons: Reason, objectives: tuple[Objective, ...] = (), integrity: Any = SOMETHING
) -> Measurement:
    return Measurement(
        about=NOTHING,
        plan=NOTHING,
        verdict=Verdict.MET,
        reasons=reasons,
        objectives=objectives,
        outage=None,
        phases=(),
        integrity=integrity,
        cut=Cut(ReplicationState.UNKNOWN),
        followers={},
        sweep=None,
        writers=None,
        re_protection=Measured(None, None),
        controls=(),
        findings=(),
    )


def test_a_valid_drill_passes() -> None:
    """A miss does not make a drill invalid: that is for others to say."""
    require_valid(_measurement(MISSED_RTO, LOST, DARK))


def test_an_invalid_drill_tells_every_reason() -> None:
    """An invalid drill is told with all reasons why it proves nothing, and with no other."""
    second = Reason(Verdict.INVALID, "load_missing", "Nobody wrote.")
    with pytest.raises(InvalidDrillError, match=r"^The fault had no effect\.\nNobody wrote\.$"):
        require_valid(_measurement(NO_FAULT, MISSED_RTO, second))


def test_intact_rows_pass() -> None:
    """What is missed of an objective is no matter of the rows."""
    missed = _objective(Verdict.MISSED, Verdict.MISSED)
    require_intact_rows(_measurement(MISSED_RTO, objectives=(missed,)))


@pytest.mark.parametrize(
    ("reasons", "error"), [((DARK, LOST), ObjectiveMissedError), ((DARK,), InconclusiveError)]
)
def test_rows_that_are_not_intact(reasons: tuple[Reason, ...], error: type[Exception]) -> None:
    """Lost rows are a miss, which doubts do not hide; doubts alone are inconclusive."""
    with pytest.raises(error):
        require_intact_rows(_measurement(*reasons))


def test_rows_that_nobody_compared() -> None:
    """Without a comparison nobody knows whether the rows are intact."""
    with pytest.raises(InconclusiveError, match="could not be compared"):
        require_intact_rows(_measurement(integrity=None))


def test_a_met_objective_is_returned() -> None:
    """An objective that is met, measured and projected, is returned for its figures."""
    objective = _objective(Verdict.MET, Verdict.MET)
    assert require_objective(_measurement(objectives=(objective,)), ObjectiveKind.RTO) == (objective,)


@pytest.mark.parametrize("other", list(Verdict))
@pytest.mark.parametrize("verdict", list(ERRORS))
def test_each_verdict_raises_its_error(verdict: Verdict, other: Verdict) -> None:
    """Measured and projected count together, and the worse of the two raises its own error."""
    worse = min((verdict, other), key=[*ERRORS, Verdict.MET].index)  # the errors stand in that order
    for pair in ((verdict, other), (other, verdict)):
        with pytest.raises(ERRORS[worse], match=f"^rto of payments: {worse}"):
            require_objective(_measurement(objectives=(_objective(*pair),)), ObjectiveKind.RTO)


def test_a_miss_is_told_with_its_reasons() -> None:
    """A missed objective is told in the words of its reasons, without those of other matters."""
    measurement = _measurement(MISSED_RTO, DARK, objectives=(_objective(Verdict.MISSED, Verdict.MET),))
    with pytest.raises(ObjectiveMissedError, match=r"^The RTO was missed by 3 s\.$"):
        require_objective(measurement, ObjectiveKind.RTO)


def test_an_objective_that_is_not_stated() -> None:
    """A scenario cannot require what its plan does not state."""
    with pytest.raises(InconclusiveError, match="no objective of the kind rpo"):
        require_objective(_measurement(), ObjectiveKind.RPO)


@pytest.mark.parametrize(
    ("verdict", "code"),
    [
        (Verdict.MISSED, "restore_lacks_rows"),
        (Verdict.MISSED, "restored_to_another_time"),
        (Verdict.INVALID, "nothing_destroyed"),
        (Verdict.INCONCLUSIVE, "restore_not_read"),
        (Verdict.INCONCLUSIVE, "restore_proves_nothing"),
    ],
)
def test_whatever_is_wrong_with_a_restore_is_raised(verdict: Verdict, code: str) -> None:
    """Every reason that a restore gives stops the step that asks for it."""
    measurement = replace(_measurement(Reason(verdict, code, "What is wrong.")), restores=(SOMETHING,))
    with pytest.raises(ERRORS[verdict], match="What is wrong"):
        require_restored(measurement)


def test_nothing_restored_is_no_proof() -> None:
    """Without a restore there was nothing to compare."""
    with pytest.raises(InconclusiveError, match="Nothing was restored"):
        require_restored(_measurement())
