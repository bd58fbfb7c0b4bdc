"""A command in the runbook's place: judged by what users saw and by the data, projected by nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.core.verdict import Verdict
from tests.measure.regional import BEGUN, commanded
from tests.measure.story import RECOVERED, codes, findings

if TYPE_CHECKING:
    from tests.measure.regional import RegionalStory


def test_no_runbook_is_demanded(regional: RegionalStory) -> None:
    """Every time is measured and MET; that nobody stated how long the command takes is all that is open."""
    commanded(regional)
    measured = regional.measure()
    assert codes(measured) == {"rto_not_projected"}
    assert (measured.verdict, measured.runbook, findings(measured)) == (Verdict.INCONCLUSIVE, None, set())
    times = [one for one in measured.objectives if one.kind == "rto"]
    assert [one.measured_verdict for one in measured.objectives] == [Verdict.MET] * len(measured.objectives)
    assert {one.projected_verdict for one in times} == {Verdict.INCONCLUSIVE}
    assert all("nobody stated how long the command" in one.projected.basis for one in times)


@pytest.mark.parametrize(
    ("status", "told"),
    [(1, "ended with status 1 after 5 s: boom"), (None, "was broken off after 5 s: boom")],
)
def test_how_it_ended_is_a_finding(regional: RegionalStory, status: int | None, told: str) -> None:
    """Another status than 0 is worth a look, and moves no verdict."""
    commanded(regional, status=status, said="promoting\nboom.\n")
    measured = regional.measure()
    (finding,) = measured.findings
    assert finding.code == "failover_command_failed"
    assert finding.text.replace("\N{NO-BREAK SPACE}", " ") == f"The failover that was run {told}."
    assert codes(measured) == {"rto_not_projected"}


def test_an_end_that_is_not_recorded_is_told(regional: RegionalStory) -> None:
    """A drill that was broken off while it ran still says what was run."""
    commanded(regional)
    regional.drop("failover_command.ended")
    assert [one.text for one in regional.measure().findings] == [
        "The failover that was run has no recorded end."
    ]


def test_users_may_move_once(regional: RegionalStory) -> None:
    """The command explains one change of the region that serves; back and forth would be two writers."""
    commanded(regional)
    watch = regional.measure().writers
    assert watch is not None
    assert (watch.two_writers, watch.allowed) == (False, 1)


def test_users_who_are_not_served_again_are_no_success(regional: RegionalStory) -> None:
    """A command that ends with 0 and brings nobody back leaves every RTO open, or missed."""
    commanded(regional)
    regional.never_recover()
    measured = regional.measure()
    assert measured.outage is not None
    assert "rto_not_known" in codes(measured)
    assert BEGUN < RECOVERED
