"""Rows that a fault destroyed and a restore brought back: what is explained, what is proven, what is caught."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.core.clock import NANOSECONDS
from drdrill.core.verdict import Verdict
from tests.measure.restored import (
    LOSS_PATH,
    POINT,
    RestoredStory,
    be_served_meanwhile,
    make_restored_story,
    row_of,
)
from tests.measure.story import FAULT, MS, NEW, OLD, RECOVERED, SECOND, codes

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def story(tmp_path: Path) -> RestoredStory:
    """Return a drill with a restore that is MET."""
    return make_restored_story(tmp_path)


def _told(story: RestoredStory, *, by_ns: int) -> int:
    return sum(one.answered_ns <= by_ns for one in story.acknowledged_by(OLD))


def test_loss_after_the_time_restored_to_is_explained(story: RestoredStory) -> None:
    """What was acknowledged after the moment restored to is lost, bounded by it, and judged by the objective."""
    measured = story.measure()
    assert codes(measured) == set()
    assert measured.verdict is Verdict.MET
    rpa = measured.to_json()["rpa"]
    assert rpa["lost_rows"] == len(story.acknowledged_by(OLD)) - _told(story, by_ns=POINT)
    assert 0.9 < rpa["seconds"] <= 1
    assert rpa["explanation"].startswith("the lost rows were acknowledged after 2026-11-28T19:05:00+00:00")


def test_what_was_restored_is_proven_row_by_row(story: RestoredStory) -> None:
    """The proof says what was restored to which moment, and that no row lacks, differs or is too young."""
    document = story.measure().to_json()
    (restore,) = document["restores"]
    assert (restore["kind"], restore["base"]) == ("point_in_time", "rds:orders-2026-11-28-19-00")
    assert restore["expected_rows"] == _told(story, by_ns=POINT - MS)
    assert [restore[f"{name}_rows"] for name in ("missing", "later", "altered", "phantom")] == [0, 0, 0, 0]
    assert restore["open_segment"] == "000000010000000000000013"
    assert restore["serving_ns"] == RECOVERED + 5 * MS
    destroyed = document["destroyed"]
    assert destroyed["rows"] == -(-len(story.acknowledged_by(OLD)) // 3)
    lost_with_the_restore = destroyed["missing"]
    assert destroyed["recovered"] + lost_with_the_restore == destroyed["rows"]
    assert lost_with_the_restore < document["rpa"]["lost_rows"]


def test_a_row_before_the_time_restored_to_is_not_explained(story: RestoredStory) -> None:
    """A destroyed row that is still missing although the moment restored to had it: MISSED, and which."""
    victim = next(one for one in story.acknowledged_by(OLD) if row_of(one) not in (story.left or ()))
    victim.rows = 0
    assert story.restored is not None
    story.restored.remove(row_of(victim))
    measured = story.measure()
    assert codes(measured, Verdict.MISSED) == {"loss_unexplained", "restore_lacks_rows"}
    assert measured.restores[0].examples == (victim.id,)
    assert measured.destroyed is not None
    assert measured.destroyed.missing > 0


def test_a_restore_to_an_earlier_time_than_asked_for_is_missed(story: RestoredStory) -> None:
    """A database of two seconds before lacks what was told in between, whatever the restore says of itself."""
    story.restored = [
        row_of(one) for one in story.acknowledged_by(OLD) if one.answered_ns <= POINT - 2 * SECOND
    ]
    for one in story.acknowledged_by(OLD):
        one.rows = int(one.answered_ns <= POINT - 2 * SECOND)
    assert {"restore_lacks_rows", "loss_unexplained"} <= codes(story.measure(), Verdict.MISSED)


@pytest.mark.parametrize(("off_ns", "missed"), [(2 * SECOND, True), (-SECOND, True), (5 * MS, False)])
def test_another_moment_than_was_asked_for_is_missed(story: RestoredStory, off_ns: int, missed: bool) -> None:
    """However well its rows are what they were at that moment: it is not the moment that was to be restored."""
    story.data_of("restore.observed").update(asked_ns=POINT + off_ns, asked_utc="2026-11-28T19:05:02+00:00")
    assert ("restored_to_another_time" in codes(story.measure(), Verdict.MISSED)) is missed


def test_a_restore_to_a_later_time_than_asked_for_is_missed(story: RestoredStory) -> None:
    """Rows that were begun after the moment restored to are not in it."""
    story.restored = [row_of(one) for one in story.acknowledged_by(OLD)]
    assert "restore_has_later_rows" in codes(story.measure(), Verdict.MISSED)


def test_a_restore_to_a_time_after_the_fault_is_missed(story: RestoredStory) -> None:
    """Asked for the wrong time, the destroyed rows are destroyed in what is restored, too."""
    story.data_of("restore.observed").update(from_ns=FAULT + SECOND, until_ns=FAULT + SECOND)
    story.restored = story.left
    there = set(story.left or ())
    for one in story.acknowledged_by(OLD):
        one.rows = int(row_of(one) in there)
    assert {"restore_lacks_rows", "loss_unexplained"} <= codes(story.measure(), Verdict.MISSED)


def test_other_contents_are_missed(story: RestoredStory) -> None:
    """A restored row with another amount, and one that nobody wrote, are found."""
    assert story.restored is not None
    one, amount, position = story.restored[0]
    story.restored[0] = (one, amount + 1, position)
    story.restored.append((7 << 40, 1, 1))
    assert codes(story.measure(), Verdict.MISSED) == {"restore_altered", "restore_phantom"}


def test_a_restored_database_that_nobody_put_in_place_is_a_second_writer(story: RestoredStory) -> None:
    """Users who write to a restore test are on another database than the one that was judged."""
    story.data_of("failover.observed")["moves"] = 0
    assert "two_writers" in codes(story.measure(), Verdict.MISSED)


def _have_another_server_there(story: RestoredStory) -> None:
    """Let the restored database have been at the address of the new server before: nobody was ever put on it."""
    story.events.append((RECOVERED - SECOND // 2, "restore.removing", {"number": 1}))
    story.events.sort(key=lambda event: event[0])


def test_who_has_the_address_of_a_removed_restore_is_not_restored(story: RestoredStory) -> None:
    """A server that got the address later explains no loss, and users on it do not have their rows back."""
    _have_another_server_there(story)
    measured = story.measure()
    assert "loss_unexplained" in codes(measured, Verdict.MISSED)
    assert measured.restores[0].serving_ns is None
    assert measured.outage is not None
    assert measured.outage.outage_ns is None


def test_who_had_the_address_before_a_restore_is_not_restored(story: RestoredStory) -> None:
    """The damaged database's own server had the address first: what it acknowledged and lost, the restore explains."""
    for one in story.acknowledged_by(OLD):
        one.server = NEW
    measured = story.measure()
    assert codes(measured, Verdict.MISSED) == set()
    assert measured.restores[0].serving_ns == RECOVERED + 5 * MS
    assert measured.to_json()["rpa"]["explanation"].startswith("the lost rows were acknowledged after")


