"""A stub resolver with a cache, as a machine of users has one: honours TTL, remembers refusals, asks again.

One cache a cohort. Cohorts stand at different points of their TTL, so that a change of a record reaches them
one after another and the luck of one cache does not decide a figure:

    cohort 0 of 4  |--|-----------|-----------|     the first answer expires early, at (cohort + 1) / cohorts
    cohort 1 of 4  |-----|-----------|--------      of its TTL; all later answers live their whole TTL
    cohort 3 of 4  |-----------|-----------|--
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Protocol

from drdrill.core.clock import NANOSECONDS, Clock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from drdrill.load.dns import Resolution


class ResolutionError(Exception):
    """The name has no address now: nobody answered, or with a refusal. Nothing was sent to a service."""


class Resolver(Protocol):
    """Turns a name into the IPv4 address to connect to."""

    async def resolve(self, name: str) -> str:
        """Return the address; raises `ResolutionError`."""
        ...

    def report_failure(self, name: str) -> None:
        """Say that no connection could be had at the address last returned."""
        ...


class LiteralAddress:
    """Resolves nothing: the endpoint is an address already."""

    async def resolve(self, name: str) -> str:
        """Return the address itself."""
        return name

    def report_failure(self, name: str) -> None:
        """Take note of nothing: there is no other address."""


class Detour:
    """Finds every name where another one leads: `way` is the name of one region's own load balancer."""

    def __init__(self, resolver: Resolver, way: str) -> None:
        self._resolver, self._way = resolver, way

    async def resolve(self, name: str) -> str:
        """Return the address of the other name."""
        del name
        return await self._resolver.resolve(self._way)

    def report_failure(self, name: str) -> None:
        """Say that no connection could be had there."""
        del name
        self._resolver.report_failure(self._way)


def is_literal(name: str) -> bool:
    """Tell whether an endpoint is an IPv4 address and needs no resolver."""
    try:
        socket.inet_pton(socket.AF_INET, name)
    except OSError:
        return False
    return True


class StubResolver:
    """The resolver of one cohort. `honours_ttl=False`: it keeps an address while connections can be had."""

    def __init__(
        self,
        ask: Callable[[str], Awaitable[Resolution]],
        *,
        clock: Clock,
        cohort: int = 0,
        cohorts: int = 1,
        honours_ttl: bool = True,
    ) -> None:
        self._ask = ask
        self._clock = clock
        self._first_share = (cohort + 1) / cohorts
        self._honours_ttl = honours_ttl
        self._cache: dict[str, tuple[Resolution, int]] = {}
        self._staggered: set[str] = set()
        self._pending: dict[str, asyncio.Task[Resolution]] = {}

    async def resolve(self, name: str) -> str:
        """Return an address from the cache, or ask; requests that come meanwhile wait for the same answer."""
        resolution, expires_ns = self._cache.get(name, (None, 0))
        if resolution is None or (
            self._clock.now_ns() >= expires_ns and (self._honours_ttl or resolution.address is None)
        ):
            # The lookup belongs to nobody: a request that gives up must not take the others' answer with it.
            pending = self._pending.get(name)
            if pending is None:
                pending = self._pending[name] = asyncio.ensure_future(self._look_up(name))
            resolution = await asyncio.shield(pending)
        if resolution.address is None:
            raise ResolutionError(f"{name}: {resolution.reason}")
        return resolution.address

    def report_failure(self, name: str) -> None:
        """Forget the address if it was kept beyond its TTL; an honest cache waits until it expires."""
        if not self._honours_ttl:
            self._cache.pop(name, None)

    async def close(self) -> None:
        """End lookups that are under way."""
        pending = list(self._pending.values())
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)

    async def _look_up(self, name: str) -> Resolution:
        try:
            resolution = await self._ask(name)
        finally:
            self._pending.pop(name, None)
        share = 1.0
        if resolution.address is not None and name not in self._staggered:
            self._staggered.add(name)
            share = self._first_share
        lifetime_ns = int(resolution.ttl_seconds * share * NANOSECONDS)
        self._cache[name] = (resolution, self._clock.now_ns() + lifetime_ns)
        return resolution
