"""A service's connections to its database.

A failover changes what the database's name leads to, and a promotion makes a read-only database writable. So names are
resolved for every new connection, connections are looked at before they are lent, live for half a minute, and one whose
server is gone is known within two seconds.

Here is where a region that may not write does not: a transaction that may write is lent while the region's lease lasts,
is not committed afterwards, and is ended by the server itself when its client sleeps over that.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from meqenet.lease import NotWriterError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from psycopg.errors import Diagnostic

    from meqenet.lease import Lease
    from meqenet.password import Password
    from meqenet.settings import DatabaseSettings

Connection = AsyncConnection[TupleRow]
_LIVES_SECONDS = 30.0
_LENT_WITHIN_SECONDS = 2.0
_BOUND_WITHIN_SECONDS = (
    0.5  # the server counts a lease's rest from so much later on at most, and so much less of it
)
# Milliseconds; whoever asked is gone after a few seconds, and the server should not go on. Then seconds for a session
# that is idle, and milliseconds for what was sent and never acknowledged: one whose client lost its power or region is
# known by its silence within a quarter of a minute. By PostgreSQL's own two hours, a region that is cut off again
# and again leaves sessions behind each time, until the server has no place for anybody.
_LIMITS = (
    "-c statement_timeout=4000 -c lock_timeout=2000 -c idle_in_transaction_session_timeout=10000 "
    "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=3 -c tcp_keepalives_count=3 -c tcp_user_timeout=10000"
)


class UnknownOutcomeError(Exception):
    """A transaction ended, and nobody knows whether it will last: the same request has to be sent again."""


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """Whether a database takes writes of this region, and the migration of its schema; `` before the first."""

    writable: bool
    schema: str


class Database:
    """A pool of connections; it opens without a server, too. `lease`: what writing needs; None: nothing."""

    def __init__(
        self,
        settings: DatabaseSettings,
        password: Password,
        *,
        service: str,
        lease: Lease | None = None,
        size: int = 4,
    ) -> None:
        self._settings = settings
        self._password = password
        self._service = service
        self._lease = lease
        self._doubtful: set[int] = set()
        self._pool = AsyncConnectionPool[Connection](
            kwargs=self._describe,
            min_size=1,
            max_size=size,
            timeout=_LENT_WITHIN_SECONDS,
            max_lifetime=_LIVES_SECONDS,
            max_waiting=64,
            check=AsyncConnectionPool.check_connection,
            configure=self._configure,
            name=service,
            open=False,
        )

    async def _describe(self) -> dict[str, Any]:
        settings = self._settings
        return {
            "host": settings.host, "port": settings.port, "dbname": settings.name, "user": settings.user,
            "password": await self._password.get(), "application_name": self._service,
            "connect_timeout": 2, "tcp_user_timeout": 2000, "options": _LIMITS,
        }  # fmt: skip

    async def _configure(self, connection: Connection) -> None:
        def hear(diagnostic: Diagnostic) -> None:
            # The wait for the standby was cancelled: the server reports success, and only its own disk has the row.
            if diagnostic.source_function == "SyncRepWaitForLSN":
                self._doubtful.add(id(connection))

        connection.add_notice_handler(hear)

    async def open(self) -> None:
        """Begin to connect; returns at once."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.close()

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Lend a connection for one transaction, committed at the end.

        Raises psycopg's errors, `PoolTimeout` when there is no connection in time, `NotWriterError` where this region
        may not write, and `UnknownOutcomeError`. After an `OperationalError` at its end nobody knows what became of it,
        either.
        """
        self._require_lease()
        async with self._pool.connection() as connection:
            self._doubtful.discard(id(connection))
            await connection.set_read_only(None)
            async with connection.transaction():
                await self._bind(connection)
                yield connection
                self._require_lease()
            if id(connection) in self._doubtful:
                await connection.close()
                raise UnknownOutcomeError("no standby has confirmed what was written")
            if self._lease and not self._lease.held:
                raise UnknownOutcomeError("it was written in the last moment in which this region may write")

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        """Lend a connection for one transaction that only reads, lease or none; raises psycopg's and the pool's."""
        async with self._pool.connection() as connection:
            await connection.set_read_only(True)
            async with connection.transaction():
                yield connection

    def _require_lease(self) -> None:
        if self._lease:
            self._lease.require()

    async def _bind(self, connection: Connection) -> None:
        """Have the server end a transaction before the lease does, should this process not be there to look."""
        if not self._lease:
            return
        began, left = self._lease.clock(), self._lease.require() - _BOUND_WITHIN_SECONDS
        if left > 0:
            limit = f"{max(int(left * 1000), 1)}ms"
            await connection.execute("select set_config('transaction_timeout', %s, true)", (limit,))
        if left <= 0 or self._lease.clock() - began > _BOUND_WITHIN_SECONDS:
            raise NotWriterError("this region does not write: its lease to write is about to run out")

    async def read_state(self) -> DatabaseState:
        """Look at the database; raises what `reading` raises."""
        try:
            async with self.reading() as connection:
                looked = await connection.execute(
                    "select not pg_is_in_recovery() and current_setting('default_transaction_read_only') = 'off', "
                    "coalesce((select version_num from alembic_version), '')"
                )
                writable, schema = await looked.fetchone() or (False, "")
        except psycopg.errors.UndefinedTable:  # before the first migration nothing can be written
            return DatabaseState(writable=False, schema="")
        allowed = self._lease is None or self._lease.held
        return DatabaseState(writable=writable and allowed, schema=schema)
