"""What became of a drill's runbook, and what it means for the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.core.verdict import Verdict
from tests.measure.regional import DECLARED, RUNBOOK, RegionalStory
from tests.measure.story import MS, SECOND, codes, findings

if TYPE_CHECKING:
    from tests.measure.story import Story


def reason(story: RegionalStory, code: str) -> tuple[Verdict, str]:
    """Return the verdict and the text of a reason of the measured story."""
    measured = story.measure()
    return next((one.verdict, one.text) for one in measured.reasons if one.code == code)


def test_time_is_told_apart(regional: RegionalStory) -> None:
    """People's time, machines' time and what machines needed at least are those of the critical path."""
    record = regional.measure().runbook
    assert record is not None
    assert [bar.name for bar in record.bars if bar.critical] == ["declaration", "promotion"]
    told = (record.path_seconds, record.people_seconds, record.machine_seconds, record.bound_seconds)
    assert told == pytest.approx((2.8, 1.0, 1.8, 1.5))
    assert record.machine_to_bound == pytest.approx(1.2)
    slack = {bar.name: bar.slack_seconds for bar in record.bars}
    assert slack == {
        "declaration": pytest.approx(3596.7),
        "promotion": pytest.approx(3596.7),
        "status_page": None,
    }


def test_the_outage_is_split_by_the_runbook(regional: RegionalStory) -> None:
    """Phases are those of the critical path, from the fault until users were served, and add up to the RTA."""
    rta = regional.measure().to_json()["rta"]
    assert [(one["name"], one["seconds"]) for one in rta["phases"]] == [
        ("declare, by people", pytest.approx(1.5)),
        ("restore", pytest.approx(1.8)),
        ("until all are served", pytest.approx(rta["outage_seconds"] - 3.3)),
    ]


def test_answers_are_kept(regional: RegionalStory) -> None:
    """Who answered a gate, why and after how long, and what they were shown where that is recorded."""
    assert regional.steps is not None
    next(data for _, kind, data in regional.steps if kind == "gate.answered")["shown"] = "all is red"
    (answer,) = regional.measure().to_json()["runbook"]["gates"]
    assert answer == {
        "step": "declaration",
        "role": "commander",
        "question": "Is it lost",
        "approved": True,
        "who": "policy:approve",
        "why": "a drill",
        "waited_seconds": 1.0,
        "shown": "all is red",
    }


def test_a_step_that_failed_is_a_miss(regional: RegionalStory) -> None:
    """A runbook that did not come to its end is MISSED, and says which step, and why."""
    regional.end_of("promotion").update(state="failed", reason="its action ended with 1")
    regional.drop_step("status_page")
    verdict, text = reason(regional, "runbook_not_done")
    assert verdict is Verdict.MISSED
    assert "`promotion` failed: its action ended with 1; not begun: status_page." in text


def test_a_step_without_an_end_is_a_miss(regional: RegionalStory) -> None:
    """A step that began and of which nobody saw the end is not done."""
    assert regional.steps is not None
    regional.steps = [
        one for one in regional.steps if one[1:] != ("step.ended", regional.end_of("status_page"))
    ]
    assert reason(regional, "runbook_not_done")[0] is Verdict.MISSED


def test_a_resumed_step_is_done(regional: RegionalStory) -> None:
    """What failed first and was done by a later run is done."""
    assert regional.steps is not None
    failed = {"step": "promotion", "state": "failed", "acted": True, "reason": "it broke"}
    place = next(n for n, (_, _, data) in enumerate(regional.steps) if data is regional.end_of("promotion"))
    regional.steps.insert(place, (regional.steps[place][0], "step.ended", failed))
    assert regional.measure().verdict is Verdict.MET


def _interrupt(story: RegionalStory, state: str) -> None:
    assert story.steps is not None
    story.end_of("status_page").update(state=state, reason="it was interrupted")
    story.steps.insert(-2, (DECLARED + 6 * SECOND, "runbook.stopping", {}))


@pytest.mark.parametrize(("state", "expected"), [("stopped", "INCONCLUSIVE"), ("failed", "MISSED")])
def test_a_runbook_that_was_broken_off_tells_nothing(
    regional: RegionalStory, state: str, expected: str
) -> None:
    """It might have come to its end, unless a step had failed by then."""
    _interrupt(regional, state)
    assert reason(regional, "runbook_not_done")[0].value == expected


def test_a_runbook_that_was_killed_tells_nothing(regional: RegionalStory) -> None:
    """Where its journal has no end, whoever ran it was killed; that is no miss of the system's."""
    assert regional.steps is not None
    regional.steps = regional.steps[:-2]
    verdict, text = reason(regional, "runbook_not_done")
    assert (verdict, "`status_page` did not end" in text) == (Verdict.INCONCLUSIVE, True)


