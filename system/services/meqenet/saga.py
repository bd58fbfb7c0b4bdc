"""The saga of a payment: from accepted to completed or cancelled, by a row of the outbox for each step that is due.

::

    accepted ──reserve──▶ credit reserved ──▶ settled, `completed` ──notify──▶ told
                 └──────▶ refused ──────────▶ reversed, `cancelled` ──notify──▶ told

A step, what follows from it, and its row's end are one transaction that holds the row's lock while the neighbour is
asked. So a service may die anywhere: the lock goes with it, another one asks the same again, and the neighbour, which
takes the same request twice, says the same. A step that fails leaves nothing, and is due again later, and later each
time. Each kind of step has a worker of its own: notifications that hang hold up no reservation.
"""

from __future__ import annotations

import asyncio
import random
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import psycopg
import psycopg_pool

from meqenet.database import UnknownOutcomeError
from meqenet.lease import NotWriterError
from meqenet.ledger import Posting, book
from meqenet.neighbours import NeighbourError

if TYPE_CHECKING:
    from meqenet.database import Connection, Database
    from meqenet.logs import Log
    from meqenet.neighbours import Neighbours

_IDLE_SECONDS = 2.0  # so late are found what a pod that died accepted, and a step that failed
_AWAY_SECONDS = 1.0  # between two looks at a database that does not answer, or is not to be written
_LONGEST_SECONDS = 30
_NEXT = """
    select outbox.id, outbox.attempts, payments.id, payments.user_id, payments.amount_minor, payments.state
    from outbox join payments on payments.id = outbox.payment_id
    where outbox.step = %s and outbox.due_at <= now()
    order by outbox.due_at limit 1
    for update of outbox skip locked
"""
_LATER = """
    update outbox set attempts = attempts + 1, due_at = now() + %s * interval '1 second' where id = %s
"""


class Step(StrEnum):
    """What is to be done for a payment."""

    RESERVE = "reserve"
    NOTIFY = "notify"


class Payment(NamedTuple):
    """A payment as its steps see it."""

    id: int
    user: str
    amount_minor: int
    state: str


async def enqueue(connection: Connection, payment: int, step: Step) -> None:
    """Have a step be due once this transaction is committed."""
    await connection.execute("insert into outbox (payment_id, step) values (%s, %s)", (payment, step))


class Saga:
    """Takes one due step after the other; many may do so at the same time."""

    def __init__(self, database: Database, neighbours: Neighbours, log: Log) -> None:
        self._database = database
        self._neighbours = neighbours
        self._log = log
        self._awake = {step: asyncio.Event() for step in Step}

    def wake(self, step: Step) -> None:
        """Look for a step of that kind at once."""
        self._awake[step].set()

    async def run(self, step: Step) -> None:
        """Take steps of one kind until cancelled."""
        awake = self._awake[step]
        while True:
            awake.clear()
            try:
                if await self.take(step):
                    continue
                pause = _IDLE_SECONDS
            except (
                psycopg.Error,
                psycopg_pool.PoolTimeout,
                psycopg_pool.TooManyRequests,
                UnknownOutcomeError,
                NotWriterError,
            ) as error:
                self._log.warning("saga waits", step=step, reason=str(error).strip())
                pause = _AWAY_SECONDS
            try:
                async with asyncio.timeout(pause * random.uniform(0.8, 1.2)):  # noqa: S311 (spread, no secret)
                    await awake.wait()
            except TimeoutError:
                pass

    async def take(self, step: Step) -> bool:
        """Take one due step of a kind, if there is one; raises the database's errors when it does not answer."""
        async with self._database.transaction() as connection:
            row = await (await connection.execute(_NEXT, (step,))).fetchone()
            if row is None:
                return False
            number, attempts, *payment = row
            try:
                async with connection.transaction():  # a savepoint
                    await self._do(connection, step, Payment(*payment))
                    await connection.execute("delete from outbox where id = %s", (number,))
            except psycopg.OperationalError:
                raise
            except (NeighbourError, psycopg.Error) as error:
                wait = min(0.2 * 2 ** min(attempts, 8), _LONGEST_SECONDS) * random.uniform(0.5, 1)  # noqa: S311
                await connection.execute(_LATER, (wait, number))
                self._log.warning(
                    "saga step failed",
                    payment=payment[0],
                    step=step,
                    attempts=attempts + 1,
                    reason=str(error),
                )
                return True
        if step is Step.RESERVE:
            self.wake(Step.NOTIFY)
        return True

    async def _do(self, connection: Connection, step: Step, payment: Payment) -> None:
        amount = payment.amount_minor
        if step is Step.NOTIFY:
            text = f"Your payment of {amount / 100:.2f} ETB is {payment.state}."
            await self._neighbours.notify(payment.id, payment.user, text)
            return
        reserved = await self._neighbours.reserve(payment.id, payment.user, amount)
        await book(connection, payment.id, Posting.SETTLE if reserved else Posting.REVERSE, amount)
        state = "completed" if reserved else "cancelled"
        await connection.execute("update payments set state = %s where id = %s", (state, payment.id))
        await enqueue(connection, payment.id, Step.NOTIFY)
