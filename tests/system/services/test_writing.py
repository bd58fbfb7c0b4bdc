"""A region writes while its lease lasts: nothing is committed after it, and services say so, and write again."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
import pytest

from drdrill.core.waiting import wait_until
from failover._old_primary import Writes, observe_writes
from meqenet.database import Database, UnknownOutcomeError
from meqenet.lease import Lease, NotWriterError, read_boot_clock
from meqenet.logs import Log
from meqenet.password import Password
from meqenet.settings import DatabaseSettings, LeaseSettings
from tests.load.conftest import ADDRESSES
from tests.system.services.conftest import EVERY, WITHIN
from tests.system.services.copies import HERE, ISOLATED, THERE, HttpCopy, hang, name, serve_beside

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.system.services.conftest import Company

WRITERS = ("payments", "users", "notifications")
MARK = b"insert into marks values (clock_timestamp())"


def _open_database(company: Company, lease: Lease, folder: Path, *, size: int = 8) -> Database:
    """Return the payments database as a service writes to it under a lease."""
    password = folder / "password"
    password.write_text(company.postgres.password, encoding="ascii")
    settings = DatabaseSettings(
        ADDRESSES[0], "payments", "payments_app", company.postgres.port, password_file=str(password)
    )
    return Database(settings, Password(settings), service="test", lease=lease, size=size)


@dataclass
class Named:
    """The region that is named as the one that writes."""

    region: str = HERE


async def _hold(seconds: int, writer: Named | None = None) -> Lease:
    """Return a lease that was given just now, and that nobody will renew; `writer`: what it hears, asked again."""
    writer = writer or Named()

    async def get(_: str) -> tuple[int, bytes]:
        return 200, json.dumps({"region": writer.region}).encode()

    lease = Lease(LeaseSettings(("",), seconds), HERE, Log(service="test"), get=get)
    await lease.ask()
    return lease


@pytest.fixture(autouse=True)
def marks(company: Company) -> None:
    """Return a table that takes a mark of each transaction."""
    for statement in (
        "drop table if exists marks",
        "create table marks (at timestamptz not null, number int)",
        "grant all on marks to payments_app",
    ):
        company.query("payments", statement)


def test_nothing_is_confirmed_after_the_lease(company: Company, tmp_path: Path) -> None:
    """Of many who write until they are refused, in transactions of any length, none is told it was done after that."""

    async def play() -> None:
        lease = await _hold(2)
        ends = read_boot_clock() + lease.require()
        database = _open_database(company, lease, tmp_path)
        await database.open()
        late = cut = 0

        async def write(number: int) -> None:
            nonlocal late, cut
            while True:
                lent = False
                try:
                    async with database.transaction() as connection:
                        lent = True
                        await connection.execute(MARK)
                        await asyncio.sleep(0.005 * number**2)
                except (NotWriterError, UnknownOutcomeError, psycopg.errors.TransactionTimeout):
                    cut += lent
                    return
                late += read_boot_clock() > ends + 0.1  # the server's answer to a commit takes a moment

        await asyncio.gather(*(write(number) for number in range(8)))
        async with database.reading() as connection:
            stayed = await (await connection.execute(b"select count(*) from marks")).fetchone()
            # Reading goes on without a lease, and writes nothing.
            with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
                await connection.execute(MARK)
        await database.close()
        assert stayed
        assert stayed[0] > 100
        assert (late, cut > 0) == (0, True)

    asyncio.run(play())


def test_nothing_is_committed_after_another_region_was_named(company: Company, tmp_path: Path) -> None:
    """Of many who are in the middle of a transaction then, none commits what nobody was told of."""

    async def play() -> None:
        writer = Named()
        lease = await _hold(60, writer)
        database = _open_database(company, lease, tmp_path)
        await database.open()
        done, late = set[int](), set[int]()

        async def write(number: int) -> None:
            for mark in itertools.count(number, 8):
                try:
                    async with database.transaction() as connection:
                        await connection.execute(b"insert into marks values (clock_timestamp(), %s)", (mark,))
                        await asyncio.sleep(0.005 * number**2)
                        if not lease.held:  # nothing else happens between this look and the commit
                            late.add(mark)
                except (NotWriterError, UnknownOutcomeError):  # the second: its commit was under way
                    return
                done.add(mark)

        async def name_another() -> None:
            await asyncio.sleep(1)
            writer.region = THERE
            await lease.ask()

        await asyncio.gather(name_another(), *(write(number) for number in range(8)))
        await database.close()
        stayed = {mark for (mark,) in company.query("payments", "select number from marks")}
        assert len(done) > 50
        assert done <= stayed
        assert late
        assert not late & stayed

    asyncio.run(play())


def test_the_server_ends_what_its_client_sleeps_over(company: Company, tmp_path: Path) -> None:
    """A process that is stopped in the middle of a transaction, and wakes up after its lease, has none any more."""

    async def play() -> None:
        lease = await _hold(1)
        ends = read_boot_clock() + lease.require()
        database = _open_database(company, lease, tmp_path, size=1)
        await database.open()

        async def write() -> None:
            async with database.transaction() as connection:
                await connection.execute(MARK)
                alive = "select 1 from pg_stat_activity where application_name = 'test'"
                # The process stands still meanwhile: nothing of it can look at its lease.
                wait_until(
                    lambda: not company.query("postgres", alive), what="the end", within=WITHIN, every=EVERY
                )
                assert read_boot_clock() <= ends + 0.2
                await connection.execute("commit")

        with pytest.raises(psycopg.errors.TransactionTimeout):
            await write()
        await database.close()

    asyncio.run(play())
    assert company.query("payments", "select * from marks") == []


def test_a_lease_that_is_about_to_run_out_begins_nothing(company: Company, tmp_path: Path) -> None:
    """The server could not be told in time when to end it."""

    async def play() -> None:
        lease = await _hold(1)
        database = _open_database(company, lease, tmp_path, size=1)
        await database.open()
        await asyncio.sleep(0.6)
        assert lease.held
        with pytest.raises(NotWriterError, match="about to run out"):
            await database.transaction().__aenter__()
        await database.close()

    asyncio.run(play())


def test_a_commit_that_waits_for_its_standby(company: Company, tmp_path: Path) -> None:
    """Sent while the lease lasted and done after it, it stays, and nobody is told so: another region may write then."""

    async def play() -> None:
        lease = await _hold(1)
        database = _open_database(company, lease, tmp_path, size=1)
        await database.open()

        async def write() -> None:
            async with database.transaction() as connection:
                await connection.execute(MARK)

        company.postgres.demand_standby(demanded=True)
        try:
            writing = asyncio.create_task(write())
            await asyncio.sleep(1.5)
            assert (lease.held, writing.done()) == (False, False)
            assert len(company.postgres.waiting_backends()) == 1
        finally:
            company.postgres.demand_standby(demanded=False)
        with pytest.raises(UnknownOutcomeError, match="last moment"):
            await writing
        await database.close()

    asyncio.run(play())
    assert len(company.query("payments", "select * from marks")) == 1


def test_a_session_whose_client_is_gone(company: Company, tmp_path: Path) -> None:
    """The server itself is told to give a silent client up within a quarter of a minute, idle or not."""

    async def read() -> tuple[int, ...]:
        database = _open_database(company, await _hold(60), tmp_path)
        await database.open()
        async with database.reading() as connection:  # PostgreSQL reads what it shows here from the socket
            looked = await connection.execute(
                "select current_setting(name)::int from unnest(%s::text[]) name",
                ([*(f"tcp_keepalives_{one}" for one in ("idle", "interval", "count")), "tcp_user_timeout"],),
            )
            found = await looked.fetchall()
        await database.close()
        return tuple(one for (one,) in found)

    idle, interval, count, unacknowledged = asyncio.run(read())
    assert 0 < idle + interval * count <= 15
    assert 0 < unacknowledged <= 15_000


def test_how_an_old_primary_is_looked_at(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is read-only by the server's own parameters is fenced: others may write where we may not."""
    monkeypatch.setenv("PGPASSWORD", company.postgres.password)

    def look() -> Writes:
        return observe_writes("payments", ADDRESSES[0], port=company.postgres.port).writes

    assert look() is Writes.TAKEN
    company.query("postgres", "alter role payments_app set default_transaction_read_only = on")
    try:
        assert look() is Writes.NOT_NOW
    finally:
        company.query("postgres", "alter role payments_app reset default_transaction_read_only")
    assert look() is Writes.TAKEN


