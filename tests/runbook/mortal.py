"""What an executor that may die is made of in tests: a clock of its own, and a journal whose process may be gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from drdrill.core.clock import NANOSECONDS
from drdrill.record.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from drdrill.record.journal import Event


class Killed(BaseException):
    """The executor's process is gone: whatever it calls, it is not there to call it."""


class ManualClock:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.at_ns = 0

    def now_ns(self) -> int:
        """Return the time in ns."""
        return self.at_ns

    def utc(self) -> datetime:
        """Return the time in UTC."""
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=self.at_ns / 1000)

    def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        self.at_ns += round(seconds * NANOSECONDS)


class MortalJournal(Journal):
    """A journal whose process may die just before or just after a line is written: `touch` raises `Killed` then."""

    def __init__(self, path: Path, clock: ManualClock, touch: Callable[..., None]) -> None:
        super().__init__(path, actor="runbook", clock=clock)
        self._touch = touch

    def append(self, kind: str, /, **data: Any) -> Event:
        """Write an event, unless the process is gone."""
        self._touch()
        event = super().append(kind, **data)
        self._touch(boundary=True)
        return event
