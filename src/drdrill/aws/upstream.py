"""The port to whoever answers for the services that are not ours, and how a call is handed on to it.

An upstream speaks AWS's protocols over plain HTTP and knows region and service by a call's signature, as moto and
LocalStack do. It stands behind the gate: nobody reaches it in another way.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlsplit

from drdrill.aws.errors import AwsError
from drdrill.core.errors import DrdrillError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from drdrill.aws.request_body import Body

RAW_HEADERS = (
    "drdrill.headers"  # in a request's environment: as they were sent; S3 tells `x_y` and `x-y` apart
)
_CHUNK = 1 << 16
# Of one connection, or said anew on the next one (RFC 9110, 7.6.1).
_OWN_HEADERS = frozenset(
    {"connection", "expect", "keep-alive", "te", "transfer-encoding", "upgrade", "server", "date"}
)
_APART = ("CONTENT_TYPE", "CONTENT_LENGTH")
_URL = "%/?:@!$&'()*+,;=~-._#[]"  # what stays as it was sent


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it came. `service` is the name in signatures; `target`: path and query, as they were encoded."""

    region: str
    service: str
    operation: str
    method: str
    host: str
    target: str
    headers: tuple[tuple[str, str], ...]

    @property
    def path(self) -> str:
        """The path, encoded."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The query, encoded."""
        return self.target.partition("?")[2]

    def header(self, wanted: str) -> str:
        """Return a header's value, `` where there is none."""
        return next((value for name, value in self.headers if name.lower() == wanted), "")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: status, headers, and its body in pieces."""

    status: int
    headers: tuple[tuple[str, str], ...]
    chunks: Iterable[bytes]

    def header(self, wanted: str) -> str:
        """Return a header's value, `` where there is none."""
        return next((value for name, value in self.headers if name.lower() == wanted), "")

    def with_header(self, name: str, value: str) -> Reply:
        """Return the same answer with a header that replaces those of its name."""
        others = (one for one in self.headers if one[0].lower() != name.lower())
        return replace(self, headers=(*others, (name, value)))


class Upstream(Protocol):
    """Whoever answers for the services that are not ours."""

    @property
    def name(self) -> str:
        """Its name, for people."""
        ...

    @property
    def started(self) -> bool:
        """Whether anything was ever asked of it: until then everything in it is as it was made."""
        ...

    def connect(self) -> HTTPConnection:
        """Return a new connection, starting it first where that is ours to do; raises `DrdrillError`."""
        ...


def scope(region: str, service: str) -> str:
    """Return the header that tells an upstream region and service of a call of ours; nobody verifies signatures."""
    credential = f"mirror/20260101/{region}/{service}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0"


def read_call(environ: Mapping[str, Any], region: str, service: str, operation: str) -> Call:
    """Return the call that a request (WSGI) is."""
    raw = str(environ.get("RAW_URI", ""))
    if not raw:
        raw = quote(str(environ.get("PATH_INFO", "/")), safe=_URL)
        raw += f"?{query}" if (query := environ.get("QUERY_STRING", "")) else ""
    elif not raw.startswith("/"):  # sent as to a proxy
        split = urlsplit(raw)
        raw = f"{split.path or '/'}{'?' + split.query if split.query else ''}"
    return Call(
        region,
        service,
        operation,
        str(environ.get("REQUEST_METHOD", "GET")),
        str(environ.get("HTTP_HOST", "")),
        quote(raw, safe=_URL, encoding="latin-1"),
        tuple(environ.get(RAW_HEADERS) or _read_headers(environ)),
    )


def _read_headers(environ: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in environ.items():
        name = key.removeprefix("HTTP_") if key.startswith("HTTP_") else ""
        if name in _APART:  # servers put these two where no other header is
            continue
        if key in _APART and value:
            name = key
        if name:
            yield name.replace("_", "-").title(), str(value)


def send(upstream: Upstream, call: Call, body: Body) -> Reply:
    """Hand a call on and return what is answered; raises AWS's ServiceUnavailable where nobody answers."""
    try:
        connection = upstream.connect()
    except DrdrillError as error:
        raise AwsError("ServiceUnavailable", str(error), status=503) from error
    try:
        answer = _exchange(connection, call, body)
    except (OSError, HTTPException) as error:
        connection.close()
        text = f"{upstream.name}, which answers for {call.service}, does not: {error}"
        raise AwsError("ServiceUnavailable", text, status=503) from error
    headers = tuple((name, value) for name, value in answer.getheaders() if name.lower() not in _OWN_HEADERS)
    return Reply(answer.status, headers, _stream(connection, answer))


def _exchange(connection: HTTPConnection, call: Call, body: Body) -> HTTPResponse:
    connection.putrequest(call.method, call.target, skip_host=True, skip_accept_encoding=True)
    connection.putheader("Host", call.host)
    for name, value in call.headers:
        if name.lower() not in _OWN_HEADERS | {"host"} and (name.lower(), body.length) != (
            "content-length",
            None,
        ):
            connection.putheader(name, value)
    if body.length is None:
        connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it has answered already
        for chunk in body.chunks():
            connection.send(b"%x\r\n%b\r\n" % (len(chunk), chunk) if body.length is None else chunk)
        if body.length is None:
            connection.send(b"0\r\n\r\n")
    return connection.getresponse()


def _stream(connection: HTTPConnection, answer: HTTPResponse) -> Iterator[bytes]:
    try:
        while chunk := answer.read(_CHUNK):
            yield chunk
    finally:
        connection.close()
