"""One connection to PostgreSQL that writes one statement, each write committed on its own (protocol 3.0).

Why no driver. A prober logs in 200 times a second. A driver derives the SCRAM keys anew each time, 1.2 ms in
which its event loop stands still; ours are remembered (`scram`). One fresh connection and one write each to a
real PostgreSQL 18, client and server on two cores; asyncpg also needs one more round trip (prepare):

    |                       | CPU a probe  | at 200 a second: of a core, lateness p99, latency p99 |
    | this module           | 0.5 - 0.9 ms | 14 - 16 %, 1.4 - 2.6 ms, 9 - 17 ms                    |
    | asyncpg 0.32          | 2.1 - 2.6 ms | 45 - 47 %, 4.2 - 5.2 ms, 28 - 36 ms                   |
    | psycopg 3.3, libpq 18 | 4.0 - 4.3 ms | did not keep the schedule                             |

Besides, when a request's time is up asyncpg sends the server a cancel request over one more connection. That
ends a commit's wait for the standby: the observer would change what it observes. No TLS is spoken here.

    connect ─▶ start-up ─▶ log-in ─▶ ready ─▶ Bind/Execute/Sync ─▶ ready ─▶ …
    └─────── an error here is definite ────┘  └─ from here on it is the answer that says ─┘
"""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

from drdrill.load.answer import Answer, Notice, NotSentError, ServerError, WireError
from drdrill.load.scram import MECHANISM, Password, ScramError, ScramExchange

_PROTOCOL = 3 << 16
_BIGINT = 20  # its object id in PostgreSQL's catalogue; both parameters are sent in binary
_HEADER = struct.Struct("!ci")
_LENGTH_SIZE = 4  # a message's length counts itself
_LARGEST_MESSAGE = 1 << 20
_AUTHENTICATED, _SASL, _SASL_CONTINUE, _SASL_FINAL = 0, 10, 11, 12


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


# A write is always alike: Bind (statement `w`, two binary parameters of 8 bytes), Execute, Sync. So only the two
# parameters are filled in, between the bytes before and after them.
_PARAMETERS = struct.Struct("!iqiq")
_BIND_HEAD = b"\0w\0" + struct.pack("!hhh", 1, 1, 2)
_BIND_TAIL = struct.pack("!h", 0)
_BEFORE = _message(b"B", _BIND_HEAD + bytes(_PARAMETERS.size) + _BIND_TAIL)[: _HEADER.size + len(_BIND_HEAD)]
_AFTER = _BIND_TAIL + _message(b"E", b"\0" + struct.pack("!i", 0)) + _message(b"S", b"")


@dataclass(frozen=True, slots=True)
class Login:
    """As whom, and to which database."""

    user: str
    database: str
    password: Password


class _Phase(StrEnum):
    STARTING = "starting"
    READY = "ready"
    WRITING = "writing"
    CLOSED = "closed"


