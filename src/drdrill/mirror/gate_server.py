"""The server of AWS's endpoints: HTTP/1.1 over TLS, and connections that stay open for the next call, as AWS's do.

Werkzeug's own handler closes every connection after its answer. On a busy machine Terraform's provider (Go) sent a call
again now and then whose answer had been given, and what is created then is there twice; why it misses the answer is not
known, and with connections that stay open it was not seen. And each call costs a handshake.
"""

from __future__ import annotations

import logging
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from werkzeug.serving import DechunkedInput, WSGIRequestHandler, make_server
from werkzeug.wsgi import LimitedStream

from drdrill.aws.upstream import RAW_HEADERS

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable, Sequence
    from wsgiref.types import WSGIApplication

# A connection on which nothing comes is closed then. Longer than Go's clients keep one (90 s): what they send at the
# very moment at which it is closed is lost, and sent again.
_SILENCE_SECONDS = 100.0
_CHUNK = 1 << 16
_WITHOUT_CONTENT = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
_WITHOUT_HEADERS = "HTTP/0.9"
_TIMED_OUT = "Request timed out"  # how `http.server` tells of a connection that was silent
_log = logging.getLogger(__name__)


def serve(gate: WSGIApplication, context: ssl.SSLContext) -> None:
    """Serve an application at all addresses of this network, in threads of this process; returns at once."""
    server = make_server(
        "0.0.0.0",  # noqa: S104 (the world's own network: all addresses of the AWS endpoints)
        443,
        gate,
        threaded=True,
        ssl_context=context,
        request_handler=PersistentHandler,
    )
    server.daemon_threads = True  # type: ignore[attr-defined]  # of the threaded server that was asked for
    # In the connection's own thread: whoever connects and says nothing must not keep the others out.
    server.socket.do_handshake_on_connect = False  # type: ignore[attr-defined]  # a TLS socket, by its context
    threading.Thread(target=server.serve_forever, name="gate", daemon=True).start()


class PersistentHandler(WSGIRequestHandler):
    """Answers the calls of one connection, one after the other."""

    protocol_version = "HTTP/1.1"
    timeout = _SILENCE_SECONDS
    disable_nagle_algorithm = True  # a second piece would wait for the client's delayed acknowledgement

    def make_environ(self) -> dict[str, Any]:
        """Keep the headers as they came, too: an object's metadata may have names that WSGI cannot tell apart."""
        return {**super().make_environ(), RAW_HEADERS: tuple(self.headers.items())}

    def run_wsgi(self) -> None:
        """Answer one call, and leave the connection where the next one begins, or end it."""
        stated = self.headers.get("Content-Length", "0") if self.request_version != _WITHOUT_HEADERS else ""
        if not stated.strip().isdecimal():
            self.close_connection = True
            self.send_error(HTTPStatus.BAD_REQUEST)
            return
        self._begun = False
        environ = self.make_environ()
        chunked = isinstance(environ["wsgi.input"], DechunkedInput)
        body = environ["wsgi.input"] = _Pieces(self.rfile) if chunked else _Body(self.rfile, int(stated))  # type: ignore[arg-type]  # typeshed's IO
        try:
            self._call(environ)
            while body.read(_CHUNK):
                pass
        except _GoneError as error:
            self.close_connection = True
            self.connection_dropped(error, environ)
        except Exception as error:  # noqa: BLE001 (the edge: its caller must get an answer, and we must hear of it)
            _log.exception("%s %s could not be answered", self.command, self.path)
            self.close_connection = True
            if not self._begun:
                self._headers_buffer: list[bytes] = []
                # A connection that ends without a word is a call that SDKs send again.
                self._answer("500 Internal Server Error", [], [f"The mirror failed: {error}".encode()])

    def _call(self, environ: dict[str, Any]) -> None:
        said: list[tuple[str, Sequence[tuple[str, str]]]] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], _: object = None, /
        ) -> Callable[[bytes], object]:
            said.append((status, headers))
            return self.wfile.write  # nobody uses it

        chunks = self.server.app(environ, start_response)
        try:
            self._answer(*said[-1], chunks)
        finally:
            if (close := getattr(chunks, "close", None)) is not None:
                close()

    def _answer(self, status: str, headers: Sequence[tuple[str, str]], chunks: Iterable[bytes]) -> None:
        """Send an answer; one whose length nobody knows goes in pieces, or to the connection's end (HTTP/1.0)."""
        code, _, phrase = status.partition(" ")
        named = {name.lower(): value for name, value in headers}
        stated = int(named["content-length"]) if "content-length" in named else None
        has_content = self.command != "HEAD" and int(code) not in _WITHOUT_CONTENT
        if has_content and stated is None and isinstance(chunks, list | tuple):
            stated = sum(len(one) for one in chunks)
            headers = [*headers, ("Content-Length", str(stated))]
        newest = self.request_version == self.protocol_version
        in_pieces = has_content and stated is None and newest
        self.close_connection |= not newest or named.get("connection", "").lower() == "close"
        self.send_response(int(code), phrase)
        for name, value in headers:
            if name.lower() != "connection":
                self.send_header(name, value)
        if in_pieces:
            self.send_header("Transfer-Encoding", "chunked")
        if self.close_connection:
            self.send_header("Connection", "close")
        # One packet for what is small: headers go with the first piece.
        self._headers_buffer.append(b"\r\n")
        waiting = b"".join(self._headers_buffer)
        self._headers_buffer.clear()
        sent = 0
        for chunk in chunks if has_content else ():
            sent += len(chunk)
            if stated is not None and sent > stated:
                break
            if chunk:
                self._send(waiting + (b"%x\r\n%b\r\n" % (len(chunk), chunk) if in_pieces else chunk))
                waiting = b""
        self._send(waiting + (b"0\r\n\r\n" if in_pieces else b""))
        if has_content and stated not in (None, sent):
            self.close_connection = (
                True  # else its caller would wait for the rest, or read it as the next answer
            )
            text = "%s %s: an answer of another length than it says, %s bytes"
            _log.error(text, self.command, self.path, stated)

    def _send(self, data: bytes) -> None:
        self._begun = True
        try:
            self.wfile.write(data)
        except OSError as error:
            raise _GoneError("nobody takes the answer") from error

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Keep quiet: what matters stands in the journal and in RDS's events."""

    def log_error(self, format: str, *args: object) -> None:  # noqa: A002 (as the standard library names it)
        """Tell what went wrong; a connection that nobody used any more did not."""
        if not format.startswith(_TIMED_OUT):
            super().log_error(format, *args)


class _GoneError(ConnectionError):
    """Whoever calls is gone, silent in the middle, or says what is no HTTP."""


class _Body(LimitedStream):
    """A request's body of known length."""

    def on_disconnect(self, error: Exception | None = None) -> None:
        """Say that it is not all there: half an object must not be taken for one."""
        raise _GoneError("the request broke off") from error


class _Pieces(DechunkedInput):
    """A request's body in pieces."""

    def readinto(self, buf: bytearray) -> int:  # type: ignore[override]  # as its own
        """Read on; raises `_GoneError` where it broke off."""
        try:
            return super().readinto(buf)
        except OSError as error:
            raise _GoneError("the request broke off") from error