def test_a_restore_that_nobody_read_proves_nothing(story: RestoredStory) -> None:
    """Status is no proof: without its rows a restore is INCONCLUSIVE."""
    story.drop("restore.read")
    story.restored = None
    measured = story.measure()
    assert measured.verdict is Verdict.INCONCLUSIVE
    assert codes(measured) == {"restore_not_read"}
    assert measured.to_json()["restores"][0]["missing_rows"] is None


def test_a_restore_in_which_nothing_had_to_be_proves_nothing(story: RestoredStory) -> None:
    """A restore to before the first row lacks nothing, whatever it is worth: INCONCLUSIVE."""
    story.data_of("restore.observed").update(from_ns=1, until_ns=1)
    story.restored = []
    assert "restore_proves_nothing" in codes(story.measure(), Verdict.INCONCLUSIVE)


def test_writes_go_on_until_the_old_database_is_given_up(story: RestoredStory) -> None:
    """Users who go on writing to the damaged database lose all of that: it counts, up to its end."""
    be_served_meanwhile(story, until_ns=FAULT + 2 * SECOND)
    for one in story.acknowledged_by(OLD):
        one.rows = int(one.answered_ns <= POINT)
    measured = story.measure()
    assert measured.verdict is Verdict.MET, measured.reasons
    assert measured.to_json()["rpa"]["seconds"] == pytest.approx(3, abs=0.1)


def test_served_from_damaged_data_is_not_served(story: RestoredStory) -> None:
    """Recovery is when users are on the restored database, however well they were served before."""
    be_served_meanwhile(story, until_ns=RECOVERED)
    for one in story.acknowledged_by(OLD):
        one.rows = int(one.answered_ns <= POINT)
    outage = story.measure().outage
    assert outage is not None
    assert outage.outage_ns is not None
    assert outage.outage_ns / NANOSECONDS == pytest.approx((RECOVERED - FAULT) / NANOSECONDS, abs=0.1)


def test_without_a_restore_nothing_excuses_the_rows(story: RestoredStory) -> None:
    """Rows were destroyed and nobody restored them: they are lost without an explanation, and service is not back."""
    story.drop("restore.observed", "restore.read")
    story.restored = None
    there = set(story.left or ())
    for one in story.acknowledged_by(OLD):
        one.rows = int(row_of(one) in there)
    measured = story.measure()
    assert "loss_unexplained" in codes(measured, Verdict.MISSED)
    assert measured.outage is not None
    assert measured.outage.outage_ns is None


