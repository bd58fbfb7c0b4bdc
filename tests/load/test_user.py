from __future__ import annotations

import asyncio
import errno
from itertools import count
from typing import TYPE_CHECKING

import pytest

from drdrill.core.clock import SystemClock
from drdrill.load.connections import ConnectionPool, Endpoint
from drdrill.load.resolver import LiteralAddress
from drdrill.load.scram import Password
from drdrill.load.user import Remarks, User
from drdrill.load.wire import Connection, Login
from drdrill.measure.remarks import read_remarks
from drdrill.record.ledger import (
    Client,
    ClientKind,
    ClientLedger,
    LedgerWriter,
    Outcome,
    make_id,
    outcomes_of,
    read_ledger,
)

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.load.connections import Connections
    from tests.load.conftest import Postgres

NOT_SENT = int(Outcome.NOT_SENT)


class Exhausted:
    """Lends nothing: this machine has no more sockets."""

    def take_idle(self) -> None:
        """Have none."""

    async def fill(self) -> None:
        """Do nothing."""

    async def take(self) -> Connection:
        """Fail as the system does."""
        raise OSError(errno.EMFILE, "Too many open files")

    def give_back(self, connection: Connection, *, keep: bool) -> None:
        """Fail the test: nothing was lent."""
        raise AssertionError(connection, keep)

    def close(self) -> None:
        """Do nothing."""


class Withheld:
    """Lends no connection before `release` is set, and then only errors."""

    def __init__(self) -> None:
        self.release = asyncio.Event()

    def take_idle(self) -> None:
        """Have none."""

    async def fill(self) -> None:
        """Do nothing."""

    async def take(self) -> Connection:
        """Wait, and then fail."""
        await self.release.wait()
        raise ConnectionRefusedError("nobody is there")

    def give_back(self, connection: Connection, *, keep: bool) -> None:
        """Fail the test: nothing was lent."""
        raise AssertionError(connection, keep)

    def close(self) -> None:
        """Do nothing."""


def client(timeout_seconds: float) -> Client:
    """Return client number 3."""
    return Client("load-0", 3, ClientKind.LOAD, 0, 0, 1, timeout_seconds, honours_ttl=True)


async def send(
    directory: Path, *, requests: int, connecting_counts: bool, timeout_seconds: float
) -> tuple[ClientLedger, ClientLedger, list[str]]:
    """Send requests, two in flight at most; return the ledger then, the last one, and the remarks."""
    lines: list[str] = []
    who = client(timeout_seconds)
    writer = LedgerWriter(directory, who)
    connections = Withheld()
    clock = SystemClock()
    async with asyncio.TaskGroup() as group:
        user = User(
            who,
            connections=connections,
            connecting_counts=connecting_counts,
            amounts=count(100),
            in_flight=2,
            ledger=writer,
            remarks=Remarks(lines.append, clock),
            group=group,
            clock=clock,
        )
        for sequence in range(requests):
            user.send(sequence)
        await asyncio.sleep(0)
        (early,) = read_ledger(directory)
        if timeout_seconds > 1:
            connections.release.set()
    writer.close()
    (late,) = read_ledger(directory)
    return early, late, lines


def test_no_client_takes_the_place_of_anothers_remarks(tmp_path: Path) -> None:
    """One that says something else each time is summed up for itself; all 105 others are heard."""
    lines: list[str] = []
    remarks = Remarks(lines.append, SystemClock())
    for number in range(100):
        remarks.note("probe-pay-1", Outcome.UNKNOWN, f"port {number}")
    for number in range(105):
        for _ in range(2):
            remarks.note(f"probe-users-{number}", Outcome.REJECTED, "503")
    first = [line for line in lines if "probe-pay-1" in line]
    assert len(first) == 21
    assert first[-1].endswith(" probe-pay-1: UNKNOWN: other remarks\n")
    lines.clear()
    remarks.summarize()
    assert "80 times: probe-pay-1: UNKNOWN: other remarks\n" in lines
    assert [line for line in lines if "probe-users" in line] == [
        f"2 times: probe-users-{number}: REJECTED: 503\n" for number in range(105)
    ]
    log = tmp_path / "client-users.log"
    log.write_text("".join(lines), encoding="utf-8")
    assert read_remarks(log)["users"] == {"503": 210}
    assert read_remarks(log)["pay"]["other remarks"] == 80


