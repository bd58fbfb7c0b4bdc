"""The threads that replicate: one lets time pass on the links, a few carry what has arrived, in order for each object.

They are started by the first bucket that gets rules.
"""

from __future__ import annotations

import logging
import queue
import threading
import zlib
from typing import TYPE_CHECKING

from drdrill.aws.s3.objects import UpstreamFailedError, UpstreamSilentError

if TYPE_CHECKING:
    from drdrill.aws.s3.change import Change
    from drdrill.aws.s3.replicator import Replicator
    from drdrill.core.clock import Clock

_LANES = 4  # two processors: what reads and what writes overlap; more made nothing quicker
_LOOK_EVERY_SECONDS = 0.01  # the resolution of a link's delay
_MEASURE_EVERY_SECONDS = 1.0
_AGAIN_AFTER_SECONDS = 0.5
_MOST_FAILURES = (
    5  # of one change: an upstream that fails at it so often always will, and others wait behind it
)
_log = logging.getLogger("drdrill.aws.s3")


class Movers:
    """Drives a replicator."""

    def __init__(self, replicator: Replicator, clock: Clock) -> None:
        self._replicator = replicator
        self._clock = clock
        self._lanes: list[queue.SimpleQueue[Change]] = [queue.SimpleQueue() for _ in range(_LANES)]

    def start(self) -> None:
        """Wait in the background for the first rules, and replicate from then on."""
        threading.Thread(target=self._move, name="s3-replication", daemon=True).start()

    def _move(self) -> None:
        self._replicator.entered.wait()
        for number, lane in enumerate(self._lanes):
            threading.Thread(target=self._drive, args=(lane,), name=f"s3-lane-{number}", daemon=True).start()
        threading.Thread(target=self._measure, name="s3-metrics", daemon=True).start()
        while True:
            if self._replicator.idle:
                self._replicator.entered.clear()
                if self._replicator.idle:
                    self._replicator.entered.wait()
            for change in self._replicator.take_arrived():
                key = f"{change.source.bucket}/{change.source.key}"
                self._lanes[zlib.crc32(key.encode()) % _LANES].put(change)
            self._clock.sleep(_LOOK_EVERY_SECONDS)

    def _drive(self, lane: queue.SimpleQueue[Change]) -> None:
        while True:
            self._carry(lane.get())

    def _carry(self, change: Change) -> None:
        """Carry a change, as often as it takes: the next one of its object must not overtake it.

        An upstream that is silent is waited for; one that answers that it fails is asked a few times only.
        """
        failures = 0
        while True:
            if self._replicator.may_carry(change):
                try:
                    self._replicator.carry(change)
                except UpstreamSilentError as error:
                    _log.warning("%s is replicated later: %s", change.source, error)
                except UpstreamFailedError as error:
                    failures += 1
                    if failures == _MOST_FAILURES or not error.again:
                        _log.warning("%s cannot be replicated: %s", change.source, error)
                        self._replicator.give_up(change)
                        return
                except Exception:  # noqa: BLE001  (the thread's main: what is wrong with one change must not stop all)
                    _log.exception("%s cannot be replicated", change.source)
                    self._replicator.give_up(change)
                    return
                else:
                    return
            self._clock.sleep(_AGAIN_AFTER_SECONDS)

    def _measure(self) -> None:
        while True:
            self._replicator.measure()
            self._clock.sleep(_MEASURE_EVERY_SECONDS)
