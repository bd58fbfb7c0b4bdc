from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from drdrill.load.schedule import keep_schedule
from drdrill.record.ledger import Client, ClientKind

if TYPE_CHECKING:
    from datetime import datetime

CLIENT = Client("prober-0", 1, ClientKind.PROBER, 0, 1_000_000_000, 40_000_000, 1.0, honours_ttl=True)


class ManualClock:
    """A clock that a test moves; `pause` moves it by what was asked for, and at most by `stride_ns`."""

    def __init__(self, now_ns: int, stride_ns: int = 10**12) -> None:
        self.at_ns = now_ns
        self._stride_ns = stride_ns

    def now_ns(self) -> int:
        """Return the time."""
        return self.at_ns

    def utc(self) -> datetime:
        """Refuse: nobody asks."""
        raise NotImplementedError

    def sleep(self, seconds: float) -> None:
        """Refuse: nobody asks."""
        raise NotImplementedError

    async def pause(self, seconds: float) -> None:
        """Let that much time pass, or less."""
        self.at_ns += min(round(seconds * 1e9), self._stride_ns)


def run(clock: ManualClock, until: int, hang_at: int = -1, hang_ns: int = 0) -> list[tuple[int, int]]:
    """Keep the schedule until request `until`; return (request, time) as they were sent."""
    sent: list[tuple[int, int]] = []

    def send(sequence: int) -> None:
        sent.append((sequence, clock.at_ns))
        if sequence == hang_at:
            clock.at_ns += hang_ns
        if sequence == until:
            raise StopAsyncIteration

    with pytest.raises(StopAsyncIteration):
        asyncio.run(keep_schedule(CLIENT, send, clock=clock, pause=clock.pause))
    return sent


def test_requests_leave_at_their_times() -> None:
    """Request k leaves at start + k periods, whatever time the process began."""
    sent = run(ManualClock(now_ns=900_000_000), until=3)

    assert sent == [(0, 1_000_000_000), (1, 1_040_000_000), (2, 1_080_000_000), (3, 1_120_000_000)]


def test_a_timer_that_wakes_early_sends_nothing_early() -> None:
    """When a pause ends before its time, the request still waits for its moment."""
    sent = run(ManualClock(now_ns=900_000_000, stride_ns=7_000_000), until=2)

    assert [at for _, at in sent] == [1_000_000_000, 1_040_000_000, 1_080_000_000]


def test_no_request_is_left_out_after_a_hang() -> None:
    """What was due while the process hung leaves at once afterwards, and then the old schedule goes on."""
    sent = run(ManualClock(now_ns=1_000_000_000), until=4, hang_at=0, hang_ns=130_000_000)

    late = 1_130_000_000
    assert sent == [(0, 1_000_000_000), (1, late), (2, late), (3, late), (4, 1_160_000_000)]
