"""Payments: accepted once for each idempotency key, booked in double entry, brought to their end by a saga."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

import anyio
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from meqenet.bodies import read_amount, read_id, read_object, read_text
from meqenet.ledger import Posting, book
from meqenet.neighbours import Neighbours
from meqenet.place import Place, own_place_of
from meqenet.saga import Saga, Step, enqueue
from meqenet.serving import run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from meqenet.settings import Settings

_INSERT = """
    insert into payments (id, user_id, merchant, amount_minor, currency) values (%s, %s, %s, %s, 'ETB')
    on conflict (id) do nothing
"""
_FIND = "select user_id, merchant, amount_minor, state from payments where id = %s"
# Locked, so that a repetition commits something, too, and waits for the standby: the first answer may have been that
# nobody knows, of a row that only the primary's own disk has.
_FIND_TO_CONFIRM = f"{_FIND} for update"


class PaymentsPlace(Place):
    """Payments also asks its neighbours, and brings payments to their end for as long as it lives."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.neighbours = Neighbours(settings.users_url, settings.notifications_url)
        self.saga = Saga(self.database, self.neighbours, self.log)

    @contextlib.asynccontextmanager
    async def live(self) -> AsyncIterator[None]:
        """Take the steps of sagas that are due, until the end."""
        async with super().live(), self.neighbours, anyio.create_task_group() as group:
            for step in Step:
                group.start_soon(self.saga.run, step)
            yield
            group.cancel_scope.cancel()


async def pay(request: Request) -> Response:
    """Accept a payment: 201 once it is committed; the same key again gives the same payment, and nothing twice."""
    place = own_place_of(request, PaymentsPlace)
    user = await place.sessions.require_user(request)
    key = read_id(request.headers.get("idempotency-key", ""), "the header Idempotency-Key")
    said = await read_object(request)
    amount, merchant = read_amount(said), read_text(said, "merchant")
    async with place.database.transaction() as connection:
        made = await connection.execute(_INSERT, (key, user, merchant, amount))
        if made.rowcount:
            await book(connection, key, Posting.ACCEPT, amount)
            await enqueue(connection, key, Step.RESERVE)
        row = await (await connection.execute(_FIND_TO_CONFIRM, (key,))).fetchone()
    assert row is not None  # noqa: S101 (it was made, or was there)
    if row[:3] != (user, merchant, amount):
        raise HTTPException(422, "this Idempotency-Key belongs to another payment")
    place.saga.wake(Step.RESERVE)
    return JSONResponse({"payment": key, "state": row[3]}, status_code=201 if made.rowcount else 200)


async def read_payment(request: Request) -> Response:
    """Return a payment of whoever asks."""
    place = own_place_of(request, PaymentsPlace)
    user = await place.sessions.require_user(request)
    payment = read_id(request.path_params["payment"], "the payment's id")
    async with place.database.reading() as connection:
        row = await (await connection.execute(_FIND, (payment,))).fetchone()
    if row is None or row[0] != user:
        raise HTTPException(404, f"there is no payment {payment}")
    return JSONResponse({"payment": payment, "merchant": row[1], "amount_minor": row[2], "state": row[3]})


ROUTES = (
    Route("/payments", pay, methods=["POST"]),
    Route("/payments/{payment}", read_payment),
)

if __name__ == "__main__":
    sys.exit(run("payments", ROUTES, PaymentsPlace))
