"""Reads small things at public addresses: one request, one connection, one answer, in no more time than it is given.

By hand: an HTTP client takes 9 MB of a pod's memory. What parses answers here parses a service's requests anyway.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httptools

if TYPE_CHECKING:
    from urllib.parse import SplitResult

_LARGEST_BYTES = 4096


class SilentError(Exception):
    """There was no answer, or one that says nothing."""


class Fetcher:
    """Reads by HTTP. `authority`: the file of those whose certificates are believed; None: the system's."""

    def __init__(self, authority: str | None = None) -> None:
        self._trusted = ssl.create_default_context(cafile=authority)
        self._lookups: dict[str, asyncio.Future[list[Any]]] = {}

    async def get(self, url: str) -> tuple[int, bytes]:
        """Return an answer's status and body; raises `SilentError` and `OSError`. Whoever calls it limits its time."""
        parts = urlsplit(url)
        address = await self._resolve(parts)
        secure = parts.scheme == "https"
        reader, writer = await asyncio.open_connection(
            *address[4][:2], family=address[0], ssl=self._trusted if secure else None,
            server_hostname=parts.hostname if secure else None,
        )  # fmt: skip
        try:
            asked = f"GET {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n"
            writer.write(asked.encode())
            return await _read_answer(reader)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            raise SilentError(f"no HTTP: {error}") from error
        finally:
            writer.transport.abort()

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
        self.body = bytearray()
        self.complete = False

    def on_body(self, part: bytes) -> None:
        self.body += part

    def on_message_complete(self) -> None:
        self.complete = True


async def _read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    answer = _Answer()
    parser = httptools.HttpResponseParser(answer)
    while not answer.complete:
        if not (data := await reader.read(_LARGEST_BYTES)):
            raise SilentError("the answer has no end")
        parser.feed_data(data)
        if len(answer.body) > _LARGEST_BYTES:
            raise SilentError(f"the answer has more than {_LARGEST_BYTES} bytes")
    return parser.get_status_code(), bytes(answer.body)
