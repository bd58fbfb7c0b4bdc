"""What all services have in common: their life, readiness, what every answer says, and errors in words.

`/healthz` says that the process lives, whatever else is lost: a restart would not help. `/readyz` says whether the
database can be read and its schema is the expected one. A read-only database, that of a pilot light, is ready, and says
that it is not writable.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import psycopg
import psycopg_pool
import uvicorn
import valkey.exceptions
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Route

from meqenet.database import Database, UnknownOutcomeError
from meqenet.logs import make_log
from meqenet.password import Password
from meqenet.sessions import Sessions
from meqenet.settings import SettingsError, read_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send
    from structlog.typing import FilteringBoundLogger

    from meqenet.settings import Settings

_MIGRATIONS = Path(__file__).with_name("migrations")
_GRACE_SECONDS = 10


@dataclass(slots=True)
class Place:
    """A running service: what it was told, and what it holds."""

    settings: Settings
    database: Database
    sessions: Sessions
    log: FilteringBoundLogger
    schema: str
    """The migration that its database has to stand at."""
    extra: dict[str, Any] = field(default_factory=dict)


def place_of(request: Request) -> Place:
    """Return the service that a request came to."""
    return cast("Place", request.app.state.place)


def find_newest_migration(database: str) -> str:
    """Return the newest migration of a database that this program knows."""
    return max(file.stem[:4] for file in (_MIGRATIONS / database / "versions").glob("0*.py"))


def make_app(
    settings: Settings,
    routes: Sequence[Route],
    *,
    live: Callable[[Place], contextlib.AbstractAsyncContextManager[None]] | None = None,
) -> ASGIApp:
    """Return a service; `live` is what else it does from its start to its end."""
    log = make_log(service=settings.service, zone=settings.zone, pod=settings.pod)
    place = Place(
        settings=settings,
        database=Database(settings.database, Password(settings.database), service=settings.service),
        sessions=Sessions(settings.cache_host, settings.cache_port),
        log=log,
        schema=find_newest_migration(settings.database.name),
    )

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await place.database.open()
        log.info("started", database=settings.database.host)
        try:
            async with live(place) if live else contextlib.nullcontext():
                yield
        finally:
            await place.sessions.close()
            await place.database.close()
            log.info("stopped")

    app = Starlette(
        routes=[Route("/healthz", _say_alive), Route("/readyz", _say_ready), *routes],
        lifespan=lifespan,
        exception_handlers={
            HTTPException: _refuse,
            psycopg.errors.ReadOnlySqlTransaction: _say(
                "the database is read-only: this region does not serve"
            ),
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


def run(service: str, routes: Sequence[Route], **more: Any) -> int:
    """Run a service until it is told to end; requests in flight are answered first."""
    try:
        settings = read_settings(service, os.environ)
    except SettingsError as error:
        print(f"{service}: {error}", file=sys.stderr)
        return 2
    uvicorn.run(
        make_app(settings, routes, **more), host="0.0.0.0", port=settings.port,  # noqa: S104 (a pod's own address)
        loop="uvloop", http="httptools", access_log=False, log_config=None, server_header=False,
        timeout_keep_alive=75, timeout_graceful_shutdown=_GRACE_SECONDS,
    )  # fmt: skip
    return 0


class _Signed:
    """Signs every answer with service, zone and pod, and logs it."""

    def __init__(self, app: ASGIApp, place: Place) -> None:
        self._app = app
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
                message["headers"] = [*message["headers"], *self._signature]
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


def _say(text: str) -> Callable[[Request, Exception], Any]:
    async def answer(request: Request, error: Exception) -> JSONResponse:
        place_of(request).log.warning("unavailable", path=request.url.path, reason=str(error).strip())
        return JSONResponse({"error": text}, status_code=503)

    return answer
