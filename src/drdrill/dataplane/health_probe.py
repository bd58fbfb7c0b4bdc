"""One look at an endpoint, as one of Route 53's health checkers takes it, and what a checker makes of several.

Source: Route 53's developer guide, "How Amazon Route 53 determines whether a health check is healthy" (times, status
codes, the first 5,120 bytes) and "Values that you specify when you create or update health checks".
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any

_CONNECT_SECONDS = {"TCP": 10.0}
_CONNECT_SECONDS_OF_HTTP = 4.0
_ANSWER_SECONDS = 2.0  # from the connection to the status, and from the status to the body
_SEARCHED_BYTES = 5120
_LONGEST_LINE = 8192
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ?(.*)")
_PLAIN_PORTS = {"HTTP": 80, "HTTPS": 443}


@dataclass(frozen=True, slots=True)
class Probe:
    """What is looked at, and how. `type` without `_STR_MATCH`; `search` is what that one searches, `` for nothing.

    `address` is what is connected to: an IP address, or a name that is resolved each time.
    """

    identifier: str
    type: str
    address: str
    port: int
    host: str = ""  # of the `Host` header and TLS's server name
    path: str = "/"
    search: str = ""
    server_name: bool = True
    interval_seconds: int = 30
    failure_threshold: int = 3

    def to_json(self) -> dict[str, Any]:
        """Return it as a document."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found, and the words in which AWS reports it."""

    good: bool
    status: str


@dataclass(slots=True)
class Opinion:
    """What a checker holds of an endpoint: it changes its mind after as many looks in a row as the threshold says."""

    threshold: int
    healthy: bool = True  # until it knows better: a new check counts as healthy
    _differing: int = 0

    def take(self, *, good: bool) -> bool:
        """Take one look into account, and return what it holds now."""
        self._differing = 0 if good is self.healthy else self._differing + 1
        if self._differing >= self.threshold:
            self.healthy, self._differing = good, 0
        return self.healthy


async def look(probe: Probe) -> Look:
    """Look at an endpoint once."""
    patience = _CONNECT_SECONDS.get(probe.type, _CONNECT_SECONDS_OF_HTTP)
    try:
        async with asyncio.timeout(patience):
            reader, writer = await _connect(probe)
    except (OSError, ValueError) as error:
        return Look(good=False, status=f"Failure: {_explain(error)}")
    try:
        if probe.type == "TCP":
            return Look(good=True, status="Success: TCP connection established.")
        return await _ask(probe, reader, writer)
    except TimeoutError:
        words = f"The endpoint did not respond within {_ANSWER_SECONDS:g} seconds after the connection."
        return Look(good=False, status=f"Failure: {words}")
    except (OSError, ValueError, asyncio.IncompleteReadError) as error:
        return Look(good=False, status=f"Failure: The endpoint's response could not be read: {error}.")
    finally:
        writer.transport.abort()  # no farewell that a dead endpoint could delay


def _explain(error: OSError | ValueError) -> str:
    """Say why there is no connection: nobody answers in time, the name leads nowhere, or somebody refuses."""
    match error:
        case TimeoutError():
            words = "The endpoint or the internet connection is down, or requests are being blocked by your firewall."
            return f"Connection timed out. {words}"
        case socket.gaierror():
            return f"DNS resolution failed: {error.strerror}."
        case UnicodeError():  # an empty label, or one that is too long: nobody is even asked
            return "DNS resolution failed: the name is none that DNS can have."
        case ssl.SSLError():
            return f"SSL handshake failed: {error.reason}."
        case _:
            return f"Connection failed: {getattr(error, 'strerror', None) or error}."


async def _connect(probe: Probe) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if probe.type != "HTTPS":
        return await asyncio.open_connection(probe.address, probe.port, limit=_LONGEST_LINE)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # as documented: invalid and expired certificates are no failure
    name = probe.host if probe.server_name and probe.host else ""
    return await asyncio.open_connection(
        probe.address, probe.port, limit=_LONGEST_LINE, ssl=context, server_hostname=name
    )


async def _ask(probe: Probe, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Look:
    host = probe.host or probe.address
    if probe.port != _PLAIN_PORTS[probe.type]:
        host = f"{host}:{probe.port}"
    request = (
        f"GET {probe.path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Amazon-Route53-Health-Check-Service\r\n"
    )
    async with asyncio.timeout(_ANSWER_SECONDS):
        writer.write(f"{request}Accept: */*\r\nConnection: close\r\n\r\n".encode())
        found = _STATUS.match(await reader.readline())
    if not found:
        return Look(good=False, status="Failure: The endpoint's response is no HTTP.")
    code = int(found[1])
    said = f"HTTP Status Code {code}, {found[2].decode('latin-1').strip() or _phrase(code)}"
    if not HTTPStatus.OK <= code < HTTPStatus.BAD_REQUEST:
        return Look(good=False, status=f"Failure: {said}.")
    if not probe.search:
        return Look(good=True, status=f"Success: {said}.")
    async with asyncio.timeout(_ANSWER_SECONDS):
        while (await reader.readline()).strip():
            pass
        body = await _read_beginning(reader)
    if probe.search.encode() in body:
        return Look(good=True, status=f"Success: {said}. Found string match.")
    words = f"The endpoint's response body does not contain the search string in its first {_SEARCHED_BYTES} bytes."
    return Look(good=False, status=f"Failure: {said}. {words}")


async def _read_beginning(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while len(body) < _SEARCHED_BYTES and (part := await reader.read(_SEARCHED_BYTES - len(body))):
        body += part
    return body


def _phrase(code: int) -> str:
    try:
        return HTTPStatus(code).phrase
    except ValueError:
        return "no reason"
