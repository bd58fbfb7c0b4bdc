"""A client that connects anew and resolves for every request, and gives a connection 50 ms to come about.

The program of a drill's client (`drdrill.load.client`, same configuration and ledger) with other connections: no
cache of names, so nothing of what it sees is a TTL's.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from drdrill.load.client import main
from drdrill.load.connections import Endpoint, FreshConnections
from drdrill.load.dns import DnsServer
from drdrill.load.resolver import LiteralAddress, ResolutionError, Resolver, is_literal

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    from drdrill.core.clock import Clock
    from drdrill.load.config import ClientConfig
    from drdrill.load.connections import Connections
    from drdrill.load.wire import Connection, Login
    from drdrill.record.ledger import Client

CONNECT_SECONDS = 0.05


class Uncached(LiteralAddress):
    """Asks the DNS server each time."""

    def __init__(self, server: DnsServer) -> None:
        self._server = server

    async def resolve(self, name: str) -> str:
        """Return what the server says now; raises `ResolutionError`."""
        resolution = await self._server(name)
        if resolution.address is None:
            raise ResolutionError(f"{name}: {resolution.reason}")
        return resolution.address


class HastyConnections(FreshConnections):
    """A new connection for every request, given up after `CONNECT_SECONDS`."""

    async def take(self) -> Connection:
        """Connect; raises `TimeoutError` and what `Endpoint.connect` raises."""
        async with asyncio.timeout(CONNECT_SECONDS):
            return await super().take()


def lend(
    config: ClientConfig, client: Client, login: Login, _clock: Clock, _stack: AsyncExitStack
) -> Connections:
    """Return the connections of one client."""
    resolver: Resolver = LiteralAddress()
    if not is_literal(config.endpoint):
        resolver = Uncached(DnsServer(config.resolver, config.resolver_port))
    return HastyConnections(
        Endpoint(
            config.endpoint,
            config.port,
            resolver=resolver,
            login=login,
            statement=config.statement,
            timeout_seconds=client.timeout_seconds,
        )
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], lend=lend))