def test_a_dropped_table_had_nothing_left(story: RestoredStory) -> None:
    """What could not be read any more after the fault is destroyed as a whole."""
    _leave_nothing(story, 'ERROR:  relation "orders" does not exist')
    measured = story.measure()
    assert measured.verdict is Verdict.MET, measured.reasons
    assert measured.destroyed is not None
    assert measured.destroyed.rows == len(story.acknowledged_by(OLD))


def test_a_server_that_nobody_reached_says_nothing_of_its_rows(story: RestoredStory) -> None:
    """Rows that could not be asked for are not destroyed for that: INCONCLUSIVE."""
    _leave_nothing(story, "psql: error: connection to server failed: Connection refused")
    measured = story.measure()
    assert measured.verdict is Verdict.INCONCLUSIVE
    assert measured.destroyed is None
    assert "Nobody knows what the fault left" in " ".join(one.text for one in measured.reasons)


def _leave_nothing(story: RestoredStory, reason: str) -> None:
    story.events = [
        (at_ns, "damage.unreadable", {"number": 1, "reason": reason})
        if kind == "damage.read"
        else (at_ns, kind, data)
        for at_ns, kind, data in story.events
    ]
    story.left = None


def test_a_fault_that_destroyed_nothing_proves_nothing(story: RestoredStory) -> None:
    """There was nothing to be restored: INVALID."""
    story.left = [row_of(one) for one in story.acknowledged_by(OLD)]
    assert "nothing_destroyed" in codes(story.measure(), Verdict.INVALID)


def test_a_loss_beyond_the_archive_is_not_explained(story: RestoredStory) -> None:
    """What the archive never had cannot have been restored to."""
    story.data_of("restore.observed")["latest_ns"] = POINT - SECOND
    assert "loss_unexplained" in codes(story.measure(), Verdict.MISSED)


def test_a_row_that_the_restored_server_acknowledged_is_not_explained(story: RestoredStory) -> None:
    """The restore explains what its predecessor acknowledged, and nothing of its own."""
    story.last_served("load-0", NEW, 1)[0].rows = 0
    assert "loss_unexplained" in codes(story.measure(), Verdict.MISSED)


@pytest.mark.parametrize(
    ("promotions", "missed"), [(0, {"two_writers", "loss_unexplained"}), (1, {"loss_unexplained"})]
)
def test_a_row_begun_beside_the_restored_server_is_not_explained(
    story: RestoredStory, promotions: int, missed: set[str]
) -> None:
    """Who goes on writing to the database that was given up loses that by no restore, however many writers may be."""
    story.data_of("failover.observed")["promotions"] = promotions
    story.last_served("load-0", NEW, 1)[0].server = OLD
    story.last_served("load-0", OLD, 1)[0].rows = 0
    assert codes(story.measure(), Verdict.MISSED) == missed


def test_a_loss_without_a_path_in_production_is_not_projected(story: RestoredStory) -> None:
    """Where the plan does not say how long writes go on, what production loses is not known."""
    del story.plan[LOSS_PATH]
    measured = story.measure()
    assert codes(measured) == {"rpo_not_projected"}
    assert "names no loss path" in measured.reasons[0].text


def test_a_planted_defect_that_is_found_is_a_control(story: RestoredStory) -> None:
    """A scenario that damages a backup on purpose is MET when its check finds that, and says what it found."""
    story.plan[LOSS_PATH] += "    must_find: restore_lacks_rows\n"
    _be_a_restore_test(story)
    assert story.restored is not None
    story.restored = story.restored[10:]
    measured = story.measure()
    assert codes(measured) == set()
    planted = next(one for one in measured.controls if one.name == "planted defect")
    assert planted.passed
    assert "lacks 10 of" in planted.text


def test_a_planted_defect_that_is_not_found_makes_a_drill_invalid(story: RestoredStory) -> None:
    """A check that finds nothing in a damaged backup finds nothing anywhere."""
    story.plan[LOSS_PATH] += "    must_find: restore_lacks_rows\n"
    _be_a_restore_test(story)
    assert codes(story.measure()) == {"control_failed"}


def _be_a_restore_test(story: RestoredStory) -> None:
    """Restore beside the database that users stay on after a failover."""
    story.drop("damage.read")
    story.left = None
    story.data_of("restore.observed")["address"] = "10.0.0.9"
    story.data_of("failover.observed")["promotions"] = 1
    for one in story.acknowledged_by(OLD):
        one.rows = 1
