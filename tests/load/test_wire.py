from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from drdrill.core.waiting import wait_until
from drdrill.load.answer import Answer, NotSentError, ServerError, WireError, judge
from drdrill.load.scram import Password
from drdrill.load.wire import Connection, Login, open_connection
from drdrill.record.ledger import Outcome

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine

    from tests.load.conftest import Postgres

WRITE = "insert into t (id, amount) values ($1, $2)"
LOOPBACK = 0x7F000001


@pytest.fixture
def server(postgres: Postgres) -> Postgres:
    """Provide the server with a table whose amounts are checked only at the commit."""
    with postgres.connect("payments") as connection:
        connection.execute("create table amounts (amount bigint primary key)")
        connection.execute("insert into amounts values (1), (2)")
        connection.execute(
            "create table t (id bigint primary key,"
            " amount bigint references amounts deferrable initially deferred)"
        )
    return postgres


@asynccontextmanager
async def connected(server: Postgres, password: str | None = None) -> AsyncIterator[Connection]:
    """Provide a connection to the server, closed at the end."""
    login = Login("postgres", "payments", Password(password or server.password))
    connection = await open_connection("127.0.0.1", server.port, login, WRITE, user_timeout_seconds=30)
    try:
        yield connection
    finally:
        connection.close()


async def outcome(answer: Awaitable[Answer]) -> tuple[Outcome, str]:
    """Return what a client believes, and what the server said."""
    try:
        said: Answer | Exception = await answer
    except (ServerError, WireError) as error:
        said = error
    return judge(said), said.sqlstate if isinstance(said, ServerError) else ""


def rows(server: Postgres) -> list[tuple[int, int]]:
    """Return what is in the table."""
    with server.connect("payments") as connection:
        return [(row[0], row[1]) for row in connection.execute("select id, amount from t order by id")]


def test_a_committed_write_is_acknowledged(server: Postgres) -> None:
    """Each write of a connection is committed on its own when its answer comes, and the server is known."""

    async def scenario() -> None:
        async with connected(server) as connection:
            assert connection.server == LOOPBACK
            for identifier in (5, 6):
                answer = await connection.write(identifier, 1)
                assert judge(answer) is Outcome.ACKNOWLEDGED
                assert (identifier, 1) in rows(server)

    asyncio.run(scenario())


def test_a_refused_write_is_rejected_and_the_connection_serves_on(server: Postgres) -> None:
    """A constraint that fails, at once or only at the commit after the command's end, rejects the write."""

    async def scenario() -> None:
        async with connected(server) as connection:
            assert await outcome(connection.write(5, 1)) == (Outcome.ACKNOWLEDGED, "")
            assert await outcome(connection.write(5, 1)) == (Outcome.REJECTED, "23505")
            assert await outcome(connection.write(6, 404)) == (Outcome.REJECTED, "23503")
            assert await outcome(connection.write(7, 2)) == (Outcome.ACKNOWLEDGED, "")

    asyncio.run(scenario())
    assert rows(server) == [(5, 1), (7, 2)]


USUAL = b"2\0\0\0\4C\0\0\0\x0fINSERT 0 1\0Z\0\0\0\5I"
LOCAL_ONLY = b"N\0\0\0\x21SWARNING\0RSyncRepWaitForLSN\0\0"
REFUSED = b"E\0\0\0\x13VERROR\0C23505\0\0Z\0\0\0\5I"


