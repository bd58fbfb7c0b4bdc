"""The synthetic user: goes through the system as users do, and names the step that fails."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
import trustme

from drdrill.record.ledger import make_id
from failover._synthetic import Answer, PublicApi
from failover._telling import StoppedError
from failover.validate import Synthetic

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

NAME = "api.example.com"


@dataclass
class Api:
    """The company's API, as far as the synthetic user asks it; `broken` answers of steps by method and path."""

    broken: dict[str, Answer] = field(default_factory=dict)
    dead: bool = False
    asked: list[str] = field(default_factory=list)
    payments: dict[str, int] = field(default_factory=dict)  # by key: how often it was sent
    document: bytes = b""

    def request(
        self, method: str, path: str, *, headers: Mapping[str, str], body: bytes | None = None
    ) -> Answer:
        """Answer as the services do."""
        if self.dead:
            raise ConnectionRefusedError("nobody listens")
        what = f"{method} /{path.split('/')[1]}"
        self.asked.append(what)
        if what in self.broken:
            return self.broken[what]
        if what == "POST /auth":
            return Answer(200, b'{"token": "t"}')
        assert headers["Authorization"] == "Bearer t"
        if what == "POST /payments":
            key = headers["Idempotency-Key"]
            self.payments[key] = self.payments.get(key, 0) + 1
            return Answer(201 if self.payments[key] == 1 else 200, b"{}")
        if what == "PUT /documents":
            self.document = body or b""
            return Answer(201, b"{}")
        if what == "GET /documents":
            return Answer(200, self.document)
        return Answer(200, json.dumps({"state": "completed"}).encode())


def _go(api: Api) -> None:
    synthetic = Synthetic(api)
    synthetic.log_in("somebody", "a password")
    synthetic.use_critical()
    synthetic.use_others()


def test_the_whole_path() -> None:
    """Every service is used; a payment is sent twice with one key; a second run makes another payment."""
    api = Api()
    for _ in range(2):
        _go(api)
    assert api.asked[: len(api.asked) // 2] == [
        "POST /auth", "GET /users", "POST /payments", "POST /payments", "GET /payments",
        "PUT /documents", "GET /documents", "GET /notifications",
    ]  # fmt: skip
    assert list(api.payments.values()) == [2, 2]


def test_its_payments_are_told_from_users() -> None:
    """Their ids are of no client, whose numbers begin with 1, and are positive, as services want them."""
    api = Api()
    _go(api)
    (key,) = api.payments
    assert 0 < int(key) < make_id(1, 0)


def test_a_payment_that_is_cancelled_is_a_failure() -> None:
    """A system in which nobody has credit, as without the users' accounts, does not work: said at once, with advice."""
    cancelled = Answer(200, b'{"state": "cancelled"}')
    api = Api(broken={"GET /payments": cancelled})
    with pytest.raises(StoppedError, match=r"(?s)^read payment: it was cancelled.*What to do: look whether"):
        _go(api)
    assert api.asked.count("GET /payments") == 1


@pytest.mark.parametrize(
    ("what", "step"),
    [
        ("POST /auth", "log in"),
        ("GET /users", "read profile"),
        ("POST /payments", "pay"),
        ("GET /payments", "read payment"),
        ("PUT /documents", "store document"),
        ("GET /documents", "read document"),
        ("GET /notifications", "read messages"),
    ],
)
def test_the_step_that_fails_is_named(what: str, step: str) -> None:
    """With the status, and how the answer begins."""
    api = Api(broken={what: Answer(503, b"x" * 500)})
    with pytest.raises(StoppedError, match=rf"^{step}: .* failed\. HTTP 503: x{{200}}$"):
        _go(api)


def test_no_answer_is_told() -> None:
    """The step, and what the network says."""
    with pytest.raises(StoppedError, match="log in: POST /auth/login was not answered: nobody listens"):
        _go(Api(dead=True))


def test_a_session_without_a_token_is_none() -> None:
    """An answer of something else than the service, such as a page of a load balancer."""
    with pytest.raises(StoppedError, match=r"log in: there is no token in the answer\. HTTP 200: <html>"):
        _go(Api(broken={"POST /auth": Answer(200, b"<html>")}))


def test_another_document_is_a_failure() -> None:
    """Read back, it has to be what was stored."""
    with pytest.raises(StoppedError, match="read document: it is not what was stored"):
        _go(Api(broken={"GET /documents": Answer(200, b"another")}))


@contextmanager
def _serve(authority: trustme.CA) -> Iterator[tuple[int, list[tuple[str, str]]]]:
    """Serve HTTPS for the public name on this machine; its port, and each request's `Host` and body."""
    asked: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            asked.append((self.headers["Host"], body))
            self.send_response(201)
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"done")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(NAME).configure_cert(context)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_address[1], asked
        finally:
            server.shutdown()
            thread.join()


def test_a_load_balancer_is_asked_as_users_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connected to directly, it still has to have the public name's certificate, and gets that name as `Host`."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "authority.pem"))
    with _serve(authority) as (port, asked):
        answer = PublicApi(NAME, "127.0.0.1", port=port).request(
            "PUT", "/documents/x", headers={}, body=b"hello"
        )
        with pytest.raises(ssl.SSLError):
            PublicApi("other.example.com", "127.0.0.1", port=port).request("PUT", "/x", headers={}, body=b"")
    assert (answer.status, answer.body) == (201, b"done")
    assert asked == [(NAME, "hello")]


def test_nobody_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The network's error is raised for the step to be named."""
    trustme.CA().cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "authority.pem"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(OSError, match="refused"):
        PublicApi(NAME, "127.0.0.1", port=port).request("GET", "/x", headers={})
