"""The saga under a random walk: neighbours that fail before or after they did it, a service that dies in between."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meqenet.database import Database
from meqenet.ledger import Posting, book
from meqenet.logs import Log
from meqenet.neighbours import NeighbourError
from meqenet.password import Password
from meqenet.saga import Saga, Step, enqueue
from meqenet.settings import read_database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from tests.system.services.conftest import Company

_ids = itertools.count(1 << 50)
_PAY = """
    insert into payments (id, user_id, merchant, amount_minor, currency) values (%s, 'user-0001', 'shop', %s, 'ETB')
"""
_SUMS = """
    select payment_id, account, sum(amount_minor)::bigint from ledger_entries where payment_id = any(%s) group by 1, 2
"""
_WRONG = ("", "fails before", "fails after", "dies before", "dies after")


class _KilledError(BaseException):
    """The service dies: nothing of ours catches it."""


class _Neighbours:
    """Users and notifications: what each was asked to keep, and what goes wrong at the next call."""

    def __init__(self) -> None:
        self.reserved: dict[int, int] = {}
        self.told: set[int] = set()
        self.wrong = ""

    def _may(self, when: str) -> None:
        if self.wrong == f"fails {when}":
            raise NeighbourError(when)
        if self.wrong == f"dies {when}":
            raise _KilledError

    async def reserve(self, payment: int, user: str, amount_minor: int) -> bool:
        """Reserve even amounts; odd ones are refused."""
        del user
        self._may("before")
        if amount_minor % 2 == 0:
            self.reserved[payment] = amount_minor
        self._may("after")
        return payment in self.reserved

    async def notify(self, payment: int, user: str, text: str) -> None:
        """Take note that a user was told."""
        del user, text
        self._may("before")
        self.told.add(payment)
        self._may("after")


@pytest.fixture(autouse=True, scope="module")
def _alone(ready: Company) -> Iterator[None]:
    """Have no service take these steps beside the tests."""
    ready.end("payments")
    yield
    ready.start("payments")
    ready.await_status("payments", "/readyz", 200)


@asynccontextmanager
async def _open(company: Company) -> AsyncIterator[Database]:
    told = read_database(company.variables_of("payments"))
    database = Database(told, Password(told), service="walk")
    await database.open()
    try:
        yield database
    finally:
        await database.close()


async def _pay(database: Database, amount: int) -> int:
    payment = next(_ids)
    async with database.transaction() as connection:
        await connection.execute(_PAY, (payment, amount))
        await book(connection, payment, Posting.ACCEPT, amount)
        await enqueue(connection, payment, Step.RESERVE)
    return payment


async def _take(saga: Saga, step: Step, database: Database) -> bool:
    async with database.transaction() as connection:  # time passes
        await connection.execute("update outbox set due_at = now()")
    try:
        return await saga.take(step)
    except _KilledError:
        return True


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    amounts=st.lists(st.integers(1, 1000), min_size=1, max_size=3),
    walk=st.lists(st.tuples(st.sampled_from(list(Step)), st.sampled_from(_WRONG)), max_size=12),
)
def test_any_walk_ends_well(ready: Company, amounts: list[int], walk: list[tuple[Step, str]]) -> None:
    """Whatever fails or dies wherever, every payment ends once, its books balance, and neighbours agree with it."""
    asyncio.run(_walk(ready, amounts, walk))


async def _walk(company: Company, amounts: Sequence[int], walk: Sequence[tuple[Step, str]]) -> None:
    neighbours = _Neighbours()
    async with _open(company) as database:
        saga = Saga(database, neighbours, Log())  # type: ignore[arg-type]  # has the two calls of the class
        paid = {await _pay(database, amount): amount for amount in amounts}
        for step, wrong in walk:
            neighbours.wrong = wrong
            await _take(saga, step, database)
        neighbours.wrong = ""
        for step in Step:
            while await _take(saga, step, database):
                pass
        await _check(database, neighbours, paid)


async def _check(database: Database, neighbours: _Neighbours, paid: dict[int, int]) -> None:
    async with database.transaction() as connection:
        asked = await connection.execute("select id, state from payments where id = any(%s)", (list(paid),))
        states = dict(await asked.fetchall())
        asked = await connection.execute(_SUMS, (list(paid),))
        sums = {(payment, account): total for payment, account, total in await asked.fetchall()}
        assert await (await connection.execute("select count(*) from outbox")).fetchone() == (0,)
    for payment, amount in paid.items():
        moved = amount if amount % 2 == 0 else 0
        assert states[payment] == ("completed" if moved else "cancelled")
        assert sums[payment, "customer"] == -moved
        assert sums[payment, "clearing"] == 0
        assert sums.get((payment, "merchant"), 0) == moved
        assert neighbours.reserved.get(payment, 0) == moved
        assert payment in neighbours.told


def test_a_step_that_cannot_be_done_holds_up_no_other(ready: Company) -> None:
    """A step that the database refuses is put off like any other that fails, and the next one is taken."""
    asyncio.run(_put_off(ready))


async def _put_off(company: Company) -> None:
    async with _open(company) as database:
        saga = Saga(database, _Neighbours(), Log())  # type: ignore[arg-type]  # has the two calls of the class
        bad, good = await _pay(database, 2), await _pay(database, 2)
        async with database.transaction() as connection:
            await book(connection, bad, Posting.SETTLE, 2)  # there already: its step cannot book it again
        assert await saga.take(Step.RESERVE)
        assert await saga.take(Step.RESERVE)
        async with database.transaction() as connection:
            asked = await connection.execute("select payment_id, attempts from outbox where step = 'reserve'")
            assert await asked.fetchall() == [(bad, 1)]
            asked = await connection.execute("select state from payments where id = %s", (good,))
            assert await asked.fetchone() == ("completed",)
            await connection.execute("delete from outbox")