class Connection(asyncio.Protocol):
    """A connection that writes `statement` with two bigint parameters. Made by `open_connection`."""

    def __init__(self, login: Login, statement: str, *, server: int, user_timeout_seconds: float) -> None:
        self.server = server  # IPv4 address of the peer, as an integer
        self._user_timeout_ms = int(user_timeout_seconds * 1000)
        self._login = login
        self._statement = statement
        self._prepared = False
        self._phase = _Phase.STARTING
        self._scram = ScramExchange(login.password)
        self._rest = b""  # of a message that has not come whole
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[Answer] | None = None
        self._error: ServerError | None = None
        self._answered: Answer | None = None
        self._tag = ""
        self._notices: list[Notice] = []
        self._untouched = False  # nothing has come yet of the answer to a write
        self._usual: tuple[bytes, Answer] | None = (
            None  # the last answer that came in one piece, and its meaning
        )

    @property
    def ready(self) -> bool:
        """Whether it can take a write now."""
        return self._phase is _Phase.READY

    async def start(self) -> None:
        """Log in. Raises `ServerError` or `WireError`."""
        fields = (b"user", self._login.user.encode(), b"database", self._login.database.encode())
        body = struct.pack("!i", _PROTOCOL) + b"".join(field + b"\0" for field in fields) + b"\0"
        await self._ask(struct.pack("!i", len(body) + 4) + body)

    def write(self, identifier: int, amount: int) -> asyncio.Future[Answer]:
        """Send one write and return its answer to come, which may raise `ServerError` or `WireError`.

        Raises `NotSentError` itself when nothing was sent. The answer comes after the commit: in the extended
        protocol a command is complete *before* it is committed, so only the following ReadyForQuery counts.
        """
        if not self.ready:
            raise NotSentError("the connection was closed before the write")
        message = _BEFORE + _PARAMETERS.pack(8, identifier, 8, amount) + _AFTER
        if not self._prepared:
            types = struct.pack("!hii", 2, _BIGINT, _BIGINT)
            message = _message(b"P", b"w\0" + self._statement.encode() + b"\0" + types) + message
        self._phase = _Phase.WRITING
        return self._ask(message)

    def close(self) -> None:
        """Take leave politely; returns at once."""
        if self._transport is not None and self._phase is not _Phase.CLOSED:
            self._transport.write(_message(b"X", b""))
            self._transport.close()
        self._phase = _Phase.CLOSED

    def abort(self) -> None:
        """Drop the connection at once: the other side may be dead and would never take a farewell."""
        self._phase = _Phase.CLOSED
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport (called by the event loop)."""
        self._transport = cast("asyncio.Transport", transport)  # a stream has no other kind
        # Here and not later: a server that dies may have reset the connection before anybody else looks at it.
        peer = transport.get_extra_info("socket")
        with suppress(OSError):
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, self._user_timeout_ms)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits that no answer will come (called by the event loop)."""
        self._phase = _Phase.CLOSED
        self._fail(self._error or WireError(f"the connection broke: {exc or 'the server closed it'}"))

    def data_received(self, data: bytes) -> None:
        """Take what the server said (called by the event loop)."""
        whole, self._untouched = self._untouched, False
        if whole and self._usual is not None and data == self._usual[0] and self._phase is _Phase.WRITING:
            # Nearly always: the same bytes mean the same, and reading them again takes 5 of a write's 20 microseconds.
            self._phase = _Phase.READY
            self._answer(self._usual[1])
            return
        if self._rest:
            data = self._rest + data
        position, size = 0, len(data)
        try:
            while size - position >= _HEADER.size:
                kind, length = _HEADER.unpack_from(data, position)
                if not _LENGTH_SIZE <= length <= _LARGEST_MESSAGE:
                    raise WireError("the server does not speak PostgreSQL's protocol")  # noqa: TRY301
                end = position + 1 + length
                if size < end:
                    break
                self._receive(kind, data[position + _HEADER.size : end])
                position = end
        except (WireError, ScramError, struct.error, UnicodeDecodeError, ValueError) as error:
            self._fail(error if isinstance(error, WireError) else WireError(str(error)))
            self.abort()
        self._rest = data[position:]
        if whole and self._answered is not None and not self._rest:
            self._usual = data, self._answered

    def _ask(self, message: bytes) -> asyncio.Future[Answer]:
        if self._transport is None or self._phase is _Phase.CLOSED:
            raise WireError("the connection broke before it was used")
        self._error, self._tag, self._notices, self._answered = None, "", [], None
        self._untouched = self._phase is _Phase.WRITING and not self._rest
        self._waiter = asyncio.get_running_loop().create_future()
        self._transport.write(message)
        return self._waiter

    def _fail(self, error: Exception) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_exception(error)

    def _receive(self, kind: bytes, body: bytes) -> None:
        if kind == b"C":
            self._tag = body.rstrip(b"\0").decode("ascii")
        elif kind == b"Z" and self._phase is not _Phase.CLOSED:
            self._finish(idle=body == b"I")
        elif kind == b"1":
            self._prepared = True
        elif kind == b"R":
            self._authenticate(body)
        elif kind == b"E":
            fields = _fields(body)
            severity, sqlstate, message = (fields.get(key, "") for key in "VCM")
            self._error = ServerError(severity, sqlstate, message, self.server)
            if self._error.fatal or self._phase is not _Phase.WRITING:
                self._fail(self._error)
                self.abort()
        elif kind == b"N":
            fields = _fields(body)
            self._notices.append(Notice(*(fields.get(key, "") for key in "VMFR")))

    def _finish(self, *, idle: bool) -> None:
        self._phase = _Phase.READY
        if self._error is not None:
            self._fail(self._error)
            return
        self._answered = Answer(self.server, self._tag, tuple(self._notices), idle)
        self._answer(self._answered)

    def _answer(self, answer: Answer) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(answer)

    def _authenticate(self, body: bytes) -> None:
        (request,) = struct.unpack_from("!i", body)
        rest = body[4:]
        if request == _AUTHENTICATED:
            return
        if request == _SASL and MECHANISM in rest.split(b"\0"):
            first = self._scram.first()
            reply = MECHANISM + b"\0" + struct.pack("!i", len(first)) + first
        elif request == _SASL_CONTINUE:
            reply = self._scram.final(rest)
        elif request == _SASL_FINAL:
            self._scram.verify(rest)
            return
        else:
            raise WireError(f"the server asks for a way of logging in that is not supported ({request})")
        if self._transport is not None:
            self._transport.write(_message(b"p", reply))


async def open_connection(
    address: str, port: int, login: Login, statement: str, *, user_timeout_seconds: float
) -> Connection:
    """Connect and log in; after an error (`OSError`, `WireError`, `ServerError`) nothing was written.

    `user_timeout_seconds` bounds for how long the kernel waits for a dead peer to acknowledge data.
    Has no time limit of its own: it is cancelled by whoever waits, and leaves nothing open then.
    `address` is IPv4.
    """
    # From the address that we asked for: a connection that was reset at once has no peer any more.
    server = int.from_bytes(socket.inet_aton(address), "big")
    connection = Connection(login, statement, server=server, user_timeout_seconds=user_timeout_seconds)
    try:
        await asyncio.get_running_loop().create_connection(
            lambda: connection, address, port, family=socket.AF_INET
        )
        await connection.start()
    except BaseException:
        connection.abort()
        raise
    return connection


def _fields(body: bytes) -> dict[str, str]:
    parts = body.rstrip(b"\0").split(b"\0")
    return {part[:1].decode("ascii"): part[1:].decode("utf-8", "replace") for part in parts}
