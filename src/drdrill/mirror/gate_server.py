"""The server of AWS's endpoints: HTTP/1.1 over TLS, and connections that stay open for the next call, as AWS's do.

Werkzeug's own handler closes every connection after its answer. Some clients lose the answer over that: Terraform's
provider (Go, under load one call in some hundreds) takes the end of the connection for the end of the call and sends it
again, and what is created then is there twice. And each call costs a handshake.
"""

from __future__ import annotations

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

_SILENCE_SECONDS = 60.0  # a connection on which nothing comes is closed then
_CHUNK = 1 << 16
_WITHOUT_CONTENT = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
_TIMED_OUT = "Request timed out"  # how `http.server` tells of a connection that was silent


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
        """Answer one call, and leave the connection where the next one begins."""
        environ = self.make_environ()
        body = environ["wsgi.input"]
        if not isinstance(body, DechunkedInput):
            body = environ["wsgi.input"] = _Body(body, int(environ.get("CONTENT_LENGTH") or 0))
        said: list[tuple[str, Sequence[tuple[str, str]]]] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], _: object = None, /
        ) -> Callable[[bytes], object]:
            said.append((status, headers))
            return self.wfile.write  # nobody uses it

        try:
            chunks = self.server.app(environ, start_response)
            try:
                self._answer(*said[-1], chunks)
            finally:
                if (close := getattr(chunks, "close", None)) is not None:
                    close()
            while body.read(_CHUNK):
                pass
        except OSError as error:  # its caller is gone, or says what is no HTTP
            self.close_connection = True
            self.connection_dropped(error, environ)

    def _answer(self, status: str, headers: Sequence[tuple[str, str]], chunks: Iterable[bytes]) -> None:
        """Send an answer; one whose length nobody knows goes in pieces, or to the connection's end (HTTP/1.0)."""
        code, _, phrase = status.partition(" ")
        self.send_response(int(code), phrase)
        for name, value in headers:
            self.send_header(name, value)
        named = {name.lower() for name, _ in headers}
        in_pieces = False
        if self.command != "HEAD" and int(code) not in _WITHOUT_CONTENT and "content-length" not in named:
            if isinstance(chunks, list | tuple):
                self.send_header("Content-Length", str(sum(len(one) for one in chunks)))
            elif self.request_version == self.protocol_version:
                in_pieces = True
                self.send_header("Transfer-Encoding", "chunked")
            else:
                self.close_connection = True
        if self.close_connection:
            self.send_header("Connection", "close")
        # One packet for what is small: headers go with the first piece.
        self._headers_buffer.append(b"\r\n")
        waiting = b"".join(self._headers_buffer)
        self._headers_buffer.clear()
        for chunk in chunks:
            if chunk:
                self.wfile.write(waiting + (b"%x\r\n%b\r\n" % (len(chunk), chunk) if in_pieces else chunk))
                waiting = b""
        waiting += b"0\r\n\r\n" if in_pieces else b""
        if waiting:
            self.wfile.write(waiting)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Keep quiet: what matters stands in the journal and in RDS's events."""

    def log_error(self, format: str, *args: object) -> None:  # noqa: A002 (as the standard library names it)
        """Tell what went wrong; a connection that nobody used any more did not."""
        if not format.startswith(_TIMED_OUT):
            super().log_error(format, *args)


class _Body(LimitedStream):
    """A request's body of known length, whose end is its end also where its sender broke off."""

    def on_disconnect(self, error: Exception | None = None) -> None:
        """End it."""
