"""Whole drills that prove nothing, and each reason why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.core.verdict import Verdict
from drdrill.record.ledger import Outcome
from tests.measure.story import BEGIN, END, FAULT, MS, OLD, RECOVERED, SECOND, codes

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.measure.story import Story


def _fault_failed(story: Story) -> None:
    index = next(i for i, event in enumerate(story.events) if event[1] == "fault.injecting")
    failed = {"kind": "host_power_loss", "reason": "refused"}
    story.events.insert(index, (FAULT - 2 * MS, "fault.failed", failed))


def _only_a_failed_fault(story: Story) -> None:
    _fault_failed(story)
    story.drop("fault.injected", "fault.observed")


def _effect_seen_before_the_fault(story: Story) -> None:
    index = next(i for i, event in enumerate(story.events) if event[1] == "fault.observed")
    story.events.insert(0, (BEGIN - 2 * SECOND, *story.events.pop(index)[1:]))


def _nobody_observed(story: Story) -> None:
    story.data_of("fault.observed")["observer"] = ""


def _another_service_asked(story: Story) -> None:
    story.data_of("drill.started")["service"] = "other"


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


def _load_starved_before_fault(story: Story) -> None:
    for write in story.writes["load-0"]:
        if FAULT - 3 * SECOND <= write.sent_ns < FAULT:
            write.outcome, write.rows, write.server = Outcome.NOT_SENT, 0, 0


def _load_died_in_the_outage(story: Story) -> None:
    story.writes["load-0"] = [one for one in story.writes["load-0"] if one.sent_ns < RECOVERED - SECOND]


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
        (_only_a_failed_fault, "fault_failed"),
        (_effect_seen_before_the_fault, "fault_not_observed"),
        (_nobody_observed, "fault_not_observed"),
        (_another_service_asked, "another_service"),
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
        (_load_starved_before_fault, "load_not_running"),
        (_load_died_in_the_outage, "load_not_running"),
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
