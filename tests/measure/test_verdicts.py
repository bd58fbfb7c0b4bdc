"""Whole drills: each verdict, and each reason that leads to it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from drdrill.core.errors import DamagedRecordError, InvalidInputError
from drdrill.core.verdict import Verdict
from drdrill.measure import measure
from drdrill.record.ledger import Outcome, make_id
from tests.measure.story import END, FAULT, MS, NEW, OLD, RECOVERED, SECOND

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.measure import Measurement
    from tests.measure.story import Story, Write


def codes(measurement: Measurement, verdict: Verdict | None = None) -> set[str]:
    """Return the codes of the reasons, of one verdict or of all."""
    return {reason.code for reason in measurement.reasons if verdict in {None, reason.verdict}}


def findings(measurement: Measurement) -> set[str]:
    """Return the codes of the findings."""
    return {finding.code for finding in measurement.findings}


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


def _fault_failed(story: Story) -> None:
    story.events.append((END + 3 * SECOND, "fault.failed", {"kind": "host_power_loss", "reason": "refused"}))


def _other_fault_observed(story: Story) -> None:
    story.data_of("fault.observed")["resource"] = "db-9"


def _fault_without_effect(story: Story) -> None:
    story.data_of("fault.observed")["effective"] = False


def _steady_state_does_not_hold(story: Story) -> None:
    story.data_of("steady_state.observed").update(holds=False, reason="two of eight cohorts were down")


def _steady_state_seen_only_afterwards(story: Story) -> None:
    index = next(i for i, event in enumerate(story.events) if event[1] == "steady_state.observed")
    event = story.events.pop(index)
    story.events.append((END + 3 * SECOND, *event[1:]))


def _down_before_fault(story: Story) -> None:
    for write in story.writes["prober-0"]:
        if FAULT - 2 * SECOND <= write.sent_ns < FAULT:
            write.outcome, write.rows = Outcome.NOT_SENT, 0


def _load_never_started(story: Story) -> None:
    story.drop("load.started")


def _load_without_ledger(story: Story) -> None:
    story.data_of("load.started")["clients"].append("load-9")


def _load_died_before_fault(story: Story) -> None:
    story.writes["load-0"] = [one for one in story.writes["load-0"] if one.sent_ns < FAULT - 3 * SECOND]


def _only_probers(story: Story) -> None:
    for name in ("load-0", "load-sticky-0"):
        del story.clients[name], story.writes[name]
        story.data_of("load.started")["clients"].remove(name)


def _more_impact_declared(story: Story) -> None:
    story.plan["IMPACT"] = "{service: orders, down_at_least: 10 s}"


def _no_impact_declared(story: Story) -> None:
    story.plan["IMPACT"] = "{service: orders, none: true}"


def _control_is_answered(story: Story) -> None:
    story.writes["control-0"][3].outcome = Outcome.ACKNOWLEDGED
    story.writes["control-0"][3].answered_ns = story.writes["control-0"][3].sent_ns + MS


def _no_control(story: Story) -> None:
    del story.clients["control-0"], story.writes["control-0"]
    story.data_of("load.started")["clients"].remove("control-0")


def _control_ends_early(story: Story) -> None:
    story.writes["control-0"] = [one for one in story.writes["control-0"] if one.sent_ns < FAULT + SECOND]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda story: story.drop("fault.injected"), "no_fault"),
        (_fault_failed, "fault_failed"),
        (lambda story: story.drop("fault.observed"), "fault_not_observed"),
        (_other_fault_observed, "fault_not_observed"),
        (_fault_without_effect, "fault_not_effective"),
        (lambda story: story.drop("steady_state.observed"), "no_steady_state"),
        (_steady_state_does_not_hold, "no_steady_state"),
        (_steady_state_seen_only_afterwards, "no_steady_state"),
        (_down_before_fault, "no_steady_state"),
        (_load_never_started, "load_not_running"),
        (_load_without_ledger, "load_not_running"),
        (_load_died_before_fault, "load_not_running"),
        (_only_probers, "load_not_running"),
        (_more_impact_declared, "impact_not_shown"),
        (_no_impact_declared, "impact_shown"),
        (_control_is_answered, "control_failed"),
        (_no_control, "control_failed"),
        (_control_ends_early, "control_failed"),
    ],
)
def test_drill_that_proves_nothing_is_invalid(
    story: Story, change: Callable[[Story], None], code: str
) -> None:
    """Whatever makes a drill worthless makes it INVALID, its times too, and says why."""
    change(story)
    measured = story.measure()
    assert measured.verdict is Verdict.INVALID
    assert code in codes(measured, Verdict.INVALID)
    assert {one.measured_verdict for one in measured.objectives} == {Verdict.INVALID}


def test_no_outage_where_impact_was_declared_is_invalid(story: Story) -> None:
    """A fault that users do not notice is INVALID where impact is declared, and MET where none is."""
    for name in ("prober-0", "prober-1", "load-0", "load-sticky-0"):
        for write in story.writes[name]:
            if write.outcome is Outcome.UNKNOWN:
                write.outcome, write.rows, write.server = Outcome.ACKNOWLEDGED, 1, OLD
                write.answered_ns = write.sent_ns + MS
    measured = story.measure()
    assert (measured.verdict, codes(measured)) == (Verdict.INVALID, {"impact_not_shown"})


def test_declared_absence_of_impact_can_be_met(story: Story) -> None:
    """Where no impact is declared and none shows, the outage is 0 and the drill MET."""
    story.plan["IMPACT"] = "{service: orders, none: true}"
    for name in ("prober-0", "prober-1", "load-0", "load-sticky-0"):
        for write in story.writes[name]:
            if write.outcome is Outcome.UNKNOWN:
                write.outcome, write.rows, write.server = Outcome.ACKNOWLEDGED, 1, OLD
                write.answered_ns = write.sent_ns + MS
    measured = story.measure()
    assert measured.verdict is Verdict.MET
    assert measured.to_json()["rta"]["outage_seconds"] == 0.0


def _second_reading_missing(story: Story) -> None:
    story.events = [event for event in story.events if event[2].get("number") != 2]


def _second_reading_failed(story: Story) -> None:
    _second_reading_missing(story)
    story.events.append(
        (END + 3 * SECOND, "survivors.unreadable", {"number": 2, "reason": "it does not answer"})
    )


def _survivors_altered_later(story: Story) -> None:
    story.events[-1][2]["sha256"] = "0" * 64


def _survivors_read_too_early(story: Story) -> None:
    story.events[-1][2]["at_ns"] = RECOVERED


def _unknown_row_vanishes(story: Story) -> None:
    unknown = next(one for one in story.writes["load-0"] if one.outcome is Outcome.UNKNOWN)
    unknown.rows = 1

    def vanish(_writes: list[Write]) -> None:
        unknown.rows = 0

    story.between_readings = vanish


def _other_boot(story: Story) -> None:
    story.about["boot_id"] = "another"


def _prober_hangs(story: Story) -> None:
    for write in story.writes["prober-0"]:
        if FAULT + SECOND <= write.sent_ns < FAULT + 2 * SECOND:
            write.sent_ns = FAULT + 2 * SECOND


def _ends_before_stability(story: Story) -> None:
    for name, writes in story.writes.items():
        story.writes[name] = [one for one in writes if one.sent_ns < RECOVERED + 3 * SECOND]


def _never_recovers(story: Story) -> None:
    for writes in story.writes.values():
        for write in writes:
            if write.server == NEW:
                write.outcome, write.rows, write.answered_ns = Outcome.UNKNOWN, 0, write.sent_ns + SECOND


def _counts_from_declaration(story: Story) -> None:
    story.plan["CLOCK"] = "declaration"


def _interrupted(story: Story) -> None:
    story.events.append((END + 4 * SECOND, "drill.interrupted", {"signal": "SIGINT"}))


def _not_protected_again(story: Story) -> None:
    story.drop("store.protected")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda story: story.drop("survivors.read"), "survivors_unreadable"),
        (_second_reading_missing, "survivors_unreadable"),
        (_second_reading_failed, "survivors_unreadable"),
        (_survivors_altered_later, "survivors_unreadable"),
        (_survivors_read_too_early, "read_too_early"),
        (lambda story: story.drop("load.stopped"), "read_too_early"),
        (_unknown_row_vanishes, "readings_disagree"),
        (_other_boot, "another_clock"),
        (_prober_hangs, "prober_late"),
        (_ends_before_stability, "rto_not_known"),
        (_never_recovers, "rto_not_known"),
        (_counts_from_declaration, "rto_not_known"),
        (_not_protected_again, "re_protection_not_known"),
        (_interrupted, "interrupted"),
        (lambda story: story.plan.update(STANDBY="none"), "rpo_not_projected"),
        (lambda story: story.plan.update(PROTECTION="other"), "re_protection_not_projected"),
    ],
)
def test_drill_without_enough_evidence_is_inconclusive(
    story: Story, change: Callable[[Story], None], code: str
) -> None:
    """Evidence that is missing makes a drill INCONCLUSIVE, never MET, and says what is missing."""
    change(story)
    measured = story.measure()
    assert (measured.verdict, codes(measured)) == (Verdict.INCONCLUSIVE, {code})


def test_crashing_check_is_inconclusive_and_named(story: Story) -> None:
    """A check that crashes is INCONCLUSIVE, named, and leaves the others standing."""
    story.samples[0]["lsn"] = "not a number"
    measured = story.measure()
    assert (measured.verdict, codes(measured)) == (Verdict.INCONCLUSIVE, {"check_crashed"})
    assert "`replication`" in measured.reasons[0].text
    assert measured.to_json()["rta"]["outage_seconds"] is not None


def test_unreadable_ledger_is_inconclusive(story: Story) -> None:
    """A ledger that cannot be read leaves nothing known: INCONCLUSIVE, and figures are null."""
    directory = story.store()
    (directory.ledger / "load-0.outcomes").unlink()
    document = measure(directory).to_json()
    assert document["verdict"] == "INCONCLUSIVE"
    assert document["rpa"]["lost_rows"] is None
    assert document["rta"]["outage_seconds"] is None


def _outage_over_objective(story: Story) -> None:
    story.plan["RTO"] = "2 s"


def _outage_never_ends_and_is_over(story: Story) -> None:
    story.plan["RTO"] = "2 s"
    _never_recovers(story)


def _projection_over_objective(story: Story) -> None:
    story.plan["LONGEST"] = "3 h"


def _row_altered(story: Story) -> None:
    story.writes["load-0"][5].stored_amount += 1


def _row_duplicated(story: Story) -> None:
    story.writes["load-0"][5].rows = 2


def _refused_row_is_there(story: Story) -> None:
    story.writes["load-0"][5].outcome = Outcome.REJECTED


def _acknowledged_row_lost(story: Story) -> None:
    story.writes["load-0"][5].rows = 0


def _two_writers(story: Story) -> None:
    for write in story.last_served("load-0", NEW, 100)[:3]:
        write.server = OLD


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (_outage_over_objective, "rto_missed rto_projected_missed"),
        (_outage_never_ends_and_is_over, "rto_missed rto_projected_missed"),
        (_projection_over_objective, "rto_projected_missed"),
        (_row_altered, "altered"),
        (_row_duplicated, "duplicated"),
        (_refused_row_is_there, "contradicted"),
        (_acknowledged_row_lost, "loss_unexplained"),
        (_two_writers, "two_writers"),
    ],
)
def test_drill_that_misses_is_missed(story: Story, change: Callable[[Story], None], expected: str) -> None:
    """A time over its objective, and any wrong row, is MISSED and says which."""
    change(story)
    measured = story.measure()
    assert (measured.verdict, codes(measured, Verdict.MISSED)) == (Verdict.MISSED, set(expected.split()))


def test_row_that_nobody_wrote_is_missed(story: Story) -> None:
    """A row under an id that no client attempted is a phantom and MISSED."""
    story.strays.append((make_id(99, 1), 5, 1))
    measured = story.measure()
    assert codes(measured) == {"phantom"}
    assert measured.to_json()["rpa"]["phantom_rows"] == 1


@pytest.mark.parametrize("change", [_acknowledged_row_lost, _row_altered, _row_duplicated, _two_writers])
def test_nothing_hides_a_real_miss(story: Story, change: Callable[[Story], None]) -> None:
    """Loss and wrong rows are MISSED even where the injection was INVALID; the time then is not judged."""
    change(story)
    _fault_without_effect(story)
    measured = story.measure()
    assert measured.verdict is Verdict.MISSED
    verdicts = {one.kind.value: one.measured_verdict for one in measured.objectives}
    assert (verdicts["rto"], verdicts["rpo"]) == (Verdict.INVALID, Verdict.MISSED)


def test_lost_row_is_reported_with_its_money(story: Story) -> None:
    """One lost row is counted, valued as a decimal string, and named."""
    lost = story.writes["load-0"][5]
    lost.rows = 0
    document = story.measure().to_json()["rpa"]
    assert (document["lost_rows"], document["lost_amount"], document["currency"]) == (1, "1.05", "ETB")
    assert document["earliest_lost_acknowledgement"] == {"id": lost.id, "at_ns": lost.answered_ns}
    assert document["losing_servers"] == ["10.0.0.1"]
    assert document["examples"]["lost"] == [lost.id]


def _lose_since(story: Story, since_ns: int) -> None:
    for writes in story.writes.values():
        for write in writes:
            if write.server == OLD and write.sent_ns >= since_ns:
                write.rows = 0


def test_loss_within_the_lag_is_judged_by_the_objective(story: Story) -> None:
    """A suffix lost within an asynchronous standby's lag leaves the function MET, with its RPA."""
    story.make_asynchronous(2 * SECOND)
    _lose_since(story, FAULT - SECOND)
    measured = story.measure()
    rpo = next(one for one in measured.objectives if one.kind.value == "rpo")
    assert rpo.measured_verdict is Verdict.MET
    assert measured.to_json()["rpa"]["seconds"] == pytest.approx(1.0, abs=0.05)
    assert "standby_not_synchronous" in findings(measured)


