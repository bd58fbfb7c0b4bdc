"""Reads small things at public addresses: one request, one answer, in no more time than it is given.

Connections are kept for the next request to the same place: every pod asks every few seconds, and a handshake costs
more than all the rest. By hand: an HTTP client takes 9 MB of a pod's memory. What parses answers here parses a
service's requests anyway.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import ssl
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import httptools

if TYPE_CHECKING:
    from urllib.parse import SplitResult

_LARGEST_BYTES = 4096
_KEPT_SECONDS = 10.0  # what nobody used for longer may be dead, and would be found so when it is needed
_FINAL = 200  # statuses below it are followed by the answer


class SilentError(Exception):
    """There was no answer, or one that says nothing."""


class _EndedError(Exception):
    """A connection was ended before anything of an answer came: whoever only reads may ask again."""


class Fetcher:
    """Reads by HTTP. `authority`: the file of those whose certificates are believed; None: the system's."""

    def __init__(self, authority: str | None = None) -> None:
        self._trusted = ssl.create_default_context(cafile=authority)
        self._lookups: dict[str, asyncio.Future[list[Any]]] = {}
        self._kept: dict[tuple[str, str], _Connection] = {}

    async def get(self, url: str) -> tuple[int, bytes]:
        """Return an answer's status and body; raises `SilentError` and `OSError`. Whoever calls it limits its time."""
        parts = urlsplit(url)
        kept = self._kept.pop((parts.scheme, parts.netloc), None)  # whoever asks meanwhile opens another one
        if kept is not None:
            with contextlib.suppress(_EndedError):
                return await self._ask(kept, parts)
        try:
            return await self._ask(await self._connect(parts), parts)
        except _EndedError as error:
            raise SilentError("the connection was ended without an answer") from error

    def close(self) -> None:
        """End the connections that are kept."""
        while self._kept:
            self._kept.popitem()[1].end()

    async def _connect(self, parts: SplitResult) -> _Connection:
        address = await self._resolve(parts)
        secure = parts.scheme == "https"
        _, connection = await asyncio.get_running_loop().create_connection(
            _Connection, *address[4][:2], family=address[0], ssl=self._trusted if secure else None,
            server_hostname=parts.hostname if secure else None,
        )  # fmt: skip
        return connection

    async def _ask(self, connection: _Connection, parts: SplitResult) -> tuple[int, bytes]:
        """Ask by a connection, and keep it if that may be; raises `_EndedError` where it was ended before."""
        request = f"GET {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n"
        said = await connection.ask(request.encode())
        if connection.usable:
            other = self._kept.get((parts.scheme, parts.netloc))
            if other is not None:
                other.end()
            self._kept[parts.scheme, parts.netloc] = connection
        return said

    async def _resolve(self, parts: SplitResult) -> Any:
        """Return one of a name's addresses. A look-up cannot be ended: there is never more than one of a name."""
        host = parts.hostname or ""
        asked = self._lookups.get(host)
        if asked is None:
            port = parts.port or (443 if parts.scheme == "https" else 80)
            loop = asyncio.get_running_loop()
            asked = asyncio.ensure_future(loop.getaddrinfo(host, port, type=socket.SOCK_STREAM))
            self._lookups[host] = asked
            asked.add_done_callback(lambda done: self._forget(host, done))
        return random.choice(await asyncio.shield(asked))  # noqa: S311 (spread, no secret)

    def _forget(self, host: str, done: asyncio.Future[list[Any]]) -> None:
        del self._lookups[host]
        with contextlib.suppress(asyncio.CancelledError):
            done.exception()  # whoever asked may have gone


class _Connection(asyncio.Protocol):
    """A connection, asked one thing at a time.

    What comes unasked ends it, and what comes beside an answer: nothing of that may ever answer another question.
    """

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[tuple[int, bytes]] | None = None
        self._answer = _Answer()
        self._used = 0.0

    @property
    def usable(self) -> bool:
        """Whether it may be asked."""
        idle = asyncio.get_running_loop().time() - self._used
        return self._transport is not None and not self._transport.is_closing() and idle < _KEPT_SECONDS

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Return an answer's status and body; raises `_EndedError` and `SilentError`."""
        loop = asyncio.get_running_loop()
        if not self.usable or self._transport is None:
            self.end()
            raise _EndedError
        self._answer, self._waiting = _Answer(), loop.create_future()
        stays = False
        try:
            self._transport.write(request)
            said = await self._waiting
            stays = self._answer.stays
            return said
        finally:
            self._waiting, self._used = None, loop.time()
            if not stays:
                self.end()

    def end(self) -> None:
        """End it at once, whatever is under way."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin (asyncio)."""
        self._transport = cast("asyncio.Transport", transport)
        self._used = asyncio.get_running_loop().time()

    def data_received(self, data: bytes) -> None:
        """Hear a piece of an answer (asyncio)."""
        if self._waiting is None or self._waiting.done():
            self.end()
            return
        try:
            self._answer.feed(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._waiting.set_exception(SilentError(f"no HTTP: {error}"))
            return
        if len(self._answer.body) > _LARGEST_BYTES:
            text = f"the answer has more than {_LARGEST_BYTES} bytes"
            self._waiting.set_exception(SilentError(text))
        elif self._answer.complete:
            self._waiting.set_result((self._answer.status, bytes(self._answer.body)))

    def connection_lost(self, _: Exception | None) -> None:
        """Hear that it has ended (asyncio)."""
        if self._waiting is not None and not self._waiting.done():
            begun = self._answer.begun
            self._waiting.set_exception(SilentError("the answer has no end") if begun else _EndedError())


class _Answer:
    """What a parser of HTTP tells of one answer."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self.status = 0
        self.body = bytearray()
        self.begun = self.complete = False
        self.stays = False  # whether its connection may be asked again

    def feed(self, data: bytes) -> None:
        """Take a piece; raises httptools' errors."""
        self.begun = True
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self.stays = False  # what comes after the answer belongs to nobody's question

    def on_body(self, part: bytes) -> None:
        if not self.complete:
            self.body += part

    def on_message_complete(self) -> None:
        if not self.complete and self._parser.get_status_code() >= _FINAL:
            self.complete = True
            self.status = self._parser.get_status_code()
            self.stays = self._parser.should_keep_alive()  # it knows no more afterwards
