"""Reads small things at public addresses: one request, one answer, in no more time than it is given.

By hand: an HTTP client takes 9 MB of a pod's memory. What parses answers here parses a service's requests anyway.

A connection is kept for the next request, for half a minute at most: what a name leads to changes. One on which
anything went wrong is not kept, so that no answer is taken for that of another request.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httptools

if TYPE_CHECKING:
    from urllib.parse import SplitResult

_LARGEST_BYTES = 4096
_KEPT_SECONDS = 30.0


class SilentError(Exception):
    """There was no answer, or one that says nothing."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A connection, and when it came about, by a clock that only goes on."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    since: float

    @property
    def lives(self) -> bool:
        """Whether another request may be sent by it."""
        return not self.reader.at_eof() and time.monotonic() - self.since < _KEPT_SECONDS

    def end(self) -> None:
        """Give it up, whatever is under way."""
        self.writer.transport.abort()


class Fetcher:
    """Reads by HTTP. `authority`: the file of those whose certificates are believed; None: the system's."""

    def __init__(self, authority: str | None = None) -> None:
        self._trusted = ssl.create_default_context(cafile=authority)
        self._lookups: dict[str, asyncio.Future[list[Any]]] = {}
        self._kept: dict[str, _Line] = {}

    async def get(self, url: str) -> tuple[int, bytes]:
        """Return an answer's status and body; raises `SilentError` and `OSError`. Whoever calls it limits its time."""
        parts = urlsplit(url)
        kept = self._kept.pop(f"{parts.scheme}://{parts.netloc}", None)
        if kept is not None:
            if kept.lives:
                with contextlib.suppress(
                    SilentError, OSError
                ):  # its server gave it up: there is a new one below
                    return await self._ask(kept, parts)
            else:
                kept.end()
        return await self._ask(await self._connect(parts), parts)

    def close(self) -> None:
        """End what was kept."""
        while self._kept:
            self._kept.popitem()[1].end()

    async def _connect(self, parts: SplitResult) -> _Line:
        address = await self._resolve(parts)
        secure = parts.scheme == "https"
        reader, writer = await asyncio.open_connection(
            *address[4][:2], family=address[0], ssl=self._trusted if secure else None,
            server_hostname=parts.hostname if secure else None,
        )  # fmt: skip
        return _Line(reader, writer, time.monotonic())

    async def _ask(self, line: _Line, parts: SplitResult) -> tuple[int, bytes]:
        keeps = False
        try:
            line.writer.write(f"GET {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
            status, body, keeps = await _read_answer(line.reader)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            raise SilentError(f"no HTTP: {error}") from error
        finally:
            if not keeps:
                line.end()
        if keeps:
            self._keep(f"{parts.scheme}://{parts.netloc}", line)
        return status, body

    def _keep(self, origin: str, line: _Line) -> None:
        other = self._kept.pop(origin, None)
        if other is not None:
            other.end()
        self._kept[origin] = line

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
    """What a parser of HTTP tells. `keeps`: its server keeps the connection, which the parser knows until the end."""

    def __init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.body = bytearray()
        self.complete = self.keeps = False

    def on_body(self, part: bytes) -> None:
        self.body += part

    def on_message_complete(self) -> None:
        self.complete, self.keeps = True, self.parser.should_keep_alive()


async def _read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes, bool]:
    """Return an answer's status and body, and whether its server keeps the connection."""
    answer = _Answer()
    while not answer.complete:
        if not (data := await reader.read(_LARGEST_BYTES)):
            raise SilentError("the answer has no end")
        answer.parser.feed_data(data)
        if len(answer.body) > _LARGEST_BYTES:
            raise SilentError(f"the answer has more than {_LARGEST_BYTES} bytes")
    return answer.parser.get_status_code(), bytes(answer.body), answer.keeps
