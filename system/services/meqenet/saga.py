"""The saga of a payment: from accepted to completed or cancelled, by a row of the outbox for each step that is due.

::

    accepted ──reserve──▶ credit reserved ──▶ settled, `completed` ──notify──▶ told
                 └──────▶ refused ──────────▶ reversed, `cancelled` ──notify──▶ told

A step, what follows from it, and its row's end are one transaction that holds the row's lock while the neighbour is
asked. So a service may die anywhere: the lock goes with it, another one asks the same again, and the neighbour, which
takes the same request twice, says the same. A step that fails is due again later, and later each time.
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import psycopg
import psycopg_pool

from meqenet.database import UnknownOutcomeError
from meqenet.ledger import Posting, book
from meqenet.neighbours import NeighbourError

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from meqenet.database import Connection, Database
    from meqenet.neighbours import Neighbours

_IDLE_SECONDS = 0.5  # what another pod accepted is found so late, when that pod dies
_AWAY_SECONDS = 1.0  # between two looks at a database that does not answer, or is read-only
_LONGEST_SECONDS = 30
_NEXT = """
    select outbox.id, outbox.step, outbox.attempts, payments.id, payments.user_id, payments.amount_minor, payments.state
    from outbox join payments on payments.id = outbox.payment_id
    where outbox.due_at <= now()
    order by outbox.due_at limit 1
    for update of outbox skip locked
"""
_LATER = """
    update outbox set attempts = attempts + 1, due_at = now() + %s * interval '1 second' where id = %s
"""


class Saga:
    """Takes one due step after the other; many may do so at the same time."""

    def __init__(self, database: Database, neighbours: Neighbours, log: FilteringBoundLogger) -> None:
        self._database = database
        self._neighbours = neighbours
        self._log = log
        self._awake = asyncio.Event()

    def wake(self) -> None:
        """Look for a step at once."""
        self._awake.set()

    async def run(self) -> None:
        """Take steps until cancelled."""
        while True:
            self._awake.clear()
            try:
                if await self.step():
                    continue
                pause = _IDLE_SECONDS
            except (
                psycopg.Error,
                psycopg_pool.PoolTimeout,
                psycopg_pool.TooManyRequests,
                UnknownOutcomeError,
            ) as error:
                self._log.warning("saga waits", reason=str(error).strip())
                pause = _AWAY_SECONDS
            try:
                async with asyncio.timeout(pause * random.uniform(0.8, 1.2)):  # noqa: S311 (spread, no secret)
                    await self._awake.wait()
            except TimeoutError:
                pass

    async def step(self) -> bool:
        """Take one due step, if there is one; raises the database's errors."""
        async with self._database.transaction() as connection:
            row = await (await connection.execute(_NEXT)).fetchone()
            if row is None:
                return False
            number, step, attempts, payment, user, amount, state = row
            try:
                if step == "reserve":
                    await self._reserve(connection, payment, user, amount)
                else:
                    await self._neighbours.notify(
                        payment, user, f"Your payment of {amount / 100:.2f} ETB is {state}."
                    )
                await connection.execute("delete from outbox where id = %s", (number,))
            except NeighbourError as error:
                wait = min(0.2 * 2 ** min(attempts, 8), _LONGEST_SECONDS) * random.uniform(0.5, 1)  # noqa: S311
                await connection.execute(_LATER, (wait, number))
                self._log.warning(
                    "saga step failed", payment=payment, step=step, attempts=attempts + 1, reason=str(error)
                )
        return True

    async def _reserve(self, connection: Connection, payment: int, user: str, amount: int) -> None:
        reserved = await self._neighbours.reserve(payment, user, amount)
        await book(connection, payment, Posting.SETTLE if reserved else Posting.REVERSE, amount)
        state = "completed" if reserved else "cancelled"
        await connection.execute("update payments set state = %s where id = %s", (state, payment))
        await connection.execute("insert into outbox (payment_id, step) values (%s, 'notify')", (payment,))
