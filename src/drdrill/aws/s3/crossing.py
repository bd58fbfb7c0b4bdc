"""The way of changes from one region to another: how long each is under way, and what is lost with the source.

::

    enter ─▶ waiting ──(its bytes leave at the link's rate)──▶ under way ──(delay)──▶ arrived, in the order of entering
                ▲                                                  │
                └───────────── the source is dark: lost ───────────┘

A pure model: time is told to it, and the link's condition with it. A cut holds what is under way and lets it on after;
a source that goes dark loses it, and sends it anew when it is back.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drdrill.core.clock import NANOSECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drdrill.aws.s3.change import Change
    from drdrill.dataplane.link import LinkCondition


@dataclass(slots=True)
class _Waiting:
    change: Change
    entered_ns: int
    left_bytes: float


class Crossing:
    """One direction between two regions. Not thread-safe."""

    def __init__(self) -> None:
        self._waiting: deque[_Waiting] = deque()
        self._under_way: deque[tuple[int, Change]] = deque()  # when the last byte of each left
        self._free_ns = 0

    def __len__(self) -> int:
        return len(self._waiting) + len(self._under_way)

    def __iter__(self) -> Iterator[Change]:
        yield from (change for _, change in self._under_way)
        yield from (one.change for one in self._waiting)

    def enter(self, change: Change, now_ns: int) -> None:
        """Put a change on its way."""
        self._waiting.append(_Waiting(change, now_ns, change.size_bytes))

    def take_arrived(self, now_ns: int, condition: LinkCondition, *, dark: bool) -> list[Change]:
        """Let time pass until now, under a condition that held since the last call; return what has arrived."""
        if dark:
            self._lose(now_ns)
            return []
        if condition.cut:
            self._free_ns = now_ns
            return []
        self._send(now_ns, condition.bytes_per_second)
        delay_ns = int(condition.delay_seconds * NANOSECONDS)
        arrived = []
        while self._under_way and self._under_way[0][0] + delay_ns <= now_ns:
            arrived.append(self._under_way.popleft()[1])
        return arrived

    def _send(self, now_ns: int, rate: int | None) -> None:
        while self._waiting:
            first = self._waiting[0]
            start_ns = max(self._free_ns, first.entered_ns)
            end_ns = start_ns + (int(first.left_bytes / rate * NANOSECONDS) if rate else 0)
            if end_ns > now_ns:
                first.left_bytes -= max(0, now_ns - start_ns) / NANOSECONDS * (rate or 0)
                self._free_ns = max(self._free_ns, now_ns)
                return
            self._free_ns = end_ns
            self._waiting.popleft()
            self._under_way.append((end_ns, first.change))

    def _lose(self, now_ns: int) -> None:
        self._free_ns = now_ns
        while self._under_way:
            change = self._under_way.pop()[1]
            self._waiting.appendleft(_Waiting(change, now_ns, change.size_bytes))
        for one in self._waiting:
            one.entered_ns, one.left_bytes = now_ns, one.change.size_bytes
