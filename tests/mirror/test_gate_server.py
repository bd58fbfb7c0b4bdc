"""The server of AWS's endpoints: connections stay open, and the next call begins where the last one ended."""

from __future__ import annotations

import contextlib
import socket
import sys
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
            case "/stated":  # its query says which length
                start_response("200 OK", [("Content-Length", environ["QUERY_STRING"])])
                return [ANSWER]
            case "/error":
                raise FileNotFoundError("this is what went wrong")
            case "/late error":
                start_response("200 OK", [])
                return _break_off()
            case _:
                start_response("200 OK", [("Content-Type", "text/plain")])
                return [ANSWER]


def _break_off() -> Iterator[bytes]:
    yield ANSWER
    raise ValueError("in the middle")


@contextlib.contextmanager
def _served() -> Iterator[tuple[int, Application]]:
    """Serve, and demand that no error escaped from what answers."""
    application = Application()
    escaped: list[object] = []
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=PersistentHandler)
    server.daemon_threads = True  # type: ignore[attr-defined]  # of the threaded server that was asked for
    server.handle_error = lambda *_: escaped.append(sys.exception())  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server.server_port, application
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert escaped == []


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


@contextlib.contextmanager
def _raw() -> Iterator[tuple[socket.socket, Application]]:
    with _served() as (port, application), socket.create_connection(("127.0.0.1", port), 10) as connection:
        yield connection, application


def _read_to_the_end(connection: socket.socket) -> bytes:
    """Return all that comes until the other side closes; raises `TimeoutError` where it does not."""
    return b"".join(iter(lambda: connection.recv(1 << 16), b""))


@pytest.mark.parametrize(
    ("request_line", "end"),
    [
        (b"GET / HTTP/1.1\r\nConnection: close", ANSWER),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive", ANSWER),
        (b"GET /pieces HTTP/1.0", ANSWER),
        (b"GET /pieces HTTP/1.1\r\nConnection: close", b"\r\n0\r\n\r\n"),
        (b"HEAD / HTTP/1.1\r\nConnection: close", b"Connection: close\r\n\r\n"),
    ],
)
def test_a_caller_that_wants_no_more_is_left(request_line: bytes, end: bytes) -> None:
    """After its answer: one that says so, and an old one, which knows no pieces."""
    with _raw() as (connection, _):
        connection.sendall(request_line + b"\r\n\r\n")
        said = _read_to_the_end(connection)
    assert said.startswith(b"HTTP/1.1 200 ")
    assert said.endswith(end)


@pytest.mark.parametrize(("stated", "sent"), [(len(ANSWER) + 1, ANSWER), (len(ANSWER) - 1, b"\r\n\r\n")])
def test_an_answer_of_another_length_than_it_says(
    caplog: pytest.LogCaptureFixture, stated: int, sent: bytes
) -> None:
    """Ends the connection, so that nobody waits for the rest or takes it for the next answer; the log says so."""
    with _raw() as (connection, _):
        connection.sendall(b"GET /stated?%d HTTP/1.1\r\n\r\n" % stated)
        assert _read_to_the_end(connection).endswith(sent)
    assert "another length than it says" in caplog.text


def test_an_application_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    """Its caller gets an answer, where none was begun; the log says what it was, and the connection ends."""
    with _raw() as (connection, _):
        connection.sendall(b"GET /error HTTP/1.1\r\n\r\n")
        said = _read_to_the_end(connection)
    assert said.startswith(b"HTTP/1.1 500 ")
    assert said.endswith(b"The mirror failed: this is what went wrong")
    with _raw() as (connection, _):
        connection.sendall(b"GET /late%20error HTTP/1.1\r\n\r\n")
        assert _read_to_the_end(connection).endswith(b"%x\r\n%b\r\n" % (len(ANSWER), ANSWER))  # and no end
    assert "FileNotFoundError" in caplog.text
    assert "in the middle" in caplog.text


def test_one_interim_answer() -> None:
    """A caller that waits for it gets it once, before it sends its body."""
    with _raw() as (connection, _):
        connection.sendall(b"PUT /body HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n")
        assert connection.recv(1 << 16) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"aGET / HTTP/1.1\r\nConnection: close\r\n\r\n")
        assert _read_to_the_end(connection).count(b"HTTP/1.1 ") == 2


@pytest.mark.parametrize("length", [b"-1", b"many", b"1, 1"])
def test_a_length_that_is_none(length: bytes) -> None:
    """It is refused, and the connection ended: nobody knows where the next call would begin."""
    with _raw() as (connection, application):
        connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: " + length + b"\r\n\r\n")
        assert _read_to_the_end(connection).startswith(b"HTTP/1.1 400 ")
    assert application.seen == []


@pytest.mark.parametrize(
    "beginning", [b"Content-Length: 100\r\n\r\nhalf", b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n5\r\n"]
)
def test_a_caller_that_breaks_off(beginning: bytes) -> None:
    """Half of what it sends is taken for nothing: it is no body, and no error of the server's."""
    with _raw() as (connection, application):
        connection.sendall(b"POST /body HTTP/1.1\r\n" + beginning)
        connection.shutdown(socket.SHUT_WR)
        assert _read_to_the_end(connection) == b""
    assert [one["PATH_INFO"] for one in application.seen] == ["/body"]


def test_a_caller_that_stalls(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the middle of its body or between two calls: its connection is closed some time later."""
    monkeypatch.setattr(PersistentHandler, "timeout", 0.1)
    for sent, begins in (
        (b"POST /body HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf", b""),
        (b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 "),
    ):
        with _raw() as (connection, _):
            connection.sendall(sent)
            said = _read_to_the_end(connection)
            assert said.startswith(begins)
            assert bool(said) == bool(begins)


def test_headers_are_kept_as_they_came() -> None:
    """Such as two that WSGI cannot tell apart."""
    with _connected() as (client, application):
        _ask(client, "GET", "/", headers={"x-amz-meta-a_b": "1", "x-amz-meta-a-b": "2"})
    names = {name for name, _ in application.seen[0][RAW_HEADERS]}
    assert {"x-amz-meta-a_b", "x-amz-meta-a-b"} <= names
