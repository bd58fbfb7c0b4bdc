"""What all services answer alike: whether they live and are ready, who they are, and errors in words.

`/healthz` says that the process lives, whatever else is lost: a restart would not help. `/readyz` says whether the
database can be read and its schema is the expected one. Over a read-only database, that of a pilot light, or in a
region that may not write a service is ready, and says that it is not writable. A service that is to end is not ready,
and closes every connection after its answer.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

import psycopg
import psycopg_pool
import valkey.exceptions
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Route

from meqenet.database import UnknownOutcomeError
from meqenet.lease import NotWriterError
from meqenet.place import place_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from meqenet.place import Place


def make_app(place: Place, routes: Sequence[Route]) -> ASGIApp:
    """Return a service's application: its own routes, and what all of them answer."""

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with place.live():
            yield

    app = Starlette(
        routes=[Route("/healthz", _say_alive), Route("/readyz", _say_ready), *routes],
        lifespan=lifespan,
        exception_handlers={
            HTTPException: _refuse,
            psycopg.errors.ReadOnlySqlTransaction: _say(
                "the database is read-only: this region does not serve"
            ),
            psycopg.errors.TransactionTimeout: _say(
                "it took longer than this region may write; nothing was done"
            ),
            NotWriterError: _say(),
            psycopg.OperationalError: _say("the database did not answer; whether it was done is not known"),
            psycopg_pool.PoolTimeout: _say("the database does not answer"),
            psycopg_pool.TooManyRequests: _say("too many requests wait for the database"),
            UnknownOutcomeError: _say("whether it was done is not known; send the same request again"),
            valkey.exceptions.ValkeyError: _say("the cache does not answer"),
            Exception: _fail,
        },
    )
    app.state.place = place
    return _Signed(app, place)


class _Signed:
    """Signs every answer with service, zone and pod, and logs it."""

    def __init__(self, app: ASGIApp, place: Place) -> None:
        self._app = app
        self._place = place
        self._log = place.log
        settings = place.settings
        signature = {"x-service": settings.service, "x-zone": settings.zone, "x-pod": settings.pod}
        self._signature = [(name.encode(), value.encode("latin-1")) for name, value in signature.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0

        async def sign(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                closing = [(b"connection", b"close")] if self._place.ending else []
                message["headers"] = [*message["headers"], *self._signature, *closing]
            await send(message)

        try:
            await self._app(scope, receive, sign)
        finally:
            if scope["path"] not in ("/healthz", "/readyz"):
                took_ms = round((time.perf_counter() - began) * 1e3, 1)
                self._log.info(
                    "request", method=scope["method"], path=scope["path"], status=status, ms=took_ms
                )


async def _say_alive(request: Request) -> JSONResponse:
    return JSONResponse({"service": place_of(request).settings.service})


async def _say_ready(request: Request) -> JSONResponse:
    place = place_of(request)
    if place.ending:
        return JSONResponse({"error": "ending"}, status_code=503)
    try:
        state = await place.database.read_state()
    except (psycopg.Error, psycopg_pool.PoolTimeout, psycopg_pool.TooManyRequests) as error:
        return JSONResponse({"error": f"the database does not answer: {error}"}, status_code=503)
    if state.schema != place.schema:
        text = f"the schema is at `{state.schema}`, and `{place.schema}` was expected"
        return JSONResponse({"error": text}, status_code=503)
    return JSONResponse({"writable": state.writable})


async def _refuse(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 (as it was registered)
    return JSONResponse({"error": error.detail}, status_code=error.status_code)


async def _fail(request: Request, error: Exception) -> JSONResponse:
    place_of(request).log.error("failed", path=request.url.path, reason=f"{type(error).__name__}: {error}")
    return JSONResponse({"error": "this service failed; its log says why"}, status_code=500)


def _say(text: str = "") -> Callable[[Request, Exception], Any]:
    """Return what answers so; without a text in the error's own words."""

    async def answer(request: Request, error: Exception) -> JSONResponse:
        place_of(request).log.warning("unavailable", path=request.url.path, reason=str(error).strip())
        return JSONResponse({"error": text or str(error)}, status_code=503)

    return answer
