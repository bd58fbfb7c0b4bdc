"""A store that is restored from its backups in a drill: what was left, what was asked for, what came of it.

The company's own code restores; what is asked of it here is only the moment. Beside it, everything is looked at by
itself: the rows that a fault left, what the environment says the new database was made of, and its rows, before users
come to it. What these say is the measurement's.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from drdrill.core.errors import CommandFailedError, UsageError
from drdrill.measure.facts import read_facts
from drdrill.record.journal import read_journal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from drdrill.core.clock import Clock
    from drdrill.drill.observation import StoreObserver
    from drdrill.drill.users import Users
    from drdrill.environment.port import Environment
    from drdrill.record.directory import DrillDirectory
    from drdrill.record.journal import Journal

_RESTORE, _REPLACE, _TEST = "restore_database", "replace_database", "restore_backup"


class Restoring:
    """Restores one store, and notes in the journal what is seen of it. `fail_over` runs the company's code."""

    def __init__(
        self,
        environment: Environment,
        users: Users,
        store: StoreObserver,
        resource: str,
        *,
        directory: DrillDirectory,
        journal: Journal,
        clock: Clock,
        fail_over: Callable[..., str],
    ) -> None:
        self._environment = environment
        self._users = users
        self._store = store
        self._resource = resource
        self._directory = directory
        self._journal = journal
        self._clock = clock
        self._fail_over = fail_over
        self._restores = 0
        self._asked: tuple[str, ...] = ()  # which moment the latest one was to be restored to
        self._source = ""  # what the latest one was restored from, by the name that it has now

    def note_damage(self) -> None:
        """Read the rows that a fault left, right after it. What cannot be read is noted, too: nothing was left."""
        path = self._directory.evidence / "damage-1.pgcopy"
        at_ns = self._clock.now_ns()
        try:
            self._users.read_rows(path)
        except CommandFailedError as error:
            self._journal.append("damage.unreadable", number=1, at_ns=at_ns, reason=_last_words(error))
        else:
            self._note_rows("damage.read", 1, at_ns, path, source=f"{self._resource}, right after the fault")
        self._users.note_damage()

    def restore_to_before_the_fault(self) -> None:
        """Have the store restored to the last whole second before the fault, and look at what was restored.

        Raises `CommandFailedError` with what the company's code said when it failed.
        """
        moment, moment_ns = self._find_moment()
        self._asked = ("--to", moment.isoformat())
        self._fail_over(_RESTORE, self._resource, *self._asked)
        self.observe(f"{self._resource}-restored", asked_utc=moment.isoformat(), asked_ns=moment_ns)

    def restore_backup(self) -> None:
        """Have the newest backup restored beside the store, as a test, and look at what was restored."""
        self._fail_over(_TEST, self._resource)
        self.observe(f"{self._resource}-restore-test")

    def observe(self, restored: str, **asked: object) -> None:
        """Note what a database was restored from, beside what was asked for, and read its rows."""
        self._restores += 1
        described = {**self._environment.observe_restore(restored), **asked}
        self._source = str(described.get("source_now") or described["source"])
        self._journal.append("restore.observed", **described)
        self._users.note_restored([one.server for one in read_facts(self._directory).restores])
        path = self._directory.evidence / f"restore-{self._restores}.pgcopy"
        at_ns = self._clock.now_ns()
        try:
            self._users.read_rows(path, endpoint=str(described["endpoint"]))
        except CommandFailedError as error:
            self._journal.append(
                "restore.unreadable", number=self._restores, at_ns=at_ns, reason=_last_words(error)
            )
        else:
            source = f"{restored}, before users came to it"
            self._note_rows("restore.read", self._restores, at_ns, path, source=source)

    def remove_restored(self) -> None:
        """Have what was restored as a test removed: from now on nobody knows whose its server's address is."""
        self._journal.append("restore.removing", number=self._restores)
        self._fail_over(_TEST, self._resource, "--end")
        self._users.note_restored([one.server for one in read_facts(self._directory).restores])

    def put_in_place(self) -> None:
        """Have the restored database take the damaged one's place."""
        self._store.note_giving_up(self._source)
        self._fail_over(_REPLACE, self._resource, *self._asked)
        self._store.note_replaced()
        samples = self._directory.evidence / f"replication-{self._resource}.jsonl"
        self._environment.start_sampling(self._resource, samples)

    def _find_moment(self) -> tuple[datetime, int]:
        """Return the last whole second before the fault, on both clocks: PITR is exact to the second."""
        fault = read_facts(self._directory).fault
        if fault is None:
            raise UsageError("There is no moment to restore to: nothing was broken in this drill.")
        told = next(
            event for event in read_journal(self._directory.journal_path) if event.kind == "fault.injected"
        )
        told_at = datetime.fromisoformat(told.utc)
        # The journal cuts its time off at the millisecond, which makes it earlier: never later than the fault.
        before = told_at - timedelta(microseconds=-(-(told.at_ns - fault.before_ns) // 1000))
        moment = before.replace(microsecond=0)
        return moment, told.at_ns - (told_at - moment) // timedelta(microseconds=1) * 1000

    def _note_rows(self, kind: str, number: int, at_ns: int, path: Path, *, source: str) -> None:
        evidence = self._directory.describe_evidence(path, source=source)
        self._journal.append(kind, number=number, at_ns=at_ns, **evidence)


def _last_words(error: CommandFailedError) -> str:
    """Return the line in which PostgreSQL says what is wrong; below it stand the statement and a mark."""
    lines = [line.strip() for line in error.output.splitlines() if line.strip()]
    said = next((line for line in lines if "ERROR:" in line or "FATAL:" in line), None)
    return said or (lines or [f"exit status {error.status}"])[-1]
