"""What is noted of a store before and after a fault."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.core.errors import InvalidDrillError, UsageError
from drdrill.drill.observation import StoreObserver
from drdrill.environment.port import StoreEvent, StoreRole
from drdrill.plan import load_plan
from drdrill.record.journal import Journal, read_journal
from tests.drill.fakes import CREATED, FAILED_OVER, RESOURCE, FakeEnvironment, make_state
from tests.faults.fakes import ManualClock, write_plan

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def environment(tmp_path: Path) -> FakeEnvironment:
    """Return an environment whose store fails over."""
    states = [
        make_state("db-1", promotions=3),
        make_state("db-2", promotions=4, events=(CREATED, FAILED_OVER)),
    ]
    return FakeEnvironment(tmp_path, load_plan(write_plan(tmp_path)), states=states)


def test_a_failover_is_what_is_new(environment: FakeEnvironment, tmp_path: Path) -> None:
    """Only promotions and events since before the fault count, and both moments show the members."""
    journal = Journal(tmp_path / "journal.jsonl", actor="test")
    store = StoreObserver(environment, RESOURCE, journal)
    store.note_before_fault()
    store.note_failover()
    before, after, failover = read_journal(journal.path)
    assert [event.data["moment"] for event in (before, after)] == ["before_fault", "after_fault"]
    assert [event.data["members"][0]["host"] for event in (before, after)] == ["db-1", "db-2"]
    assert before.data["members"][0]["role"] == "primary"
    assert failover.kind == "failover.observed"
    assert failover.data["promotions"] == 1
    assert [event["code"] for event in failover.data["events"]] == ["RDS-EVENT-0049"]


def _see_a_replacement(environment: FakeEnvironment, path: Path, *, told: bool = True) -> dict[str, Any]:
    """Let another database take the name after a failover of the old one; return what was noted in the end."""
    journal = Journal(path / "journal.jsonl", actor="test")
    store = StoreObserver(environment, RESOURCE, journal)
    store.note_before_fault()
    if told:
        store.note_giving_up("accounts-db-damaged")
        store.note_replaced()
    store.note_failover()
    return dict(read_journal(journal.path)[-1].data)


RESTORED = StoreEvent(30, "RDS-EVENT-0043", "Restored from snapshot")
MADE_OF_TWO = StoreEvent(31, "RDS-EVENT-0049", "Multi-AZ instance failover completed.")
SINCE = StoreEvent(40, "RDS-EVENT-0049", "Multi-AZ instance failover completed.")


def test_role_changes_before_and_after_a_replacement_count(tmp_path: Path) -> None:
    """Those of the old database up to its end and those of the new one since it has the name, and no others.

    What else happened to the new one is told as well: that it was restored, for one.
    """
    states = [
        make_state("db-1", promotions=3),
        make_state("db-8", database="db-B", promotions=1, events=(RESTORED, MADE_OF_TWO)),
        make_state("db-9", database="db-B", promotions=2, events=(RESTORED, MADE_OF_TWO, SINCE)),
    ]
    aside = make_state("db-2", promotions=4, events=(CREATED, FAILED_OVER), named_ns=25)
    environment = FakeEnvironment(tmp_path, load_plan(write_plan(tmp_path)), states=states, aside=aside)
    noted = _see_a_replacement(environment, tmp_path)
    assert (noted["promotions"], noted["moves"]) == (2, 1)
    told = [FAILED_OVER, RESTORED, MADE_OF_TWO, SINCE]
    assert [event["at_ns"] for event in noted["events"]] == [one.at_ns for one in told]


SET_ASIDE = StoreEvent(27, "RDS-EVENT-0049", "Multi-AZ instance failover completed.")


def test_a_failover_after_the_name_was_given_up_does_not_count(tmp_path: Path) -> None:
    """A database that was set aside moved nobody any more: a second writer could hide behind its failover."""
    states = [
        make_state("db-1", promotions=3),
        make_state("db-8", database="db-B", events=(RESTORED,), named_ns=50),
    ]
    aside = make_state("db-2", promotions=5, events=(CREATED, FAILED_OVER, SET_ASIDE), named_ns=25)
    environment = FakeEnvironment(tmp_path, load_plan(write_plan(tmp_path)), states=states, aside=aside)
    noted = _see_a_replacement(environment, tmp_path)
    assert (noted["promotions"], noted["moves"]) == (1, 1)
    assert [event["at_ns"] for event in noted["events"]] == [FAILED_OVER.at_ns, RESTORED.at_ns]


def test_a_failover_right_after_the_name_was_taken_counts(tmp_path: Path) -> None:
    """The new database has the name before anybody looks: what it does then moves users, however early it is."""
    states = [
        make_state("db-1", promotions=3),
        make_state("db-9", database="db-B", promotions=2, events=(RESTORED, MADE_OF_TWO, SINCE), named_ns=35),
    ]
    environment = FakeEnvironment(tmp_path, load_plan(write_plan(tmp_path)), states=states)
    noted = _see_a_replacement(environment, tmp_path)
    assert (noted["promotions"], noted["moves"]) == (1, 1)


def test_a_database_that_is_gone_says_no_more_than_it_said(tmp_path: Path) -> None:
    """When the old database was removed, what was noted of it before is what counts."""
    states = [
        make_state("db-1", promotions=3),
        make_state("db-8", database="db-B", promotions=1, events=(RESTORED, MADE_OF_TWO)),
    ]
    environment = FakeEnvironment(tmp_path, load_plan(write_plan(tmp_path)), states=states)
    noted = _see_a_replacement(environment, tmp_path)
    assert (noted["promotions"], noted["moves"]) == (0, 1)


def test_a_replacement_that_nobody_told_of(tmp_path: Path) -> None:
    """Another id under the name is another database, whose earlier role changes moved nobody."""
    states = [
        make_state("db-1", promotions=3),
        make_state("db-8", database="db-B", promotions=1, events=(RESTORED, MADE_OF_TWO)),
    ]
    environment = FakeEnvironment(tmp_path, load_plan(write_plan(tmp_path)), states=states)
    noted = _see_a_replacement(environment, tmp_path, told=False)
    assert (noted["promotions"], noted["moves"]) == (0, 1)


def test_events_that_the_cloud_keeps_no_more_are_no_replacement(tmp_path: Path) -> None:
    """It is the same database while its id is the same, and a role change counts that no event tells of any more."""
    states = [make_state("db-1", promotions=3), make_state("db-2", promotions=5, events=(FAILED_OVER,))]
    environment = FakeEnvironment(tmp_path, load_plan(write_plan(tmp_path)), states=states)
    noted = _see_a_replacement(environment, tmp_path, told=False)
    assert (noted["promotions"], noted["moves"]) == (2, 0)


def test_looking_leaves_no_note(environment: FakeEnvironment, tmp_path: Path) -> None:
    """A look alone writes nothing down."""
    journal = Journal(tmp_path / "journal.jsonl", actor="test")
    assert StoreObserver(environment, RESOURCE, journal).read().members[0].host == "db-1"
    assert not journal.path.exists()


def test_a_status_is_waited_for(environment: FakeEnvironment, tmp_path: Path) -> None:
    """What the cloud is expected to say is noted when it says so; the drill is invalid when it does not."""
    journal = Journal(tmp_path / "journal.jsonl", actor="test")
    store = StoreObserver(environment, RESOURCE, journal)
    store.await_status("available", within=timedelta(seconds=1), clock=ManualClock())
    (said,) = read_journal(journal.path)
    assert (said.kind, said.data["status"]) == ("store.said", "available")
    with pytest.raises(
        InvalidDrillError, match="did not say that accounts-db is storage-full, but available"
    ):
        store.await_status("storage-full", within=timedelta(seconds=1), clock=ManualClock())


def test_a_member_is_found_by_its_role(environment: FakeEnvironment, tmp_path: Path) -> None:
    """The primary is found; a role that nobody has now is said."""
    store = StoreObserver(environment, RESOURCE, Journal(tmp_path / "journal.jsonl", actor="test"))
    assert store.find_member(StoreRole.PRIMARY).host == "db-1"
    with pytest.raises(UsageError, match="has no standby now"):
        store.find_member(StoreRole.STANDBY)
