"""Auth: who has the password gets a session."""

from __future__ import annotations

import hashlib
import hmac
import sys
from typing import TYPE_CHECKING

from anyio.to_thread import run_sync
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from meqenet.bodies import read_object, read_text
from meqenet.place import place_of
from meqenet.serving import run
from meqenet.sessions import read_token

if TYPE_CHECKING:
    from starlette.requests import Request

# Real and cheap: 1 MB and about 2 ms a log-in. Production's cost would be the load of a mirror on two cores.
_COST = {"n": 1 << 10, "r": 8, "p": 1}
_NOBODY = b"\0" * 16


def hash_password(password: str, salt: bytes) -> bytes:
    """Derive what is stored of a password (scrypt, RFC 7914)."""
    return hashlib.scrypt(password.encode(), salt=salt, dklen=32, **_COST)


async def log_in(request: Request) -> Response:
    """Begin a session."""
    place, said = place_of(request), await read_object(request)
    user, password = read_text(said, "user"), read_text(said, "password")
    async with place.database.reading() as connection:
        query = "select salt, hash from auth.credentials where user_id = %s"
        row = await (await connection.execute(query, (user,))).fetchone()
    salt, stored = row or (_NOBODY, b"")
    derived = await run_sync(hash_password, password, bytes(salt))  # for nobody, too: the time must not tell
    if not hmac.compare_digest(derived, bytes(stored)):
        raise HTTPException(401, "no such user, or another password")
    return JSONResponse({"token": await place.sessions.begin(user)})


async def log_out(request: Request) -> Response:
    """End a session; harmless when there is none."""
    await place_of(request).sessions.end(read_token(request))
    return Response(status_code=204)


ROUTES = (
    Route("/auth/login", log_in, methods=["POST"]),
    Route("/auth/logout", log_out, methods=["POST"]),
)

if __name__ == "__main__":
    sys.exit(run("auth", ROUTES))
