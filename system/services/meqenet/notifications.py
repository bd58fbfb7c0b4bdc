"""Notifications: what users are told about their payments, each of it once."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from meqenet.bodies import read_id, read_object, read_text
from meqenet.place import place_of
from meqenet.serving import run

if TYPE_CHECKING:
    from starlette.requests import Request

_INSERT = """
    insert into notifications.messages (payment_id, user_id, text) values (%s, %s, %s)
    on conflict (payment_id) do nothing
"""
_NEWEST = """
    select payment_id, text, told_at from notifications.messages where user_id = %s order by told_at desc limit 20
"""


async def tell(request: Request) -> Response:
    """Take a message of a payment; a second one of the same payment is not told."""
    place, said = place_of(request), await read_object(request)
    payment = read_id(request.path_params["payment"], "the payment's id")
    async with place.database.transaction() as connection:
        await connection.execute(_INSERT, (payment, read_text(said, "user"), read_text(said, "text")))
    return JSONResponse({"payment": payment})


async def read_mine(request: Request) -> Response:
    """Return the newest messages of whoever asks."""
    place = place_of(request)
    user = await place.sessions.require_user(request)
    async with place.database.reading() as connection:
        rows = await (await connection.execute(_NEWEST, (user,))).fetchall()
    return JSONResponse(
        {
            "notifications": [
                {"payment": payment, "text": text, "told_at": at.isoformat()} for payment, text, at in rows
            ]
        }
    )


ROUTES = (
    Route("/notifications", read_mine),
    Route("/internal/notifications/{payment}", tell, methods=["PUT"]),
)

if __name__ == "__main__":
    sys.exit(run("notifications", ROUTES))
