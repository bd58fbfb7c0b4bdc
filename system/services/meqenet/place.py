"""A running service: what it was told, what it holds, and what it does from its start to its end.

A service that holds more than a database and sessions has a place of its own, made of this one.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import anyio

from meqenet.database import Database
from meqenet.fetching import Fetcher
from meqenet.lease import Lease
from meqenet.logs import Log
from meqenet.password import Password
from meqenet.sessions import Sessions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from meqenet.settings import Settings

_MIGRATIONS = Path(__file__).with_name("migrations")


class Place:
    """What every service holds. `schema`: the migration that its database has to stand at.

    `ending`: it was asked to end. It goes on answering for a while, and wants no new requests.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.log = Log(service=settings.service, zone=settings.zone, pod=settings.pod)
        self._fetcher = Fetcher(os.environ.get("AWS_CA_BUNDLE"))
        self.lease = (
            Lease(settings.lease, settings.region, self.log, get=self._fetcher.get)
            if settings.lease
            else None
        )
        self.database = Database(
            settings.database, Password(settings.database), service=settings.service, lease=self.lease
        )
        self.sessions = Sessions(settings.cache_host, settings.cache_port)
        self.schema = find_newest_migration(settings.database.name)
        self.ending = False

    @contextlib.asynccontextmanager
    async def live(self) -> AsyncIterator[None]:
        """Hold the connections and the lease from start to end; services that do more add it to this."""
        await self.database.open()
        self.log.info("started", database=self.settings.database.host)
        try:
            async with anyio.create_task_group() as group:
                if self.lease:
                    await (
                        self.lease.ask()
                    )  # before the first request: what it may is known then, or that it is not
                    group.start_soon(self.lease.keep)
                yield
                group.cancel_scope.cancel()
        finally:
            self._fetcher.close()
            await self.sessions.close()
            await self.database.close()
            self.log.info("stopped")


Own = TypeVar("Own", bound=Place)


def place_of(request: Request) -> Place:
    """Return the service that a request came to."""
    return own_place_of(request, Place)


def own_place_of(request: Request, kind: type[Own]) -> Own:
    """Return the service that a request came to, with what only its kind holds."""
    place = request.app.state.place
    assert isinstance(place, kind)  # noqa: S101 (routes and place are given to one service together)
    return place


def find_newest_migration(database: str) -> str:
    """Return the newest migration of a database that this program knows."""
    return max(file.stem[:4] for file in (_MIGRATIONS / database / "versions").glob("0*.py"))