@pytest.mark.parametrize("connecting_counts", [True, False])
def test_a_request_above_the_bound_is_not_sent(tmp_path: Path, connecting_counts: bool) -> None:
    """With the bound in flight, a further request is an attempt that was not sent, and the log says so."""
    early, late, lines = asyncio.run(
        send(tmp_path, requests=5, connecting_counts=connecting_counts, timeout_seconds=60)
    )

    assert early.outcomes["id"].tolist() == [make_id(3, sequence) for sequence in (2, 3, 4)]
    assert outcomes_of(late.outcomes["code"]).tolist() == [NOT_SENT] * 5
    assert sorted(late.attempts["amount"].tolist()) == [100, 101, 102, 103, 104]
    assert sum("2 requests were in flight" in line for line in lines) == 1


@pytest.mark.parametrize("connecting_counts", [True, False])
def test_connecting_is_part_of_a_probers_request(tmp_path: Path, connecting_counts: bool) -> None:
    """A prober's attempt is on record before it connects; a pooled client's only when it is to leave."""
    early, late, _ = asyncio.run(
        send(tmp_path, requests=2, connecting_counts=connecting_counts, timeout_seconds=60)
    )

    assert len(early.attempts) == (2 if connecting_counts else 0)
    assert len(late.attempts) == len(late.outcomes) == 2


def test_a_request_without_a_connection_ends_at_its_timeout(tmp_path: Path) -> None:
    """A request that waits for a connection in vain is not sent when its time is up."""
    _, late, lines = asyncio.run(send(tmp_path, requests=1, connecting_counts=False, timeout_seconds=0.01))

    assert outcomes_of(late.outcomes["code"]).tolist() == [NOT_SENT]
    assert "no connection in time" in lines[0]


@pytest.mark.parametrize(
    ("connections", "ledger_open"), [(Withheld(), False), (Exhausted(), True)], ids=["ledger", "sockets"]
)
def test_trouble_of_its_own_ends_the_client(
    tmp_path: Path, connections: Connections, ledger_open: bool
) -> None:
    """A ledger that cannot be written, or no more sockets, is not taken for the service's: the client ends."""
    who = client(60)
    writer = LedgerWriter(tmp_path, who)
    if not ledger_open:
        writer.close()

    async def scenario() -> None:
        clock = SystemClock()
        async with asyncio.TaskGroup() as group:
            User(
                who,
                connections=connections,
                connecting_counts=True,
                amounts=count(100),
                in_flight=2,
                ledger=writer,
                remarks=Remarks(lambda _: None, clock),
                group=group,
                clock=clock,
            ).send(0)

    with pytest.raises(ExceptionGroup) as failure:
        asyncio.run(scenario())
    assert failure.group_contains(OSError)
    if ledger_open:
        writer.close()
    (ledger,) = read_ledger(tmp_path)
    assert (len(ledger.attempts), len(ledger.outcomes)) == (int(ledger_open), 0)


def test_a_pool_lends_no_more_than_it_has(postgres: Postgres) -> None:
    """Whoever comes when all are lent waits; giving up frees the place; a broken connection is replaced."""

    async def scenario() -> None:
        endpoint = Endpoint(
            "127.0.0.1",
            postgres.port,
            resolver=LiteralAddress(),
            login=Login("postgres", "payments", Password(postgres.password)),
            statement="select $1, $2",
            timeout_seconds=30,
        )
        pool = ConnectionPool(endpoint, 1)
        await pool.fill()
        first = await pool.take()
        impatient, patient = asyncio.create_task(pool.take()), asyncio.create_task(pool.take())
        await asyncio.sleep(0)
        impatient.cancel()
        assert not patient.done()
        first.abort()
        pool.give_back(first, keep=True)
        second = await patient
        assert second is not first
        pool.give_back(second, keep=True)
        assert await pool.take() is second
        pool.give_back(second, keep=True)
        pool.close()

    asyncio.run(scenario())
