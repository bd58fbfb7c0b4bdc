"""Who a request is from: a token in the cache. The plan calls sessions loss-tolerant: who lost one logs in again."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import valkey.asyncio
from starlette.exceptions import HTTPException
from valkey.asyncio.retry import Retry
from valkey.backoff import NoBackoff

if TYPE_CHECKING:
    from starlette.requests import Request

_LIFE_SECONDS = 3600
_PREFIX = "Bearer "


class Sessions:
    """The sessions of all users, in the region's cache."""

    def __init__(self, host: str, port: int) -> None:
        # A connection is given up after a second, and the name resolved anew: after a failover it leads elsewhere.
        self._cache = valkey.asyncio.Valkey(
            host=host, port=port, socket_timeout=1, socket_connect_timeout=1, retry=Retry(NoBackoff(), 1),
            health_check_interval=5, decode_responses=True,
        )  # fmt: skip

    async def begin(self, user: str) -> str:
        """Let a user in and return the token; raises the cache's errors."""
        token = secrets.token_urlsafe(24)
        await self._cache.set(f"session:{token}", user, ex=_LIFE_SECONDS)
        return token

    async def end(self, token: str) -> None:
        """Forget a token."""
        await self._cache.delete(f"session:{token}")

    async def close(self) -> None:
        """Close all connections."""
        await self._cache.aclose()

    async def require_user(self, request: Request) -> str:
        """Return whose request it is; raises `HTTPException` 401 when nobody's, and the cache's errors."""
        user = await self._cache.get(f"session:{read_token(request)}")
        if not user:
            raise HTTPException(401, "log in again: this session is not known")
        return str(user)


def read_token(request: Request) -> str:
    """Return a request's token; raises `HTTPException` 401 when it has none."""
    said = request.headers.get("authorization", "")
    if not said.startswith(_PREFIX):
        raise HTTPException(401, "log in first: the header `Authorization: Bearer TOKEN` was expected")
    return said.removeprefix(_PREFIX)
