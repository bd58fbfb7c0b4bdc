"""Users: profiles, and how much credit each has left. A payment reserves credit here, once, however often it asks."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from psycopg.errors import ForeignKeyViolation
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from meqenet.bodies import read_amount, read_id, read_object, read_text
from meqenet.place import place_of
from meqenet.serving import run

if TYPE_CHECKING:
    from starlette.requests import Request

    from meqenet.database import Connection

_PROFILE = "select name, credit_limit_minor, reserved_minor from users.accounts where user_id = %s"
_RESERVE = """
    insert into users.reservations (payment_id, user_id, amount_minor) values (%s, %s, %s)
    on conflict (payment_id) do nothing
"""
_TAKE = """
    update users.accounts set reserved_minor = reserved_minor + %(amount)s
    where user_id = %(user)s and reserved_minor + %(amount)s <= credit_limit_minor
"""


class _RefusedError(Exception):
    """Not enough credit is left: nothing of the reservation stays."""


async def read_me(request: Request) -> Response:
    """Return the profile of whoever asks."""
    place = place_of(request)
    user = await place.sessions.require_user(request)
    async with place.database.reading() as connection:
        row = await (await connection.execute(_PROFILE, (user,))).fetchone()
    if row is None:
        raise HTTPException(404, f"there is no user `{user}`")
    name, limit, reserved = row
    return JSONResponse({"user": user, "name": name, "credit_limit_minor": limit, "reserved_minor": reserved})


async def reserve(request: Request) -> Response:
    """Reserve credit for a payment. Asked again, it says again that it is reserved, and reserves nothing more."""
    place, said = place_of(request), await read_object(request)
    payment = read_id(request.path_params["payment"], "the payment's id")
    user, amount = read_text(said, "user"), read_amount(said)
    try:
        async with place.database.transaction() as connection:
            made = await connection.execute(_RESERVE, (payment, user, amount))
            if made.rowcount:
                await _take(connection, user, amount)
    except (_RefusedError, ForeignKeyViolation):
        return JSONResponse({"state": "refused"})
    return JSONResponse({"state": "reserved"})


async def _take(connection: Connection, user: str, amount: int) -> None:
    if not (await connection.execute(_TAKE, {"user": user, "amount": amount})).rowcount:
        raise _RefusedError


ROUTES = (
    Route("/users/me", read_me),
    Route("/internal/reservations/{payment}", reserve, methods=["PUT"]),
)

if __name__ == "__main__":
    sys.exit(run("users", ROUTES))
