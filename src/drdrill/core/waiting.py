"""The one polling loop of the repository."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from drdrill.core.clock import NANOSECONDS, Clock, SystemClock
from drdrill.core.errors import NotObservedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta


Observed = TypeVar("Observed")


def wait_until(
    observe: Callable[[], Observed],
    *,
    what: str,
    within: timedelta,
    every: timedelta,
    clock: Clock | None = None,
) -> Observed:
    """Call `observe` until its reading is true in a boolean context, and return that reading.

    Observes once more after the time is up, so that a late wake-up of this process does not lose a reading.
    Raises `NotObservedError` with the last reading on expiry; errors of `observe` pass through.
    """
    clock = clock or SystemClock()
    deadline = clock.now_ns() + int(within.total_seconds() * NANOSECONDS)
    while True:
        expired = clock.now_ns() >= deadline
        reading = observe()
        if reading:
            return reading
        if expired:
            raise NotObservedError(what, within.total_seconds(), reading)
        clock.sleep(every.total_seconds())
