"""The health check of a primary or a read replica: asks ten times a second, and remembers when it answered.

In its own thread, so that a server that hangs stalls only this and is seen by its silence.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import psycopg

from drdrill.dataplane.postgresql_replication import ReplicationReading, read_replication

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.core.clock import Clock
    from drdrill.dataplane.postgresql import PostgresServer

_EVERY_SECONDS = 0.1


class Heartbeat:
    """Watches one server until `stop`; `listener` hears every reading and every failure.

    Only what it should be is an answer: a primary that is not in recovery, or a `replica` that is.
    """

    def __init__(
        self,
        server: PostgresServer,
        clock: Clock,
        listener: Callable[[str, int, ReplicationReading | None, str | None], None],
        *,
        replica: bool = False,
    ) -> None:
        self._server = server
        self._replica = replica
        self._clock = clock
        self._listener = listener
        self._stopped = threading.Event()
        self._last: tuple[int, ReplicationReading | None] = (clock.now_ns(), None)
        self._thread = threading.Thread(target=self._watch, name=f"heartbeat-{server.host.name}", daemon=True)
        self._thread.start()

    def silence_ns(self) -> int:
        """Return for how long the server has not answered."""
        return self._clock.now_ns() - self._last[0]

    def last_reading(self) -> ReplicationReading | None:
        """Return the last answer; None before the first."""
        return self._last[1]

    def stop(self) -> None:
        """Stop asking. Does not wait for a question under way: a silent server would hold the caller."""
        self._stopped.set()

    def _watch(self) -> None:
        connection: psycopg.Connection | None = None
        while not self._stopped.wait(_EVERY_SECONDS):
            asked_ns = self._clock.now_ns()
            try:
                connection = connection or self._server.connect()
                reading = read_replication(connection)
            except psycopg.Error as error:
                if connection is not None:
                    connection.close()
                connection = None
                self._hear(
                    asked_ns, None, str(error).strip().splitlines()[0] if str(error).strip() else "no answer"
                )
                continue
            if (reading.following is not None) == self._replica:
                self._last = (self._clock.now_ns(), reading)
            self._hear(asked_ns, reading, None)
        if connection is not None:
            connection.close()

    def _hear(self, at_ns: int, reading: ReplicationReading | None, error: str | None) -> None:
        if not self._stopped.is_set():
            self._listener(self._server.host.name, at_ns, reading, error)
