"""The program of a client process: `python -m drdrill.load.client CONFIG.json`, password in PGPASSWORD.

Prints `ready` on standard output once the configuration was read, the ledgers exist, signals are handled and
the schedule is kept; whether the server answers is for the ledger to say (the positive control's never does).
SIGTERM, SIGINT, and the end of a pipe at standard input: nothing new is sent, requests in flight are waited for
(their time-out bounds it), exit status 0. SIGKILL: the ledgers hold everything up to that moment. Remarks go to
standard error. Exit status 2: no usable configuration or no password; 5: broken, or this machine has run out of
sockets or ports.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from drdrill.core.clock import Clock, SystemClock
from drdrill.core.errors import UsageError
from drdrill.load.config import ClientConfig, Connecting
from drdrill.load.connections import ConnectionPool, Connections, Endpoint, FreshConnections
from drdrill.load.dns import DnsServer
from drdrill.load.process import listen_for_enough, run_program
from drdrill.load.resolver import LiteralAddress, Resolver, StubResolver, is_literal
from drdrill.load.schedule import keep_schedule
from drdrill.load.scram import Password
from drdrill.load.user import Remarks, User
from drdrill.load.wire import Login
from drdrill.record.ledger import Client, LedgerWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    Lend = Callable[[ClientConfig, Client, Login, Clock, AsyncExitStack], Connections]


def draw_amounts(config: ClientConfig, client: Client) -> Iterator[int]:
    """Yield the amounts of a client's requests 0, 1, 2 …: the same for the same seed and client number."""
    source = random.Random(f"{config.seed}:{client.number}")  # noqa: S311 - reproducible, not secret
    while True:
        yield source.randint(config.amount_minimum, config.amount_maximum)


async def run_clients(config: ClientConfig, password: str, clock: Clock, *, lend: Lend) -> None:
    """Be the users until a signal says that it is enough; each takes its connections from what `lend` returns."""
    enough = listen_for_enough()
    login = Login(config.user, config.database, Password(password))
    remarks = Remarks(sys.stderr.write, clock)
    async with AsyncExitStack() as stack:
        stack.callback(remarks.summarize)
        ledgers = {client: LedgerWriter(config.ledger, client) for client in config.clients}
        for ledger in ledgers.values():
            stack.callback(ledger.close)
        lenders = {client: lend(config, client, login, clock, stack) for client in config.clients}
        async with asyncio.TaskGroup() as group:
            schedules = []
            for client in config.clients:
                user = User(
                    client,
                    connections=lenders[client],
                    connecting_counts=config.connecting is Connecting.FRESH,
                    amounts=draw_amounts(config, client),
                    in_flight=config.in_flight,
                    ledger=ledgers[client],
                    remarks=remarks,
                    group=group,
                    clock=clock,
                )
                schedules.append(
                    group.create_task(keep_schedule(client, user.send, clock=clock, pause=asyncio.sleep))
                )
            fillings = [group.create_task(lender.fill()) for lender in lenders.values()]
            sys.stdout.write("ready\n")
            sys.stdout.flush()
            await enough.wait()
            for task in (*schedules, *fillings):
                task.cancel()


def lend_as_configured(
    config: ClientConfig, client: Client, login: Login, clock: Clock, stack: AsyncExitStack
) -> Connections:
    """Return a client's connections as its configuration wants them; `stack` closes them."""
    resolver: Resolver = LiteralAddress()
    if not is_literal(config.endpoint):
        stub = StubResolver(
            DnsServer(config.resolver, config.resolver_port),
            clock=clock,
            cohort=client.cohort,
            cohorts=config.cohorts,
            honours_ttl=client.honours_ttl,
        )
        stack.push_async_callback(stub.close)
        resolver = stub
    endpoint = Endpoint(
        config.endpoint,
        config.port,
        resolver=resolver,
        login=login,
        statement=config.statement,
        timeout_seconds=client.timeout_seconds,
    )
    if config.connecting is Connecting.FRESH:
        return FreshConnections(endpoint)
    pool = ConnectionPool(endpoint, config.connections)
    stack.callback(pool.close)
    return pool


def main(arguments: list[str], *, lend: Lend = lend_as_configured) -> int:
    """Read the configuration and be its clients; return the exit status. `lend`: other users, as benchmarks have."""

    def be(config: ClientConfig) -> Coroutine[None, None, None]:
        password = os.environ.get("PGPASSWORD")
        if password is None:
            raise UsageError(
                f"{config.name}: PGPASSWORD is not set; empty is for a server that asks for none."
            )
        return run_clients(config, password, SystemClock(), lend=lend)

    usage = "PGPASSWORD=… python -m drdrill.load.client CONFIG.json"
    return run_program(arguments, usage=usage, parse=ClientConfig.from_json, be=be)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
