"""A restore in a drill: which moment is asked for, and what is noted of what came of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

import pytest

from drdrill.core.errors import CommandFailedError
from drdrill.drill.observation import StoreObserver
from drdrill.drill.restoring import Restoring
from drdrill.record.directory import DrillDirectory
from drdrill.record.journal import Journal, read_journal
from tests.drill.fakes import FakeEnvironment
from tests.faults.fakes import ManualClock

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from drdrill.drill.users import Users
    from drdrill.measure.restore_facts import RestoredServer
    from drdrill.plan import Plan

RESTORED = {
    "endpoint": "restored.example.com", "address": "10.0.0.9", "until_utc": "then", "source": "accounts-db",
    "source_now": "accounts-db-damaged",
    "kind": "point_in_time", "base": "a snapshot", "begun_ns": 5, "from_ns": 3, "until_ns": 3, "bound_ns": 1,
}  # fmt: skip


class FakeUsers:
    """Users whose rows can be read, or not; notes what they are told."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails
        self.told: list[str] = []

    def read_rows(self, path: Path, *, endpoint: str | None = None) -> None:
        """Read rows, from their store or from another database."""
        self.told.append(f"read {endpoint}")
        if self.fails:
            raise CommandFailedError(["psql"], 1, 'ERROR:  relation "rows" does not exist\nLINE 1\n   ^')
        path.write_bytes(b"rows")

    def note_damage(self) -> None:
        """Note that their data is not whole."""
        self.told.append("damaged")

    def note_restored(self, restored: Sequence[RestoredServer]) -> None:
        """Note restored servers."""
        self.told.append(str([(one.from_ns, one.until_ns) for one in restored]))


class Story:
    """A drill's directory in which something was broken, and what is run in it."""

    def __init__(self, path: Path, users: FakeUsers) -> None:
        self.directory = DrillDirectory(path / "drill")
        self.directory.create()
        self.clock = ManualClock()
        self.journal = Journal(self.directory.journal_path, actor="test", clock=self.clock)
        self.ran: list[tuple[str, ...]] = []
        self.environment = FakeEnvironment(path, cast("Plan", None), restored=RESTORED)
        self.restoring = Restoring(
            self.environment,
            cast("Users", users),
            StoreObserver(self.environment, "accounts-db", self.journal),
            "accounts-db",
            directory=self.directory,
            journal=self.journal,
            clock=self.clock,
            fail_over=self._run,
        )

    def _run(self, *command: str) -> str:
        self.ran.append(command)
        return ""

    def break_rows(self, *, before_ns: int, told_ns: int) -> datetime:
        """Write down a fault that began before it was told of; return when that was, as the journal has it."""
        self.clock.ns = told_ns
        fault = {"kind": "bad_delete", "resource": "db-1", "before_ns": before_ns, "after_ns": told_ns}
        return datetime.fromisoformat(self.journal.append("fault.injected", **fault).utc)

    def notes(self, kind: str) -> dict[str, Any]:
        """Return the data of the one event of a kind."""
        (event,) = (one for one in read_journal(self.directory.journal_path) if one.kind == kind)
        return dict(event.data)


def test_the_last_whole_second_before_the_fault_is_asked_for(tmp_path: Path) -> None:
    """Never a later one, and on both clocks the same; what the environment says is noted beside it."""
    users = FakeUsers()
    story = Story(tmp_path, users)
    told = story.break_rows(before_ns=7_300_000_000, told_ns=7_500_000_000)
    story.restoring.restore_to_before_the_fault()
    ((code, resource, option, moment),) = story.ran
    assert (code, resource, option) == ("restore_database", "accounts-db", "--to")
    asked = datetime.fromisoformat(moment)
    assert asked.microsecond == 0
    assert 0.2 <= (told - asked).total_seconds() < 1.201
    noted = story.notes("restore.observed")
    assert noted["asked_ns"] == 7_500_000_000 - round((told - asked).total_seconds() * 1e6) * 1000
    assert (noted["resource"], noted["until_utc"]) == ("accounts-db-restored", "then")
    assert users.told == ["[(5, None)]", "read restored.example.com"]
    assert story.notes("restore.read")["number"] == 1


def test_what_is_put_in_place_is_what_was_asked_for(tmp_path: Path) -> None:
    """The moment is named again: a database of an earlier restore is no answer."""
    story = Story(tmp_path, FakeUsers())
    story.break_rows(before_ns=7_300_000_000, told_ns=7_500_000_000)
    story.restoring.restore_to_before_the_fault()
    story.restoring.put_in_place()
    (_, _, *asked), replaced = story.ran
    assert replaced == ("replace_database", "accounts-db", *asked)


def test_restored_rows_that_cannot_be_read_are_noted(tmp_path: Path) -> None:
    """It is the measurement's to say what that means."""
    story = Story(tmp_path, FakeUsers(fails=True))
    story.restoring.restore_backup()
    assert story.ran == [("restore_backup", "accounts-db")]
    assert story.notes("restore.unreadable")["reason"] == 'ERROR:  relation "rows" does not exist'


def test_what_was_removed_serves_nobody_any_more(tmp_path: Path) -> None:
    """From the moment on at which the removal is asked for, its address may be another server's."""
    users = FakeUsers()
    story = Story(tmp_path, users)
    story.restoring.restore_backup()
    story.clock.ns += 7
    story.restoring.remove_restored()
    assert story.ran[1:] == [("restore_backup", "accounts-db", "--end")]
    assert story.notes("restore.removing")["number"] == 1
    assert users.told[-1] == f"[(5, {story.clock.ns})]"


@pytest.mark.parametrize(("fails", "kind"), [(False, "damage.read"), (True, "damage.unreadable")])
def test_what_a_fault_left_is_noted(tmp_path: Path, fails: bool, kind: str) -> None:
    """Rows that are left, or a table that is not; and users are told that their data is not whole."""
    users = FakeUsers(fails=fails)
    story = Story(tmp_path, users)
    story.restoring.note_damage()
    assert story.notes(kind)["number"] == 1
    assert users.told == ["read None", "damaged"]


def test_in_place_it_is_sampled_again(tmp_path: Path) -> None:
    """Another database has the name now: that is noted, and its replication is read, too."""
    story = Story(tmp_path, FakeUsers())
    story.restoring.restore_backup()
    story.restoring.put_in_place()
    assert story.ran[1:] == [("replace_database", "accounts-db")]
    assert story.notes("store.unreadable")["resource"] == "accounts-db-damaged"
    assert story.notes("store.replaced")["moves"] == 1
    assert (story.directory.evidence / "replication-accounts-db.jsonl").exists()