@pytest.fixture
def leased(ready: Company) -> Iterator[tuple[Company, tuple[HttpCopy, HttpCopy]]]:
    """Return services of the primary region that keep a lease, and the copies that they read."""
    copies = (HttpCopy(), HttpCopy())
    ready.await_quiet()
    with serve_beside(*copies):
        told = {
            "WRITER_URLS": f"{copies[0].url} {copies[1].url}",
            "WRITER_LEASE_SECONDS": "8",
        }
        try:
            for service in WRITERS:
                ready.kill(service)
            ready.start(*WRITERS, told=told)
            for service in WRITERS:
                ready.await_status(service, "/readyz", 200)
            yield ready, copies
        finally:
            for service in WRITERS:
                if ready.runs(service):
                    ready.kill(service)
    ready.start(*WRITERS)
    for service in WRITERS:
        ready.await_status(service, "/readyz", 200)


def _await_refusal(company: Company, token: str, key: int, words: str) -> None:
    refusal = (503, {"error": words})

    def look() -> bool:
        answer = company.pay(token, key)
        return (answer.status, answer.said) == refusal

    wait_until(look, what=words, within=WITHIN, every=EVERY)


def test_a_region_that_may_not_write(leased: tuple[Company, tuple[HttpCopy, HttpCopy]]) -> None:
    """Its services refuse payments in words, take no step of a saga, read, log in and are ready; then write again."""
    company, copies = leased
    token = company.log_in("user-0011")
    assert company.pay(token, 9003001).status == 201
    company.await_quiet()

    for one in copies:
        one.answering = name(THERE)
    _await_refusal(company, token, 9003002, "this region does not write: eu-central-1 does")
    assert company.await_status("payments", "/readyz", 200).said == {"writable": False}
    company.query("payments", "insert into outbox (payment_id, step) values (9003001, 'notify')")
    company.await_logged("payments", '"event": "saga waits"')
    token = company.log_in("user-0011")
    assert company.ask("payments", "GET", "/payments/9003001", Authorization=f"Bearer {token}").status == 200
    assert company.query("payments", "select step from outbox where payment_id = 9003001") == [("notify",)]

    for one in copies:
        one.answering = name(HERE)
    company.await_quiet()
    assert company.pay(token, 9003003).status == 201


def test_a_region_that_is_cut_off(leased: tuple[Company, tuple[HttpCopy, HttpCopy]]) -> None:
    """Where no copy answers its services write until the lease has run out, and again when one does."""
    company, copies = leased
    token = company.log_in("user-0012")
    assert company.pay(token, 9003011).status == 201
    for one in copies:
        one.answering = hang()
    began = time.monotonic()
    _await_refusal(company, token, 9003012, ISOLATED)
    assert 8 - 3 - 2 < time.monotonic() - began < 8 + 1  # it was asked for at most so long before
    copies[1].answering = name(HERE)
    wait_until(
        lambda: company.pay(token, 9003013).status in (200, 201), what="writing", within=WITHIN, every=EVERY
    )
