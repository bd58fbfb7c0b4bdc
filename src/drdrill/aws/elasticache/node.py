"""One node of a group as it is now: its machine, its server, and what that says, asked ten times a second.

The questions have a thread of their own, so that a server that hangs stalls only this and is seen by its silence.
"""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

from drdrill.core.clock import NANOSECONDS
from drdrill.core.errors import DrdrillError

if TYPE_CHECKING:
    from drdrill.core.clock import Clock
    from drdrill.dataplane.valkey import ValkeyServer
    from drdrill.dataplane.valkey_replication import ValkeyReading

_log = logging.getLogger(__name__)
_EVERY_SECONDS = 0.1
_STALE_NS = NANOSECONDS  # a reading that ten later ones did not follow says nothing of now
_FIRST_ANSWER_WITHIN = timedelta(seconds=30)  # measured 0.05 to 1 s after its start


class Node:
    """A server in its role; it is watched until `stop`.

    `upstream`: the address of the primary that it is to follow; None: it is to be the primary itself.
    """

    def __init__(self, cluster: str, server: ValkeyServer, clock: Clock, *, upstream: str | None) -> None:
        self.cluster = cluster
        self.server = server
        self.upstream = upstream
        self.synced = upstream is None  # whether it ever had a whole copy of its upstream
        self.writable = False  # whether the last write was accepted: of a primary
        self._clock = clock
        self._stopped = threading.Event()
        self._answered_ns = clock.now_ns()
        self._reading: ValkeyReading | None = None
        threading.Thread(target=self._watch, name=f"watch-{server.host.name}", daemon=True).start()

    def __repr__(self) -> str:
        return f"Node({self.cluster}, {self.server.host.name})"

    @property
    def address(self) -> str:
        """The address of its machine."""
        return self.server.host.address

    @property
    def reading(self) -> ValkeyReading | None:
        """What it said last; None before its first answer."""
        return self._reading

    @property
    def answers(self) -> bool:
        """Whether it answered just now."""
        fresh = self._clock.now_ns() - self._answered_ns < _STALE_NS
        return self._reading is not None and fresh and self.server.host.powered

    @property
    def serves(self) -> bool:
        """Whether it does what it is there for, by what it said last: takes writes, or follows with a whole copy."""
        if self._reading is None:
            return False
        if self.upstream is None:
            return self._reading.primary and self.writable
        return self._reading.follows(self.upstream)

    def is_lost(self, detection: timedelta) -> bool:
        """Tell whether it is lost: silent for longer than that; where that is zero, without power."""
        if not detection:
            return not self.server.host.powered
        patience = detection if self._reading is not None else max(detection, _FIRST_ANSWER_WITHIN)
        if not self.server.host.powered:
            patience = detection
        return self._clock.now_ns() - self._answered_ns > patience.total_seconds() * NANOSECONDS

    def follow(self, address: str) -> None:
        """Follow another primary, which has what this one has; an error is seen by the next looks."""
        self.upstream = address
        try:
            self.server.follow(address)
        except DrdrillError as error:
            _log.warning("%s does not follow %s yet: %s", self, address, error)

    def promote(self) -> None:
        """Make it the primary; raises `DrdrillError` unless it accepts a write as such."""
        self.server.promote()
        self.server.accept_write()
        self.take_role()

    def take_role(self) -> None:
        """Be told that it is the primary by now."""
        self._reading = self.server.read()
        self.upstream, self.synced, self.writable = None, True, True

    def stop(self) -> None:
        """Stop asking. Does not wait for a question under way: a silent server would hold the caller."""
        self._stopped.set()

    def _watch(self) -> None:
        while not self._stopped.wait(_EVERY_SECONDS):
            try:
                reading = self.server.read()
            except DrdrillError:
                continue
            self._reading, self._answered_ns = reading, self._clock.now_ns()
            self.synced = self.synced or (self.upstream is not None and reading.follows(self.upstream))
            if reading.primary:
                self.writable = self._accepts_write()

    def _accepts_write(self) -> bool:
        """Tell whether a primary takes a write; one whose user wants replicas beside it may take none without them."""
        try:
            self.server.accept_write()
        except DrdrillError:
            return False
        return True
