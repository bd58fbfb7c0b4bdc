"""Whole drills: one that goes well, findings beside the verdict, and records that cannot be judged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from drdrill.core.errors import DamagedRecordError, InvalidInputError
from drdrill.core.verdict import Verdict
from drdrill.measure import measure
from drdrill.record.directory import DrillDirectory
from drdrill.record.ledger import Outcome
from tests.measure.story import END, FAULT, MS, RECOVERED, SECOND, findings

if TYPE_CHECKING:
    from tests.measure.story import Story


def test_drill_that_goes_well_is_met(story: Story) -> None:
    """A drill with an outage, a synchronous standby and nothing lost is MET, without reason or finding."""
    measured = story.measure()
    document = measured.to_json()
    assert (measured.verdict, measured.reasons, measured.findings) == (Verdict.MET, (), ())
    assert document["rta"]["outage_seconds"] == pytest.approx(4.005)
    assert document["rta"]["slowest_cohort"] == "prober-1"
    assert (document["rpa"]["seconds"], document["rpa"]["lost_rows"]) == (0.0, 0)
    assert document["rpa"]["lost_amount"] == "0.00"
    assert document["re_protection_seconds"] == 6.0
    assert [phase["name"] for phase in document["rta"]["phases"]] == [
        "detect",
        "after: failover started",
        "after: failover completed",
        "drain name caches",
    ]


def test_same_files_give_the_same_document(story: Story) -> None:
    """Measuring twice gives the same bytes, and nothing in the directory changes."""
    directory = story.store()
    before = {path: path.stat().st_mtime_ns for path in directory.path.rglob("*")}
    first, second = (json.dumps(measure(directory).to_json()) for _ in range(2))
    assert first == second
    assert before == {path: path.stat().st_mtime_ns for path in directory.path.rglob("*")}


def test_findings_are_no_verdict(story: Story) -> None:
    """A failed client, an exceeded budget and a row out of order are findings; the drill is MET."""
    story.about["budget"] = {"rta_seconds": 1.0, "re_protection_seconds": 100.0, "other": 1.0}
    story.data_of("load.stopped")["statuses"]["load-0"] = -9
    story.writes["load-0"][5].position = 0
    failed = {"kind": "host_power_loss", "reason": "busy"}
    story.events.append((END + 3 * SECOND, "fault.heal_failed", failed))
    measured = story.measure()
    assert measured.verdict is Verdict.MET
    expected = {"client_failed", "budget_exceeded", "unknown_budget", "reordered", "heal_failed"}
    assert findings(measured) == expected


def test_fault_that_fails_after_it_was_injected_is_a_finding(story: Story) -> None:
    """A failure after the injection does not undo the fault that was seen."""
    failed = {"kind": "host_power_loss", "reason": "it has a fault already"}
    story.events.append((END + 3 * SECOND, "fault.failed", failed))
    measured = story.measure()
    assert (measured.verdict, findings(measured)) == (Verdict.MET, {"heal_failed"})


def test_effect_that_was_seen_once_stays_seen(story: Story) -> None:
    """A look too early, or after healing, sees no effect; it does not undo the one that saw it."""
    blind = {**story.data_of("fault.observed"), "effective": False}
    index = next(i for i, event in enumerate(story.events) if event[1] == "fault.observed")
    story.events.insert(index, (FAULT + 100 * MS, "fault.observed", blind))
    story.events.append((END + 3 * SECOND, "fault.observed", blind))
    assert story.measure().verdict is Verdict.MET


def test_budget_does_not_need_an_objective(story: Story) -> None:
    """The budget limits the time of the outage also where the objective counts from the declaration."""
    story.plan["CLOCK"] = "declaration"
    story.about["budget"] = {"rta_seconds": 1.0}
    assert findings(story.measure()) == {"budget_exceeded"}


def test_protection_in_the_end_is_protection(story: Story) -> None:
    """A store that was waited for in vain and then seen protected is protected; no other store is asked."""
    waited = (RECOVERED + SECOND, "store.unprotected", {"resource": "orders"})
    other = (RECOVERED + SECOND, "store.unprotected", {"resource": "other"})
    index = next(i for i, event in enumerate(story.events) if event[1] == "store.protected")
    story.events[index:index] = [waited, other]
    measured = story.measure()
    assert (measured.verdict, findings(measured)) == (Verdict.MET, set())
    assert measured.to_json()["re_protection_seconds"] == 6.0


def test_superseded_reading_does_not_count(story: Story) -> None:
    """A reading that was made too early and made again is judged by the later one."""
    early = {**story.events[-2][2], "at_ns": RECOVERED}
    story.events.insert(-2, (END, "survivors.read", early))
    assert story.measure().verdict is Verdict.MET


def test_relapse_is_a_finding(story: Story) -> None:
    """A second outage after a stable recovery is reported, and does not change the first one's time."""
    for write in story.writes["prober-0"]:
        if RECOVERED + 7 * SECOND <= write.sent_ns < RECOVERED + 8 * SECOND:
            write.outcome, write.rows = Outcome.REJECTED, 0
    measured = story.measure()
    assert "relapse" in findings(measured)
    assert measured.to_json()["rta"]["outage_seconds"] == pytest.approx(4.005)


