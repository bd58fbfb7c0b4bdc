"""The one polling loop: what it returns, when it gives up, what it says then."""

from __future__ import annotations

from datetime import timedelta

import pytest

from drdrill.core.errors import NotObservedError
from drdrill.core.waiting import wait_until
from tests.faults.fakes import ManualClock

SECOND = timedelta(seconds=1)


def test_it_returns_the_first_true_reading() -> None:
    """The reading that is true in a boolean context is returned as it is, and nothing is observed after it."""
    readings = iter(["", "", "streaming", "never asked"])
    clock = ManualClock()
    begin_ns = clock.ns
    found = wait_until(lambda: next(readings), what="it", within=10 * SECOND, every=SECOND, clock=clock)
    assert found == "streaming"
    assert next(readings) == "never asked"
    assert clock.ns - begin_ns == 2_000_000_000


def test_it_says_the_last_reading() -> None:
    """On expiry the error names what was waited for, for how long, and what was read last."""
    readings = iter(range(0, -10, -1))

    def observe() -> int:
        return 0 * next(readings)

    with pytest.raises(
        NotObservedError, match=r"^a standby was not observed within 1\.5 s; .*was: 0\.$"
    ) as caught:
        wait_until(observe, what="a standby", within=1.5 * SECOND, every=SECOND, clock=ManualClock())
    assert caught.value.last == 0


def test_it_observes_once_more_after_a_late_wake_up() -> None:
    """A reading that came true while this process slept too long is not lost."""
    clock = ManualClock()
    deadline_ns = clock.ns + 1_000_000_000
    found = wait_until(
        lambda: clock.now_ns() > deadline_ns, what="it", within=SECOND, every=5 * SECOND, clock=clock
    )
    assert found


def test_it_observes_once_more_after_a_slow_look() -> None:
    """A look that itself took all the time is not the last one: what it saw was the beginning of that time."""
    clock = ManualClock()
    readings = iter([False, True])

    def observe() -> bool:
        clock.sleep(5)
        return next(readings)

    assert wait_until(observe, what="it", within=SECOND, every=SECOND, clock=clock)


def test_no_time_at_all_is_one_look() -> None:
    """Without any time it looks once, and does not sleep."""
    looks: list[int] = []
    clock = ManualClock()
    begin_ns = clock.ns
    with pytest.raises(NotObservedError):
        wait_until(lambda: looks.append(1), what="it", within=0 * SECOND, every=SECOND, clock=clock)
    assert (len(looks), clock.ns) == (1, begin_ns)


def test_errors_pass_through() -> None:
    """What `observe` raises is the caller's, unchanged."""

    def observe() -> bool:
        raise ConnectionRefusedError("nobody there")

    with pytest.raises(ConnectionRefusedError, match="nobody there"):
        wait_until(observe, what="it", within=SECOND, every=SECOND, clock=ManualClock())
