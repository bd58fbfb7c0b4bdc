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
import resource
import signal
import stat
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

from drdrill.core.clock import Clock, SystemClock
from drdrill.core.errors import EXIT_BROKEN, EXIT_USAGE, DamagedRecordError
from drdrill.load.config import ClientConfig, Connecting
from drdrill.load.connections import ConnectionPool, Connections, Endpoint, FreshConnections
from drdrill.load.dns import DnsServer
from drdrill.load.resolver import LiteralAddress, Resolver, StubResolver, is_literal
from drdrill.load.schedule import keep_schedule
from drdrill.load.scram import Password
from drdrill.load.user import Remarks, User
from drdrill.load.wire import Login
from drdrill.record.ledger import Client, LedgerWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Lend = Callable[[ClientConfig, Client, Login, Clock, AsyncExitStack], Connections]


def draw_amounts(config: ClientConfig, client: Client) -> Iterator[int]:
    """Yield the amounts of a client's requests 0, 1, 2 …: the same for the same seed and client number."""
    source = random.Random(f"{config.seed}:{client.number}")  # noqa: S311 - reproducible, not secret
    while True:
        yield source.randint(config.amount_minimum, config.amount_maximum)


async def run_clients(config: ClientConfig, password: str, clock: Clock, *, lend: Lend) -> None:
    """Be the users until a signal says that it is enough; each takes its connections from what `lend` returns."""
    enough = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, enough.set)
    follow_lifeline(enough)
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


def follow_lifeline(enough: asyncio.Event) -> None:
    """Where standard input is a pipe, its end says that whoever started this is gone: that is enough, too."""
    if not stat.S_ISFIFO(os.fstat(0).st_mode):
        return
    loop = asyncio.get_running_loop()

    def look() -> None:
        if not os.read(0, 1):
            loop.remove_reader(0)
            enough.set()

    loop.add_reader(0, look)


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
    if len(arguments) != 1:
        sys.stderr.write("usage: PGPASSWORD=… python -m drdrill.load.client CONFIG.json\n")
        return EXIT_USAGE
    path = Path(arguments[0])
    try:
        config = ClientConfig.from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, DamagedRecordError) as error:
        sys.stderr.write(f"{path}: {error}\n")
        return EXIT_USAGE
    password = os.environ.get("PGPASSWORD")
    if password is None:
        sys.stderr.write(f"{config.name}: PGPASSWORD is not set; empty is for a server that asks for none.\n")
        return EXIT_USAGE
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a request in flight holds a socket
    try:
        uvloop.run(run_clients(config, password, SystemClock(), lend=lend))
    except Exception as error:  # noqa: BLE001 - the program's outermost edge: said, never a bare traceback
        sys.stderr.write(f"{config.name}: this client process broke: {describe_break(error)}\n")
        return EXIT_BROKEN
    return 0


def describe_break(error: BaseException) -> str:
    """Say in words what ended a client's process."""
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(dict.fromkeys(describe_break(part) for part in error.exceptions))
    return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
