"""How many commits a second the harness's own client reaches while it writes the ledger, and pgbench beside it.

Both ask one bare PostgreSQL with the mirror's settings over four connections in a closed loop, with the same
prepared statement and rows, in turns. The client is that of a drill: its connections, its user, its ledger.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import re
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import uvloop

from _bare import ADDRESS, DATABASE, USER, BareServer
from _figures import Figure, Reference, median, print_figures, round_all, say
from drdrill.core.clock import SystemClock
from drdrill.dataplane.postgresql_programs import find_binaries
from drdrill.load.connections import ConnectionPool, Endpoint
from drdrill.load.resolver import LiteralAddress
from drdrill.load.scram import Password
from drdrill.load.user import Remarks, User
from drdrill.load.wire import Login
from drdrill.load.workload import Workload, load_workload
from drdrill.record.ledger import Client, ClientKind, LedgerWriter, Outcome, outcomes_of, read_ledger

CONNECTIONS = 4
TARGET = 0.7
_WORKLOAD = Path("environments/embedded/workload.yaml")
_SINGLE = "insert into payments (id, amount_minor, currency) values ($1, $2, 'ETB')"
_AMOUNTS = (100, 500_000)
_PGBENCH_RATE = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)
_PGBENCH_SCRIPT = """\
\\set n :n + 1
\\set id (:client_id << 40) + :n
\\set amount random({minimum}, {maximum})
{statement};
"""


@dataclass(frozen=True, slots=True)
class Pair:
    """Commits a second of one round: ours and pgbench's."""

    ours: float
    pgbench: float

    @property
    def ratio(self) -> float:
        """Ours as a part of pgbench's."""
        return self.ours / self.pgbench


def main() -> None:
    """Measure the figure that has a target, and the drill's own statement beside it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4, help="of each side of a round")
    arguments = parser.parse_args()
    workload = load_workload(_WORKLOAD)
    with BareServer("ledger") as server:
        single, whole = (
            _measure(server, workload, statement, arguments.rounds, arguments.seconds)
            for statement in (_SINGLE, workload.write)
        )
    print_figures(
        "ledger",
        [
            _figure("ledger commits ÷ pgbench", single, "a single INSERT", target=TARGET),
            _figure(
                "the same, the drill's own statement", whole, "the statement of workload.yaml", target=None
            ),
        ],
    )


def _figure(name: str, pairs: list[Pair], what: str, *, target: float | None) -> Figure:
    return Figure(
        name=name,
        value=median([pair.ratio for pair in pairs]),
        unit="ratio",
        target=target,
        better="higher",
        method=(
            f"Commits a second of a drill's client that writes its ledger ({median([p.ours for p in pairs]):g} a "
            f"second) ÷ those of pgbench; {CONNECTIONS} connections, closed loop, {what}, prepared, in turns on one "
            "bare server that has warmed up; median of the pairs."
        ),
        samples=round_all([pair.ratio for pair in pairs]),
        reference=Reference("pgbench", median([pair.pgbench for pair in pairs]), "commits/s"),
    )


def _measure(
    server: BareServer, workload: Workload, statement: str, rounds: int, seconds: float
) -> list[Pair]:
    sides = {
        "ours": lambda: uvloop.run(_run_ours(server, statement, seconds)),
        "pgbench": lambda: _run_pgbench(server, statement, seconds),
    }
    pairs = []
    for number in range(rounds + 1):
        rates = {}
        for name in sorted(sides, reverse=bool(number % 2)):  # neither side has the younger tables every time
            _prepare(server, workload)
            rates[name] = sides[name]()
        pair = Pair(rates["ours"], rates["pgbench"])
        what = f"round {number}" if number else "to warm up"  # the server makes its log's files once
        say(f"{what}: ours {pair.ours:.0f}, pgbench {pair.pgbench:.0f} a second: {pair.ratio:.2f}")
        if number:
            pairs.append(pair)
    return pairs


def _prepare(server: BareServer, workload: Workload) -> None:
    with closing(server.connect()) as connection:
        connection.execute(workload.schema_.encode())
        connection.execute("checkpoint")


async def _run_ours(server: BareServer, statement: str, seconds: float) -> float:
    """Return acknowledged writes a second, as the ledger has them."""
    clock = SystemClock()
    client = Client("ledger", 1, ClientKind.LOAD, 0, clock.now_ns(), 1, timeout_seconds=5.0, honours_ttl=True)
    endpoint = Endpoint(
        ADDRESS,
        server.port,
        resolver=LiteralAddress(),
        login=Login(USER, DATABASE, Password(server.password)),
        statement=statement,
        timeout_seconds=client.timeout_seconds,
    )
    with (
        tempfile.TemporaryDirectory(prefix="drdrill-ledger-") as folder,
        closing(LedgerWriter(Path(folder), client)) as ledger,
        closing(ConnectionPool(endpoint, CONNECTIONS)) as pool,
    ):
        await pool.fill()
        async with asyncio.TaskGroup() as group:
            user = User(
                client,
                connections=pool,
                connecting_counts=False,
                amounts=itertools.cycle(_AMOUNTS),
                in_flight=CONNECTIONS,
                ledger=ledger,
                remarks=Remarks(sys.stderr.write, clock),
                group=group,
                clock=clock,
            )
            numbers = itertools.count()
            began = time.perf_counter()
            until = began + seconds

            async def ask() -> None:
                while time.perf_counter() < until:
                    await user.request(next(numbers))

            for _ in range(CONNECTIONS):
                group.create_task(ask())
        took = time.perf_counter() - began
        (written,) = read_ledger(Path(folder))
        acknowledged = int((outcomes_of(written.outcomes["code"]) == Outcome.ACKNOWLEDGED).sum())
        attempted = len(written.attempts)
    if acknowledged != attempted:
        raise RuntimeError(f"{attempted - acknowledged} writes of {attempted} were not acknowledged.")
    return acknowledged / took


def _run_pgbench(server: BareServer, statement: str, seconds: float) -> float:
    """Return pgbench's transactions a second, without the time in which it connects."""
    minimum, maximum = _AMOUNTS
    script = _PGBENCH_SCRIPT.format(
        minimum=minimum, maximum=maximum, statement=statement.replace("$1", ":id").replace("$2", ":amount")
    )
    with tempfile.TemporaryDirectory(prefix="drdrill-pgbench-") as folder:
        file = Path(folder) / "write.sql"
        file.write_text(script, encoding="ascii")
        done = subprocess.run(
            [str(find_binaries() / "pgbench"), "--no-vacuum", f"--client={CONNECTIONS}", "--protocol=prepared",
             f"--time={max(1, round(seconds))}", "--define=n=0", f"--file={file}", DATABASE],
            env=dict(server.environment()), check=False, capture_output=True, text=True,
        )  # fmt: skip
    found = _PGBENCH_RATE.search(done.stdout)
    if done.returncode or found is None:
        raise RuntimeError(f"pgbench ended with {done.returncode}: {done.stdout}{done.stderr}")
    return float(found[1])


if __name__ == "__main__":
    main()
