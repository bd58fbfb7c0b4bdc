"""Weekly maintenance windows, as RDS writes them: `sun:05:00-sun:05:30`, in UTC."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = rf"({'|'.join(_DAYS)}):([01]\d|2[0-3]):([0-5]\d)"
_WINDOW = re.compile(f"{_TIME}-{_TIME}")
_DAY, _WEEK = 24 * 60, 7 * 24 * 60  # minutes
_SHORTEST, _LONGEST = 30, 24 * 60  # minutes; API reference, PreferredMaintenanceWindow


def find_mistake(window: str) -> str:
    """Return what is wrong with a window; `` when nothing is."""
    times = _read(window)
    if times is None:
        return f"Invalid maintenance window format: {window}"
    length = (times[1] - times[0]) % _WEEK
    if length < _SHORTEST:
        return "The maintenance window must be at least 30 minutes."
    return "The maintenance window must be less than 24 hours." if length >= _LONGEST else ""


def is_within(window: str, at: datetime) -> bool:
    """Tell whether a window is open."""
    times = _read(window)
    if times is None:
        return False
    now = at.weekday() * _DAY + at.hour * 60 + at.minute
    return (now - times[0]) % _WEEK < (times[1] - times[0]) % _WEEK


def choose_window(resource_id: str) -> str:
    """Return the window of an instance whose owner wants none: 30 minutes of some night, as RDS chooses one."""
    number = int.from_bytes(hashlib.sha256(resource_id.encode()).digest()[:4])
    start = timedelta(minutes=number % (8 * 60))
    return (
        _write(_DAYS[number % 7], start)
        + "-"
        + _write(_DAYS[number % 7], start + timedelta(minutes=_SHORTEST))
    )


def _read(window: str) -> tuple[int, int] | None:
    found = _WINDOW.fullmatch(window.lower())
    if found is None:
        return None
    start, end = (
        _DAYS.index(found[first]) * _DAY + int(found[first + 1]) * 60 + int(found[first + 2])
        for first in (1, 4)
    )
    return start, end


def _write(day: str, time: timedelta) -> str:
    hours, minutes = divmod(int(time.total_seconds()) // 60, 60)
    return f"{day}:{hours:02d}:{minutes:02d}"