def test_last_look_at_the_failover_counts(story: Story) -> None:
    """A look during the failover, which had seen no promotion and no event yet, is superseded."""
    index = next(i for i, event in enumerate(story.events) if event[1] == "failover.observed")
    looked = {"resource": "orders", "promotions": 0, "events": []}
    story.events.insert(index, (RECOVERED - SECOND, "failover.observed", looked))
    document = story.measure().to_json()
    assert (document["verdict"], document["writers"]["allowed"]) == ("MET", 1)
    assert len(document["rta"]["phases"]) == 4


def test_protection_before_the_fault_is_not_regained(story: Story) -> None:
    """That the store was protected before the fault says nothing of when it is again."""
    story.events.insert(
        2, (FAULT - 3 * SECOND, "store.protected", {"resource": "orders", "at_ns": FAULT - 1})
    )
    assert story.measure().to_json()["re_protection_seconds"] == 6.0


def test_requests_in_flight_at_the_fault_do_not_spoil_the_steady_state(story: Story) -> None:
    """What was sent just before the fault failed by it, so that it says nothing of the time before."""
    for name in ("prober-0", "prober-1"):
        for write in story.writes[name]:
            if FAULT - 200 * MS <= write.sent_ns < FAULT:
                write.outcome, write.rows, write.server = Outcome.UNKNOWN, 0, 0
    assert story.measure().verdict is Verdict.MET


def test_lateness_after_the_stable_recovery_is_no_matter(story: Story) -> None:
    """A prober that hangs when the outage has long been measured leaves the figure known."""
    for write in story.writes["prober-0"]:
        if RECOVERED + 7 * SECOND <= write.sent_ns < RECOVERED + 8 * SECOND:
            write.sent_ns = RECOVERED + 8 * SECOND
            write.answered_ns = write.sent_ns + MS
    measured = story.measure()
    assert (measured.verdict, measured.reasons) == (Verdict.MET, ())


def test_directory_can_be_measured_elsewhere(story: Story) -> None:
    """A directory that was moved gives the same document: nothing in it names where it stood."""
    directory = story.store()
    before = measure(directory).to_json()
    moved = directory.path.rename(directory.path.parent / "somewhere else")
    assert measure(DrillDirectory(moved)).to_json() == before


def test_damaged_record_is_an_error_that_names_the_file(story: Story) -> None:
    """A journal that was altered cannot be measured at all."""
    directory = story.store()
    text = directory.journal_path.read_text(encoding="utf-8")
    directory.journal_path.write_text(text.replace("effective", "affective"), encoding="utf-8")
    with pytest.raises(DamagedRecordError, match=r"journal\.jsonl:7"):
        measure(directory)


def test_event_that_lacks_something_is_an_error_that_names_the_file(story: Story) -> None:
    """An event without what it must have is damage, not a guess."""
    del story.data_of("fault.injected")["before_ns"]
    with pytest.raises(DamagedRecordError, match="before_ns"):
        story.measure()


def test_scenario_that_the_plan_does_not_have_is_an_error(story: Story) -> None:
    """A drill of a scenario that is not in its plan cannot be judged."""
    story.about["scenario"] = "other"
    with pytest.raises(DamagedRecordError, match="`other`"):
        story.measure()


def test_broken_plan_is_an_error_of_the_plan(story: Story) -> None:
    """A plan with mistakes is reported as such."""
    story.plan["RTO"] = "soon"
    with pytest.raises(InvalidInputError):
        story.measure()
