"""LocalStack as the upstream: found, reached from the world by a relay, and said to be missing where it is."""

from __future__ import annotations

import http.server
import socket
import struct
import subprocess
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from drdrill.core.errors import MissingPrerequisiteError
from drdrill.core.process import ProcessId
from drdrill.core.waiting import wait_until
from drdrill.mirror.directory import MirrorDirectory
from drdrill.mirror.upstream.localstack import LocalStackUpstream, Relay, require_localstack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WITHIN, EVERY = timedelta(seconds=20), timedelta(milliseconds=20)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Serve something on the loopback, where LocalStack's client looks for it."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(self.path)))
            self.end_headers()
            self.wfile.write(self.path.encode())

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{listening.server_port}")
        yield listening.server_port
        listening.shutdown()


def _await_end(relay: Relay) -> None:
    wait_until(
        lambda: relay.process and relay.process.poll() == 0,
        what="the relay's end",
        within=WITHIN,
        every=EVERY,
    )


def test_the_relay_ends_with_the_world(server: int, tmp_path: Path) -> None:
    """What listens on the machine answers through the mirror's socket while the world lives, and not after it."""
    directory = MirrorDirectory(tmp_path)
    directory.logs.mkdir()
    assert require_localstack() == ("127.0.0.1", server)
    with subprocess.Popen(["sleep", "60"]) as world:
        try:
            identity = ProcessId.read(world.pid)
            assert identity is not None
            relay = Relay("localstack")
            relay.start(directory, identity)
            upstream = LocalStackUpstream(directory)
            connection = upstream.connect()
            connection.request("GET", "/who")
            assert connection.getresponse().read() == b"/who"
            connection.close()
        finally:
            world.kill()

    _await_end(relay)
    with pytest.raises(ConnectionRefusedError):
        upstream.connect().connect()


@pytest.mark.usefixtures("server")
def test_no_localstack(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where none answers it is said, with the remedy, before anything is started."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(MissingPrerequisiteError, match=r"127\.0\.0\.1:9.*moto answer instead"):
        require_localstack()


def _relay_to(listening: socket.socket, folder: Path, world: int) -> tuple[Relay, LocalStackUpstream]:
    """Begin a relay to whoever listens, which ends with a process."""
    directory = MirrorDirectory(folder)
    directory.logs.mkdir()
    identity = ProcessId.read(world)
    assert identity is not None
    relay = Relay("localstack")
    relay._where = listening.getsockname()
    relay.start(directory, identity)
    return relay, LocalStackUpstream(directory)


@pytest.mark.usefixtures("server")
def test_the_relay_waits_for_nobody(tmp_path: Path) -> None:
    """A connection on which nothing is said keeps no relay when the world has ended."""
    with socket.create_server(("127.0.0.1", 0)) as listening, subprocess.Popen(["sleep", "60"]) as world:
        relay, upstream = _relay_to(listening, tmp_path, world.pid)
        connection = upstream.connect()
        connection.connect()
        there, _ = listening.accept()
        world.kill()
        _await_end(relay)
        connection.close()
        there.close()


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("by_reset", [False, True])
def test_a_side_that_breaks_off(tmp_path: Path, by_reset: bool) -> None:
    """Whoever is connected hears that the other side has ended, or broken off, and waits no longer."""
    with socket.create_server(("127.0.0.1", 0)) as listening, subprocess.Popen(["sleep", "60"]) as world:
        relay, upstream = _relay_to(listening, tmp_path, world.pid)
        try:
            connection = upstream.connect()
            connection.connect()
            connection.sock.settimeout(WITHIN.total_seconds())
            there, _ = listening.accept()
            connection.sock.sendall(b"?")
            assert there.recv(1) == b"?"
            if by_reset:
                there.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            there.close()
            assert connection.sock.recv(1) == b""
            connection.close()
        finally:
            world.kill()
            _await_end(relay)
