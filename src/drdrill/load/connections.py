"""Where a client's connections come from: a fresh one for every request, or a pool as a service has it."""

from __future__ import annotations

import asyncio
from collections import deque
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
        self._timeout_seconds = timeout_seconds

    async def connect(self) -> Connection:
        """Resolve, connect, log in; raises `ResolutionError`, `OSError`, `WireError`, `ServerError`."""
        address = await self._resolver.resolve(self._name)
        try:
            return await open_connection(
                address,
                self._port,
                self._login,
                self._statement,
                user_timeout_seconds=self._timeout_seconds,
            )
        except (
            BaseException
        ):  # a cancellation is the time-out of a request: just as much a failure to connect
            self._resolver.report_failure(self._name)
            raise


class Connections(Protocol):
    """Lends connections. `take` waits as long as it must: its caller has the time-out."""

    @property
    def idle(self) -> bool:
        """Whether `take` would return at once, and not fail."""
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

    idle = False

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

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
        self._slots = asyncio.Semaphore(size)
        self._idle: deque[Connection] = deque()

    @property
    def idle(self) -> bool:
        """Whether a place is free and the next connection in turn takes a write."""
        return bool(self._idle) and self._idle[0].ready and not self._slots.locked()

    async def fill(self) -> None:
        """Open all connections."""
        await asyncio.gather(*(self._open_idle() for _ in range(self._size)), return_exceptions=True)

    async def take(self) -> Connection:
        """Wait for a free place, then return an idle connection or open one."""
        await self._slots.acquire()
        try:
            while self._idle:
                connection = self._idle.popleft()
                if connection.ready:
                    return connection
            return await self._endpoint.connect()
        except BaseException:
            self._slots.release()
            raise

    def give_back(self, connection: Connection, *, keep: bool) -> None:
        """Keep it for the next request, or drop it."""
        if keep and connection.ready and len(self._idle) < self._size:
            self._idle.append(connection)
        else:
            connection.abort()
        self._slots.release()

    def close(self) -> None:
        """Close all that is idle."""
        while self._idle:
            self._idle.popleft().close()

    async def _open_idle(self) -> None:
        self._idle.append(await self._endpoint.connect())
