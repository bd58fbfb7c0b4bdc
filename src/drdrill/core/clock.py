"""The clock that everything shares: the machine's boot-time clock, which all namespaces and processes agree on.

A clock is injected, never imported: whoever waits or stamps takes a `Clock`.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

NANOSECONDS = 1_000_000_000


class Clock(Protocol):
    """Tells the time on the boot-time clock and sleeps."""

    def now_ns(self) -> int:
        """Return the time since boot in ns, suspended time included (CLOCK_BOOTTIME)."""
        ...

    def utc(self) -> datetime:
        """Return the wall clock's time in UTC; for people, never for differences."""
        ...

    def sleep(self, seconds: float) -> None:
        """Sleep for that many seconds."""
        ...


class SystemClock:
    """The real clock of this machine."""

    def now_ns(self) -> int:
        """Return the time since boot in ns."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    def utc(self) -> datetime:
        """Return the wall clock's time in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Sleep for that many seconds."""
        time.sleep(seconds)


def read_boot_id() -> str:
    """Return the id of this boot of the machine: times of the boot-time clock compare only within one boot."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