def test_loss_over_the_objective_is_missed(story: Story) -> None:
    """A loss that replication explains is MISSED where it exceeds the objective."""
    story.plan["RPO"] = "500 ms"
    story.make_asynchronous(2 * SECOND)
    _lose_since(story, FAULT - SECOND)
    assert codes(story.measure(), Verdict.MISSED) == {"rpo_missed"}


def test_loss_older_than_the_lag_is_not_explained(story: Story) -> None:
    """A suffix that reaches further back than the standby's lag is MISSED, whatever the objective."""
    story.make_asynchronous(2 * SECOND)
    _lose_since(story, FAULT - 3 * SECOND)
    measured = story.measure()
    assert codes(measured, Verdict.MISSED) == {"loss_unexplained"}


def test_hole_is_not_explained_by_lag(story: Story) -> None:
    """Loss in the middle of what survived is no suffix: MISSED, with a finding of its own."""
    story.make_asynchronous(2 * SECOND)
    story.last_served("load-0", OLD, 20)[0].rows = 0
    measured = story.measure()
    assert codes(measured, Verdict.MISSED) == {"loss_unexplained"}
    assert "holes" in findings(measured)


def test_unknown_lag_explains_nothing(story: Story) -> None:
    """Without readings the lag is unbounded, and an unbounded lag excuses no loss."""
    story.samples.clear()
    _lose_since(story, FAULT - SECOND)
    assert codes(story.measure(), Verdict.MISSED) == {"loss_unexplained"}


