"""The services that payments asks, over HTTP in the cluster. Both take a request again without doing it twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import aiohttp

if TYPE_CHECKING:
    from types import TracebackType

# A neighbour that hangs holds one outbox row, and nobody who pays.
_LIMITS = aiohttp.ClientTimeout(total=2, connect=1)


class NeighbourError(Exception):
    """A neighbour did not answer, or not as agreed: it has to be asked again."""


class Neighbours:
    """Asks users and notifications; a context manager."""

    def __init__(self, users_url: str, notifications_url: str) -> None:
        self._users_url = users_url
        self._notifications_url = notifications_url
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=_LIMITS)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._session:
            await self._session.close()

    async def reserve(self, payment: int, user: str, amount_minor: int) -> bool:
        """Ask for credit: True when it is reserved, False when it is refused. Raises `NeighbourError`."""
        said = await self._put(
            f"{self._users_url}/internal/reservations/{payment}", {"user": user, "amount_minor": amount_minor}
        )
        state = said.get("state")
        if state not in ("reserved", "refused"):
            raise NeighbourError(f"users said {said}")
        return bool(state == "reserved")

    async def notify(self, payment: int, user: str, text: str) -> None:
        """Have a user told. Raises `NeighbourError`."""
        await self._put(
            f"{self._notifications_url}/internal/notifications/{payment}", {"user": user, "text": text}
        )

    async def _put(self, url: str, body: dict[str, Any]) -> dict[str, Any]:
        assert self._session is not None  # noqa: S101 (entered)
        try:
            async with self._session.put(url, json=body) as answer:
                if answer.status != 200:  # noqa: PLR2004
                    raise NeighbourError(f"{url}: {answer.status} {(await answer.text())[:200]}")
                said = await answer.json()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise NeighbourError(f"{url}: {type(error).__name__} {error}") from error
        if not isinstance(said, dict):
            raise NeighbourError(f"{url}: a JSON object was expected, and {said!r} came")
        return said
