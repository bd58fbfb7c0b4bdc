"""The driver of a real Envoy, on this machine's loopback: what it is told it does, and what it sees it says."""

from __future__ import annotations

import http.client
import socket
import ssl
import subprocess
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
import trustme

from drdrill.core.waiting import wait_until
from drdrill.dataplane.envoy import EndpointHealth, EnvoyProxy, Failure, Seen, knock
from drdrill.dataplane.envoy_configuration import (
    Answer,
    Check,
    CheckProtocol,
    Endpoint,
    Forward,
    HttpListener,
    ProxyConfiguration,
    Route,
    Upstream,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

HERE = "127.0.0.1"
WITHIN = timedelta(seconds=30)  # measured 0.3 s
EVERY = timedelta(milliseconds=20)


class Machine:
    """This machine, as a host with a disk of its own."""

    name, zone, address, powered = "here", "a", HERE, True

    def __init__(self, disk: Path) -> None:
        self.disk = disk
        self.started: list[subprocess.Popen[bytes]] = []

    def run(
        self, command: Sequence[str], *, within: timedelta, environment: Mapping[str, str] | None = None
    ) -> str:
        """Nothing here runs to its end."""
        raise NotImplementedError

    def spawn(
        self, command: Sequence[str], *, log: Path, unprivileged: bool = False
    ) -> subprocess.Popen[bytes]:
        """Start a program."""
        assert not unprivileged
        with log.open("ab") as stream:
            self.started.append(subprocess.Popen(command, stdout=stream, stderr=stream))
        return self.started[-1]

    def spawn_piped(self, command: Sequence[str], *, log: Path) -> subprocess.Popen[str]:
        """Nothing here is talked to."""
        raise NotImplementedError


class Server(BaseHTTPRequestHandler):
    """Healthy, or not, by its port's server."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(500 if self.path == "/health" and self.server.sick else 200)  # type: ignore[attr-defined]
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def ports() -> Iterator[tuple[int, int]]:
    """Return the ports of a healthy server and of one that is not."""
    servers = []
    for sick in (False, True):
        server = ThreadingHTTPServer((HERE, 0), Server)
        server.sick = sick  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
    yield servers[0].server_port, servers[1].server_port
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[EnvoyProxy]:
    """Return a proxy that is not started; it is ended afterwards."""
    machine = Machine(tmp_path / "disk")
    machine.disk.mkdir()
    yield EnvoyProxy(machine, log=tmp_path / "log")
    for process in machine.started:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.create_server((HERE, 0)) as free:
        return int(free.getsockname()[1])


def _ask(port: int) -> int:
    connection = http.client.HTTPConnection(HERE, port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def test_it_does_what_it_is_told_and_says_what_it_sees(proxy: EnvoyProxy, ports: tuple[int, int]) -> None:
    """Routes and endpoints change while it runs; a healthy, a failing and a silent endpoint are told apart."""
    port, closed = _free_port(), _free_port()
    healthy, sick = ports
    assert proxy.read_health() is None
    proxy.configure(ProxyConfiguration((HttpListener(port, (Route(Answer(404)),)),)))
    proxy.start()
    wait_until(lambda: proxy.is_live() and _ask(port) == 404, what="an answer", within=WITHIN, every=EVERY)
    assert proxy.read_ports() == {port}
    check = Check(
        CheckProtocol.HTTP, "/health", ((200, 200),), timedelta(seconds=1), timedelta(seconds=1), 2, 2
    )
    endpoints = tuple(Endpoint(HERE, one) for one in (healthy, sick, closed))
    listener = HttpListener(port, (Route(Forward((("web", 1),))),))
    proxy.configure(ProxyConfiguration((listener,), (Upstream("web", endpoints, check),)))
    expected = {
        ("web", HERE, healthy): EndpointHealth(Seen.HEALTHY),
        ("web", HERE, sick): EndpointHealth(Seen.UNHEALTHY, Failure.STATUS, 500),
        ("web", HERE, closed): EndpointHealth(Seen.UNHEALTHY, Failure.CONNECTION),
    }
    wait_until(lambda: proxy.read_health() == expected, what="what it sees", within=WITHIN, every=EVERY)
    assert {_ask(port) for _ in range(10)} == {200}


def test_it_verifies_whose_certificate_it_is(proxy: EnvoyProxy) -> None:
    """A server is asked for by a name, and gets requests only with a trusted certificate that is for that name."""
    authority, stranger = trustme.CA(), trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("*.example.com", HERE).configure_cert(context)
    asked: set[str | None] = set()
    context.sni_callback = lambda _socket, name, _context: asked.add(name)
    server = ThreadingHTTPServer((HERE, 0), Server)
    server.sick = False  # type: ignore[attr-defined]
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def lead(tls_name: str, trusted: trustme.CA) -> Upstream:
        named = f"{tls_name}-{trusted is authority}"
        pem = trusted.cert_pem.bytes().decode("ascii")
        return Upstream(
            named, server_name=HERE, port=server.server_port, tls=True, tls_name=tls_name, authorities=pem
        )

    expected = {
        lead("shop.example.com", authority): 200, lead("shop.example.com", stranger): 502,
        lead("example.net", authority): 502, lead(HERE, authority): 200,
    }  # fmt: skip
    ports = {one: _free_port() for one in expected}
    listeners = tuple(HttpListener(at, (Route(Forward(((one.name, 1),))),)) for one, at in ports.items())
    proxy.configure(ProxyConfiguration(listeners, tuple(expected)))
    proxy.start()
    try:
        wait_until(
            lambda: {one: _ask(at) for one, at in ports.items()} == expected,
            what="the answers",
            within=WITHIN,
            every=EVERY,
        )
    finally:
        server.shutdown()
        server.server_close()
    assert asked == {"shop.example.com", "example.net", None}


def test_a_machine_that_is_there_is_heard() -> None:
    """A port that is closed is an answer of its machine."""
    with socket.create_server((HERE, 0)) as open_port:
        assert knock(HERE, open_port.getsockname()[1])
    assert knock(HERE, _free_port())
