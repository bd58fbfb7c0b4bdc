"""What is noted of a store before and after a fault."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from drdrill.core.errors import InvalidDrillError, UsageError
from drdrill.drill.observation import StoreObserver
from drdrill.environment.port import StoreRole
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
