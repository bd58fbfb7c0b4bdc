"""Where a client's connections come from: a fresh one for every request, or a pool as a service has it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from drdrill.load.wire import Connection, Login, open_connection

if TYPE_CHECKING:
    from drdrill.load.resolver import Resolver


class Endpoint:
    """The name that users know, and everything that it takes to get a connection behind it."""

    def __init__(
        self,
        name: str,
        port: int,
        *,
        resolver: Resolver,
        login: Login,
        statement: str,
        timeout_seconds: float,
    ) -> None:
        self._name = name
        self._port = port
        self._resolver = resolver
        self._login = login
        self._statement = statement
        self.timeout_seconds = timeout_seconds

    async def connect(self) -> Connection:
        """Resolve, connect, log in; raises `ResolutionError`, `OSError`, `WireError`, `ServerError`."""
        address = await self._resolver.resolve(self._name)
        try:
            return await open_connection(
                address,
                self._port,
                self._login,
                self._statement,
                user_timeout_seconds=self.timeout_seconds,
            )
        except (
            BaseException
        ):  # a cancellation is the time-out of a request: just as much a failure to connect
            self._resolver.report_failure(self._name)
            raise


class Connections(Protocol):
    """Lends connections. `take` waits as long as it must: its caller has the time-out."""

    def take_idle(self) -> Connection | None:
        """Return a connection that takes a write, if there is one at once."""
        ...

    async def fill(self) -> None:
        """Get ready before the first request; failures do not matter yet."""
        ...

    async def take(self) -> Connection:
        """Return a connection that takes a write; raises what `Endpoint.connect` raises."""
        ...

    def give_back(self, connection: Connection, *, keep: bool) -> None:
        """Take a connection back; `keep` tells whether it may serve again."""
        ...

    def close(self) -> None:
        """Close all that is idle."""
        ...


class FreshConnections:
    """A new connection for every request."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def take_idle(self) -> None:
        """Have none."""

    async def fill(self) -> None:
        """Do nothing: connecting is part of each request."""

    async def take(self) -> Connection:
        """Connect."""
        return await self._endpoint.connect()

    def give_back(self, connection: Connection, *, keep: bool) -> None:
        """Close it."""
        if keep:
            connection.close()
        else:
            connection.abort()

    def close(self) -> None:
        """Do nothing: none is ever idle."""


class ConnectionPool:
    """At most `size` connections in use, taken in turn; a broken one is replaced by whoever needs it next."""

    def __init__(self, endpoint: Endpoint, size: int) -> None:
        self._endpoint = endpoint
        self._size = size
        # The places that are free, each with the connection that was given back to it. A queue and no semaphore:
        # taking from it needs no coroutine, which would cost a tenth of a write.
        self._free: asyncio.Queue[Connection | None] = asyncio.Queue()
        for _ in range(size):
            self._free.put_nowait(None)

    async def fill(self) -> None:
        """Open all connections."""
        await asyncio.gather(*(self._open_idle() for _ in range(self._size)), return_exceptions=True)

    def take_idle(self) -> Connection | None:
        """Return the next connection in turn, if a place is free and it takes a write."""
        if self._free.empty():
            return None
        connection = self._free.get_nowait()
        if connection is not None and connection.ready:
            return connection
        self._free.put_nowait(None)  # for `take`, which opens one
        return None

    async def take(self) -> Connection:
        """Wait for a free place, then return its connection or open one."""
        connection = await self._free.get()
        if connection is not None and connection.ready:
            return connection
        try:
            return await self._endpoint.connect()
        except BaseException:
            self._free.put_nowait(None)
            raise

    def give_back(self, connection: Connection, *, keep: bool) -> None:
        """Keep it for the next request, or drop it."""
        if keep and connection.ready:
            self._free.put_nowait(connection)
        else:
            connection.abort()
            self._free.put_nowait(None)

    def close(self) -> None:
        """Close all that is idle."""
        for _ in range(self._free.qsize()):
            if connection := self._free.get_nowait():
                connection.close()
            self._free.put_nowait(None)

    async def _open_idle(self) -> None:
        async with asyncio.timeout(self._endpoint.timeout_seconds):  # a dead server must not hold all places
            self.give_back(await self.take(), keep=True)
