"""The server of AWS's endpoints: connections stay open, and the next call begins where the last one ended."""

from __future__ import annotations

import contextlib
import socket
import threading
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.serving import make_server

from drdrill.aws.upstream import RAW_HEADERS
from drdrill.mirror.gate_server import PersistentHandler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    StartResponse = Callable[[str, list[tuple[str, str]]], object]

ANSWER = b"an answer"


class Application:
    """Answers by the path that is asked for; `seen`: what it was asked."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (WSGI)."""
        self.seen.append(environ)
        match environ["PATH_INFO"]:
            case "/nothing":
                start_response("204 No Content", [])
                return []
            case "/pieces":
                start_response("200 OK", [])
                return (ANSWER[at : at + 2] for at in range(0, len(ANSWER), 2))
            case "/body":
                start_response("200 OK", [])
                return [environ["wsgi.input"].read()]
            case _:
                start_response("200 OK", [("Content-Type", "text/plain")])
                return [] if environ["REQUEST_METHOD"] == "HEAD" else [ANSWER]


@contextlib.contextmanager
def _served() -> Iterator[tuple[int, Application]]:
    application = Application()
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=PersistentHandler)
    server.daemon_threads = True  # type: ignore[attr-defined]  # of the threaded server that was asked for
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server.server_port, application
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def _connected() -> Iterator[tuple[HTTPConnection, Application]]:
    with _served() as (port, application), contextlib.closing(HTTPConnection("127.0.0.1", port)) as client:
        client.connect()
        client.auto_open = 0  # a connection that was closed is not made anew behind the test's back
        yield client, application


def _ask(client: HTTPConnection, method: str, path: str, **options: Any) -> tuple[int, bytes]:
    client.request(method, path, **options)
    answer = client.getresponse()
    return answer.status, answer.read()


@pytest.mark.parametrize(
    ("method", "path", "options", "said"),
    [
        ("GET", "/", {}, (200, ANSWER)),
        ("HEAD", "/", {}, (200, b"")),
        ("GET", "/nothing", {}, (204, b"")),
        ("GET", "/pieces", {}, (200, ANSWER)),
        ("POST", "/", {"body": b"x" * 300_000}, (200, ANSWER)),
        ("POST", "/", {"body": iter([b"x" * 100_000] * 3), "encode_chunked": True}, (200, ANSWER)),
        ("POST", "/body", {"body": b"as it was sent"}, (200, b"as it was sent")),
        ("PUT", "/body", {"body": b"a", "headers": {"Expect": "100-continue"}}, (200, b"a")),
    ],
)
def test_the_next_call_goes_over_the_same_connection(
    method: str, path: str, options: dict[str, Any], said: tuple[int, bytes]
) -> None:
    """Whatever was sent and answered, also where nobody read what was sent."""
    with _connected() as (client, application):
        assert _ask(client, method, path, **options) == said
        assert _ask(client, "GET", "/") == (200, ANSWER)
        assert len({one["REMOTE_PORT"] for one in application.seen}) == 1


def test_a_caller_that_wants_no_more_is_left() -> None:
    """The connection ends after the answer."""
    with _connected() as (client, _):
        assert _ask(client, "GET", "/", headers={"Connection": "close"}) == (200, ANSWER)
        assert client.sock is None


def test_an_answer_of_unknown_length_to_an_old_caller() -> None:
    """It goes to the connection's end, without pieces that HTTP/1.0 does not know."""
    with _served() as (port, _), socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET /pieces HTTP/1.0\r\n\r\n")
        said = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    assert said.endswith(b"\r\n\r\n" + ANSWER)


def test_headers_are_kept_as_they_came() -> None:
    """Such as two that WSGI cannot tell apart."""
    with _connected() as (client, application):
        _ask(client, "GET", "/", headers={"x-amz-meta-a_b": "1", "x-amz-meta-a-b": "2"})
    names = {name for name, _ in application.seen[0][RAW_HEADERS]}
    assert {"x-amz-meta-a_b", "x-amz-meta-a-b"} <= names


def test_a_caller_that_breaks_off() -> None:
    """In the middle of its body: it is no error of the server's, and others are answered."""
    with _served() as (port, application):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"POST /body HTTP/1.1\r\nContent-Length: 100\r\n\r\nnot all of it")
        client = HTTPConnection("127.0.0.1", port)
        assert _ask(client, "GET", "/") == (200, ANSWER)
        client.close()
        assert application.seen