class Wire(asyncio.Transport):
    """A transport that sends nothing anywhere."""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Do nothing."""

    def abort(self) -> None:
        """Do nothing."""


@pytest.mark.parametrize(
    ("chunks", "believed"),
    [
        ([USUAL], Outcome.ACKNOWLEDGED),
        ([USUAL[:9], USUAL[9:]], Outcome.ACKNOWLEDGED),
        ([LOCAL_ONLY, USUAL], Outcome.UNKNOWN),
        ([LOCAL_ONLY + USUAL], Outcome.UNKNOWN),
        ([USUAL[:5], LOCAL_ONLY + USUAL[5:]], Outcome.UNKNOWN),
        ([USUAL[:-1] + b"T"], Outcome.UNKNOWN),
        ([USUAL.replace(b"0 1", b"0 0")], Outcome.REJECTED),
        ([USUAL[:5] + REFUSED], Outcome.REJECTED),
    ],
)
def test_the_usual_answer_means_the_usual_only_as_a_whole(chunks: list[bytes], believed: Outcome) -> None:
    """After answers in the same bytes, one that comes in pieces or with anything else is read as what it is."""

    async def scenario() -> None:
        connection = Connection(Login("u", "d", Password("p")), WRITE, server=1, user_timeout_seconds=1)
        with socket.socket() as unconnected:
            connection.connection_made(Wire({"socket": unconnected}))
        connection.data_received(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\5I")
        for answer in ([USUAL], [USUAL], chunks, [USUAL], chunks):
            said = connection.write(1, 1)
            for chunk in answer:
                connection.data_received(chunk)
            assert said.done()
            assert (await outcome(said))[0] is (believed if answer is chunks else Outcome.ACKNOWLEDGED)

    asyncio.run(scenario())


def test_a_read_only_server_rejects(server: Postgres) -> None:
    """A server that takes no writes says so, definitely."""
    with server.connect() as connection:
        connection.execute("alter database payments set default_transaction_read_only = on")

    async def scenario() -> None:
        async with connected(server) as connection:
            assert await outcome(connection.write(5, 1)) == (Outcome.REJECTED, "25006")

    asyncio.run(scenario())


@pytest.mark.parametrize("ended_by", ["pg_cancel_backend", "pg_terminate_backend"])
def test_a_cancelled_wait_for_the_standby_is_no_acknowledgement(server: Postgres, ended_by: str) -> None:
    """The server reports success when the wait is cancelled; the row is only on its own disk: unknown."""
    server.demand_standby(demanded=True)

    async def scenario() -> Outcome:
        async with connected(server) as connection:
            answer = connection.write(5, 1)

            def end() -> bool:
                waiting = server.waiting_backends()
                with server.connect() as administrator:
                    for backend in waiting:
                        administrator.execute(f"select {ended_by}({backend})".encode())
                return bool(waiting)

            await asyncio.to_thread(
                wait_until,
                end,
                what="a commit that waits",
                within=timedelta(seconds=20),
                every=timedelta(milliseconds=5),
            )
            return (await outcome(answer))[0]

    assert asyncio.run(scenario()) is Outcome.UNKNOWN
    assert rows(server) == [(5, 1)]


def test_a_wrong_password_is_a_definite_error(server: Postgres) -> None:
    """Without a log-in nothing was written: the error comes from connecting."""

    async def scenario() -> None:
        with pytest.raises(ServerError, match="28P01"):
            async with connected(server, password="wrong"):  # noqa: S106 - a wrong one
                pass

    asyncio.run(scenario())


def test_a_closed_connection_sends_nothing(server: Postgres) -> None:
    """A write on a connection that the server closed meanwhile is known not to have left."""

    async def scenario() -> None:
        async with connected(server) as connection:
            with server.connect() as administrator:
                administrator.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where datname = 'payments' and pid <> pg_backend_pid()"
                )
            while connection.ready:  # noqa: ASYNC110 - the loop reads the farewell meanwhile
                await asyncio.sleep(0)
            with pytest.raises(NotSentError):
                await connection.write(5, 1)

    asyncio.run(scenario())
    assert rows(server) == []


def test_a_connection_that_broke_at_once_is_said_at_once() -> None:
    """A server that dies between accepting and log-in is a definite error, not a wait for the time-out."""

    async def scenario() -> None:
        login = Login("u", "d", Password("p"))
        connection = Connection(login, WRITE, server=LOOPBACK, user_timeout_seconds=30)
        connection.connection_lost(ConnectionResetError())
        with pytest.raises(WireError, match="broke before"):
            await connection.start()

    asyncio.run(scenario())


READY = b"R\0\0\0\x08\0\0\0\0" + b"Z\0\0\0\x05I"


async def against(
    talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[None, None, None]],
) -> tuple[Outcome | None, Exception | None]:
    """Connect to a server that talks so, and write once; return the outcome, or how connecting failed."""
    stub = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with stub:
        port = stub.sockets[0].getsockname()[1]
        login = Login("u", "d", Password("p"))
        try:
            connection = await open_connection("127.0.0.1", port, login, WRITE, user_timeout_seconds=30)
        except (OSError, WireError, ServerError) as error:
            return None, error
        try:
            return (await outcome(connection.write(5, 1)))[0], None
        finally:
            connection.abort()


@pytest.mark.parametrize(
    "greeting",
    [
        b"",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"R\0\0\0\x08\0\0\0\x05",
        b"R\0\0\0\x0c\0\0\0\x0bjunk",
        READY[:-3],
    ],
    ids=["silence", "another protocol", "md5", "nonsense", "half"],
)
def test_a_server_that_does_not_speak_the_protocol_is_a_definite_error(greeting: bytes) -> None:
    """Whatever answers instead of PostgreSQL ends the attempt to connect, with an error that says why."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(greeting)
        writer.close()

    outcome_, error = asyncio.run(against(talk))
    assert outcome_ is None
    assert isinstance(error, WireError)


@pytest.mark.parametrize(
    "reply",
    [b"", b"1\0\0\0\x042\0\0\0\x04C\0\0\0\x0fINSERT 0 1\0"],
    ids=["nothing", "command complete but not committed"],
)
def test_an_answer_that_breaks_off_is_unknown(reply: bytes) -> None:
    """A connection that ends after the write left decides nothing, even if the command was complete."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(READY)
        await reader.read(1)
        writer.write(reply)
        writer.close()

    assert asyncio.run(against(talk)) == (Outcome.UNKNOWN, None)
