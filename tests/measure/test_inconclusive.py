"""Whole drills without enough evidence, and what each lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.core.verdict import Verdict
from drdrill.measure import measure
from drdrill.record.ledger import Outcome
from tests.measure.story import BEGIN, END, FAULT, RECOVERED, SECOND, codes

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.measure.story import Story, Write


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


def _row_appears(story: Story) -> None:
    unknown = next(one for one in story.writes["load-0"] if one.outcome is Outcome.UNKNOWN)

    def appear(_writes: list[Write]) -> None:
        unknown.rows = 1

    story.between_readings = appear


def _other_boot(story: Story) -> None:
    story.about["boot_id"] = "another"


def _clock_goes_back(story: Story) -> None:
    story.events.append((BEGIN, "environment.stopped", {}))


def _prober_hangs(story: Story) -> None:
    for write in story.writes["prober-0"]:
        if FAULT + SECOND <= write.sent_ns < FAULT + 2 * SECOND:
            write.sent_ns = FAULT + 2 * SECOND


def _ends_before_stability(story: Story) -> None:
    for name, writes in story.writes.items():
        story.writes[name] = [one for one in writes if one.sent_ns < RECOVERED + 3 * SECOND]


def _counts_from_declaration(story: Story) -> None:
    story.plan["CLOCK"] = "declaration"


def _broken(story: Story) -> None:
    failed = {"of": "scenario", "step": "the host has its power back", "reason": "EnvironmentFailedError: no"}
    story.events.append((END + 4 * SECOND, "step.failed", failed))


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
        (_row_appears, "readings_disagree"),
        (_other_boot, "another_clock"),
        (_clock_goes_back, "another_clock"),
        (_prober_hangs, "prober_late"),
        (_ends_before_stability, "rto_not_known"),
        (lambda story: story.never_recover(), "rto_not_known"),
        (_counts_from_declaration, "rto_not_known"),
        (_not_protected_again, "re_protection_not_known"),
        (_interrupted, "interrupted"),
        (_broken, "scenario_broken"),
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