def test_a_drill_that_proves_nothing_makes_no_miss_of_it(regional: RegionalStory) -> None:
    """A person may have refused because nothing was broken: as with times, the drill is INVALID."""
    regional.end_of("promotion").update(state="failed", reason="refused")
    regional.data_of("fault.observed")["effective"] = False
    measured = regional.measure()
    assert measured.verdict is Verdict.INVALID


def test_recovery_counts_from_the_declaration_where_the_plan_says_so(regional: RegionalStory) -> None:
    """The RTA from the declaration stands beside the one from the outage, and judges the objective that binds to it."""
    regional.plan["CLOCK"] = "declaration"
    regional.plan["RTO"] = "40 min"  # promotion alone is 20 min in production, with the declaration it is 30
    measured = regional.measure()
    rto, *_ = measured.objectives
    document = measured.to_json()["rta"]
    assert (document["outage_seconds"], document["declaration_seconds"]) == (4.005, 2.505)
    assert rto.measured.value_ns == 2505 * MS
    assert rto.projected.value_ns == 20 * 60 * SECOND
    assert (measured.verdict, rto.measured_verdict) == (Verdict.MET, Verdict.MET)


def test_over_the_objective_from_the_declaration_is_missed(regional: RegionalStory) -> None:
    """What counts from the declaration is judged by it, and no more by the outage."""
    regional.plan["CLOCK"] = "declaration"
    regional.plan["RTO"] = "3 s"
    assert regional.measure().objectives[0].measured_verdict is Verdict.MET
    regional.path = regional.path / "again"
    regional.plan["RTO"] = "2500 ms"
    assert regional.measure().objectives[0].measured_verdict is Verdict.MISSED


def test_without_a_declaration_that_clock_says_nothing(regional: RegionalStory) -> None:
    """A gate that nobody passed leaves the time from the declaration unknown."""
    regional.plan["CLOCK"] = "declaration"
    regional.end_of("declaration").update(state="failed", reason="nobody answered")
    measured = regional.measure()
    assert measured.to_json()["rta"]["declaration_seconds"] is None
    assert {"rto_not_known", "runbook_not_done"} <= codes(measured)


def test_the_projection_is_the_runbooks(regional: RegionalStory) -> None:
    """Urgent services wait for critical steps, the others for all of them."""
    objectives = regional.measure().objectives[:3]
    projected = {one.subject: one.projected.value_ns for one in objectives}
    minute = 60 * SECOND
    assert projected == {"orders": 30 * minute, "customers": 30 * minute, "letters": 120 * minute}
    basis = {one.subject: one.projected.basis for one in objectives}
    assert basis["orders"].startswith("the runbook `Failover`, its critical steps as it states them; ")
    assert basis["letters"].startswith("the runbook `Failover`, all of its steps as it states them; ")


def test_a_projection_over_the_objective_is_missed(regional: RegionalStory) -> None:
    """A runbook that takes longer in production than the objective allows is a miss for those who wait for it."""
    regional.runbook = RUNBOOK.replace("90 min", "5 h").replace("within: 3 h", "within: 6 h")
    measured = regional.measure()
    assert codes(measured) == {"rto_projected_missed"}
    assert "letters" in measured.reasons[0].text


@pytest.mark.parametrize(
    ("runbook", "said"),
    [(None, "there is no such file"), ("steps: {}\n", "failover/runbook.yaml, line 1")],
)
def test_a_runbook_that_cannot_be_read_projects_nothing(
    regional: RegionalStory, runbook: str | None, said: str
) -> None:
    """Missing or damaged, its reason is given and every RTO is open."""
    regional.runbook = runbook
    measured = regional.measure()
    assert codes(measured) == {"runbook_not_read", "rto_not_projected"}
    assert all(said in one.text for one in measured.reasons)
    assert str(regional.path) not in str(measured.to_json())


def test_a_runbook_that_was_not_run_is_inconclusive(regional: RegionalStory) -> None:
    """A recovery that is a runbook needs the journal of one."""
    regional.steps = None
    measured = regional.measure()
    assert (codes(measured), measured.runbook) == ({"runbook_not_run"}, None)


def test_a_drill_without_a_runbook_has_none(story: Story) -> None:
    """Drills as they were stay what they were."""
    measured = story.measure()
    document = measured.to_json()
    assert (document["runbook"], document["services"], findings(measured)) == (None, [], set())
    assert document["rta"]["declaration_seconds"] is None