def test_loss_on_the_new_primary_is_not_explained_by_lag(story: Story) -> None:
    """What the new primary acknowledged and lost has nothing to do with the lag at the fault."""
    story.make_asynchronous(2 * SECOND)
    story.last_served("load-0", NEW, 1)[0].rows = 0
    assert codes(story.measure(), Verdict.MISSED) == {"loss_unexplained"}


def test_findings_are_no_verdict(story: Story) -> None:
    """A failed client, an exceeded budget and a row out of order are findings; the drill is MET."""
    story.about["budget"] = {"rta_seconds": 1.0, "re_protection_seconds": 100.0, "other": 1.0}
    story.data_of("load.stopped")["statuses"]["load-0"] = -9
    story.writes["load-0"][5].position = 0
    measured = story.measure()
    assert measured.verdict is Verdict.MET
    assert findings(measured) == {"client_failed", "budget_exceeded", "unknown_budget", "reordered"}


def test_unprotected_for_longer_than_the_objective_is_missed(story: Story) -> None:
    """Redundancy that did not come back within its objective is MISSED, not open."""
    story.drop("store.protected")
    at_ns = FAULT + 3601 * SECOND
    story.events.append((at_ns, "store.unprotected", {"resource": "orders", "waited_seconds": 3601}))
    measured = story.measure()
    assert codes(measured, Verdict.MISSED) == {"re_protection_missed"}
    assert "unprotected" in findings(measured)


def test_relapse_is_a_finding(story: Story) -> None:
    """A second outage after a stable recovery is reported, and does not change the first one's time."""
    for write in story.writes["prober-0"]:
        if RECOVERED + 7 * SECOND <= write.sent_ns < RECOVERED + 8 * SECOND:
            write.outcome, write.rows = Outcome.REJECTED, 0
    measured = story.measure()
    assert "relapse" in findings(measured)
    assert measured.to_json()["rta"]["outage_seconds"] == pytest.approx(4.005)


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
