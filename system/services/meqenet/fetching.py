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
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httptools

if TYPE_CHECKING:
    from urllib.parse import SplitResult

_LARGEST_BYTES = 4096


class SilentError(Exception):
    """There was no answer, or one that says nothing."""


class _EndedError(Exception):
    """A kept connection was ended by the other side before it answered: nobody was asked."""


@dataclass(frozen=True, slots=True)
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def end(self) -> None:
        """End it at once, whatever is under way."""
        self.writer.transport.abort()


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
        return _Connection(
            *await asyncio.open_connection(
                *address[4][:2], family=address[0], ssl=self._trusted if secure else None,
                server_hostname=parts.hostname if secure else None,
            )
        )  # fmt: skip

    async def _ask(self, connection: _Connection, parts: SplitResult) -> tuple[int, bytes]:
        """Ask by a connection, and keep it if that may be; raises `_EndedError` where it was ended before."""
        stays = False
        try:
            connection.writer.write(
                f"GET {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()
            )
            status, body, stays = await _read_answer(connection.reader)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            raise SilentError(f"no HTTP: {error}") from error
        finally:
            if not stays:
                connection.end()
        self._keep((parts.scheme, parts.netloc), connection)
        return status, body

    def _keep(self, place: tuple[str, str], connection: _Connection) -> None:
        other = self._kept.get(place)
        if other is not None:
            other.end()
        self._kept[place] = connection

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


class _Answer:
    """What a parser of HTTP tells."""

    def __init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.body = bytearray()
        self.complete = False
        self.stays = False  # whether its connection may be asked again

    def on_body(self, part: bytes) -> None:
        self.body += part

    def on_message_complete(self) -> None:
        self.complete = True
        self.stays = self.parser.should_keep_alive()  # it knows no more afterwards


async def _read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes, bool]:
    """Return status, body, and whether the connection may be asked again; raises `_EndedError` where nothing came."""
    answer = _Answer()
    begun = False
    while not answer.complete:
        try:
            data = await reader.read(_LARGEST_BYTES)
        except ConnectionError as error:
            if begun:
                raise
            raise _EndedError from error
        if not data:
            raise SilentError("the answer has no end") if begun else _EndedError
        begun = True
        answer.parser.feed_data(data)
        if len(answer.body) > _LARGEST_BYTES:
            raise SilentError(f"the answer has more than {_LARGEST_BYTES} bytes")
    return answer.parser.get_status_code(), bytes(answer.body), answer.stays
