"""Whole drills that miss: times, loss that nothing explains, wrong rows, two writers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.core.verdict import Verdict
from drdrill.record.ledger import Outcome, make_id
from tests.measure.story import END, FAULT, MS, NEW, OLD, SECOND, codes, findings

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.measure.story import Story


def _outage_over_objective(story: Story) -> None:
    story.plan["RTO"] = "2 s"


def _outage_never_ends_and_is_over(story: Story) -> None:
    story.plan["RTO"] = "2 s"
    story.never_recover()


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


@pytest.mark.parametrize("part", ["judge_objectives", "find_elsewhere", "split"])
def test_no_crash_hides_a_miss(story: Story, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever late part crashes, the loss that was found stays MISSED, and the crash is named."""

    def crash(*_arguments: object, **_named: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(f"drdrill.measure.measurement.{part}", crash)
    _acknowledged_row_lost(story)
    measured = story.measure()
    assert codes(measured, Verdict.INCONCLUSIVE) == {"check_crashed"}
    assert (measured.verdict, codes(measured, Verdict.MISSED)) == (Verdict.MISSED, {"loss_unexplained"})


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
    story.data_of("fault.observed")["effective"] = False
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


def test_primary_after_the_fault_is_not_the_one_before(story: Story) -> None:
    """That another server is the primary later does not change whose loss the lag explains."""
    story.make_asynchronous(2 * SECOND)
    _lose_since(story, FAULT - SECOND)
    before = story.data_of("store.observed")
    members = [{**before["members"][0], "address": "10.0.0.2"}]
    story.events.append((END, "store.observed", {**before, "moment": "after_fault", "members": members}))
    assert codes(story.measure(), Verdict.MISSED) == set()


@pytest.mark.parametrize(("since_ns", "differs"), [(FAULT - SECOND, True), (FAULT - 3 * SECOND, False)])
def test_lag_that_tells_another_story_is_a_finding(story: Story, since_ns: int, differs: bool) -> None:
    """Lag is shown beside the loss that was read back; where they differ much, somebody should look."""
    story.make_asynchronous(3500 * MS)
    _lose_since(story, since_ns)
    assert ("lag_differs" in findings(story.measure())) is differs


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


def test_loss_without_a_known_primary_is_not_explained(story: Story) -> None:
    """Where nobody saw who the primary was, whose loss it is remains open: nothing explains it."""
    story.make_asynchronous(2 * SECOND)
    _lose_since(story, FAULT - SECOND)
    story.drop("store.observed")
    assert codes(story.measure(), Verdict.MISSED) == {"loss_unexplained"}


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


def test_unprotected_for_longer_than_the_objective_is_missed(story: Story) -> None:
    """Redundancy that did not come back within its objective is MISSED, not open."""
    story.drop("store.protected")
    at_ns = FAULT + 3601 * SECOND
    story.events.append((at_ns, "store.unprotected", {"resource": "orders", "waited_seconds": 3601}))
    measured = story.measure()
    assert codes(measured, Verdict.MISSED) == {"re_protection_missed"}
    assert "unprotected" in findings(measured)
