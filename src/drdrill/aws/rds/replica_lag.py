"""How far a read replica lags behind its source, in seconds: unknown is None, and never zero.

The age of the first state of the source that the replica has not replayed. Both log positions are read ten times a
second, so the lag is known to a tenth of a second, and does not grow while nothing is written.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import deque
from typing import TYPE_CHECKING

from drdrill.core.clock import NANOSECONDS

if TYPE_CHECKING:
    from drdrill.dataplane.postgresql_replication import ReplicationReading

_KEPT = 36_000  # an hour
_STALE_NS = 2 * NANOSECONDS  # a source that has been silent for longer may have written anything


class SourcePositions:
    """What the source has had on its disk, and when: hears its heartbeat. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._host = ""
        self._times: deque[int] = deque(maxlen=_KEPT)
        self._positions: deque[int] = deque(maxlen=_KEPT)

    def hear(self, host: str, at_ns: int, reading: ReplicationReading | None, _error: str | None) -> None:
        """Take a reading of the source's primary; another primary begins another history."""
        if reading is None or reading.flushed is None:
            return
        with self._lock:
            if host != self._host or (self._positions and reading.flushed < self._positions[-1]):
                self._host = host
                self._times.clear()
                self._positions.clear()
            self._times.append(at_ns)
            self._positions.append(reading.flushed)

    def lag_seconds(self, replayed: int, at_ns: int) -> float | None:
        """Return the lag of a replica that had replayed that much at a moment; None when nobody can know it."""
        with self._lock:
            if not self._times or at_ns - self._times[-1] > _STALE_NS:
                return None
            newer = bisect_right(self._positions, replayed)
            if newer == len(self._positions):
                return 0.0
            if newer == 0:
                return None  # it lags longer than anybody has looked
            return max(0, at_ns - self._times[newer - 1]) / NANOSECONDS
