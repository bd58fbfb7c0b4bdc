"""The slow link: bytes arrive whole, in order and late, and a broken end ends the other one."""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, cast

import pytest

from drdrill.core.clock import SystemClock
from drdrill.core.errors import EnvironmentFailedError
from drdrill.core.waiting import wait_until
from drdrill.dataplane.link import Link, LinkCondition

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from drdrill.dataplane.host import Host

DELAY_SECONDS = 0.4
WITHIN = timedelta(seconds=20)  # measured 0.3 s
EVERY = timedelta(milliseconds=20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def _connection(delay_seconds: float) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Start a link and connect through it; return the client's and the server's end."""
    port = _free_port()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(WITHIN.total_seconds())
        target = listening.getsockname()[1]
        command = [sys.executable, "-m", "drdrill.dataplane.link", str(port), str(target), str(delay_seconds)]

        def connect() -> socket.socket | None:
            try:
                return socket.create_connection(("127.0.0.1", port), timeout=WITHIN.total_seconds())
            except ConnectionRefusedError:
                return None

        with subprocess.Popen(command) as link:
            try:
                client = wait_until(connect, what="the link", within=WITHIN, every=EVERY)
                assert client is not None
                with closing(client):
                    server, _ = listening.accept()
                    server.settimeout(WITHIN.total_seconds())
                    with closing(server):
                        yield client, server
            finally:
                link.kill()


def _receive(connection: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size:
        block = connection.recv(65536)
        assert block, f"closed after {len(received)} bytes"
        received += block
    return received


def test_bytes_arrive_whole() -> None:
    """Whatever passes arrives as it was sent, in both directions."""
    content = bytes(range(251)) * 6_000  # no block of a read begins like another one
    with _connection(0.05) as (client, server):
        for sender, receiver in ((client, server), (server, client)):
            sender.settimeout(WITHIN.total_seconds())
            for start in range(0, len(content), 300_000):
                part = content[start : start + 300_000]
                sender.sendall(part)
                assert _receive(receiver, len(part)) == part


def test_only_the_way_out_is_slow() -> None:
    """What the server sends comes late by the delay; what the client sends comes at once."""
    clock = SystemClock()
    with _connection(DELAY_SECONDS) as (client, server):
        begin_ns = clock.now_ns()
        client.sendall(b"in")
        assert _receive(server, 2) == b"in"
        there_ns = clock.now_ns()
        server.sendall(b"out")
        assert _receive(client, 3) == b"out"
        back_ns = clock.now_ns()
    assert (there_ns - begin_ns) / 1e9 < DELAY_SECONDS
    assert (back_ns - there_ns) / 1e9 >= DELAY_SECONDS


def test_blocks_are_delayed_side_by_side() -> None:
    """A stream is late as a whole: ten blocks do not take ten delays."""
    clock = SystemClock()
    with _connection(DELAY_SECONDS) as (client, server):
        begin_ns = clock.now_ns()
        for number in range(10):
            server.sendall(bytes([number]) * 1000)
        assert _receive(client, 10_000) == b"".join(bytes([number]) * 1000 for number in range(10))
        assert (clock.now_ns() - begin_ns) / 1e9 < 5 * DELAY_SECONDS


@pytest.mark.parametrize("reset", [False, True])
def test_the_end_of_one_side_ends_the_other(reset: bool) -> None:
    """A server that closes, or whose connection breaks, is the end of the client's connection, too."""
    with _connection(0.0) as (client, server):
        server.sendall(b"x")
        assert _receive(client, 1) == b"x"
        if reset:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        server.close()
        assert client.recv(1) == b""


@dataclass
class Machine:
    """This machine as a host that runs one piped program."""

    name: str = "here"
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def spawn_piped(self, command: Sequence[str], *, log: Path) -> subprocess.Popen[str]:
        """Start a program."""
        with log.open("ab") as stream:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stream, text=True
            )
        self.processes.append(process)
        return process

    def end(self) -> None:
        """Take it all away."""
        for process in self.processes:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                assert stream is not None
                with suppress(BrokenPipeError):
                    stream.close()


@dataclass
class Driven:
    """A link that is driven, and how one comes through it."""

    link: Link
    machine: Machine
    listening: socket.socket

    @contextmanager
    def connection(self) -> Iterator[tuple[socket.socket, socket.socket]]:
        """Connect; return the client's and the server's end."""
        with closing(self.connect()) as client, closing(self.listening.accept()[0]) as server:
            server.settimeout(WITHIN.total_seconds())
            yield client, server

    def connect(self) -> socket.socket:
        """Connect; whether anybody is there at the other end is another question."""
        return socket.create_connection(("127.0.0.1", self.link.port), timeout=WITHIN.total_seconds())


@pytest.fixture
def driven(tmp_path: Path) -> Iterator[Driven]:
    """Return a link that passes everything on at once, until it is told otherwise."""
    machine = Machine()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(WITHIN.total_seconds())
        target = listening.getsockname()[1]
        try:
            link = Link(cast("Host", machine), _free_port(), target, log=tmp_path / "log")
            link.shape(LinkCondition())
            yield Driven(link, machine, listening)
        finally:
            machine.end()


def _is_silent(connection: socket.socket) -> bool:
    """Say whether nothing comes for a while; what would come has been on its way for long then."""
    connection.settimeout(DELAY_SECONDS)
    try:
        return not connection.recv(1, socket.MSG_PEEK) and False
    except TimeoutError:
        return True
    finally:
        connection.settimeout(WITHIN.total_seconds())


def test_a_cut_link_passes_nothing_and_loses_nothing(driven: Driven) -> None:
    """While it is cut nothing comes, in either direction; when it is whole again all of it comes."""
    with driven.connection() as (client, server):
        driven.link.shape(LinkCondition(cut=True))
        server.sendall(b"out")
        client.sendall(b"in")
        assert _is_silent(client)
        assert _is_silent(server)
        driven.link.shape(LinkCondition())
        assert _receive(client, 3) == b"out"
        assert _receive(server, 2) == b"in"


def test_who_comes_while_the_link_is_cut(driven: Driven) -> None:
    """A connection that comes while it is cut is heard by nobody, and is of no use afterwards: another one is."""
    driven.link.shape(LinkCondition(cut=True))
    with closing(driven.connect()) as client:
        client.sendall(b"hello")
        assert _is_silent(client)
        driven.link.shape(LinkCondition())
        assert client.recv(1) == b""
    with driven.connection() as (client, server):
        client.sendall(b"again")
        assert _receive(server, 5) == b"again"


def test_what_is_under_way_dies_with_the_link(driven: Driven) -> None:
    """What a link holds when it ends is lost, though its sender was told that it was sent."""
    driven.link.shape(LinkCondition(delay_seconds=WITHIN.total_seconds()))
    with driven.connection() as (client, server):
        server.sendall(b"lost")
        for process in driven.machine.processes:
            process.kill()
            process.wait()
        with pytest.raises(EnvironmentFailedError, match="here"):
            driven.link.shape(LinkCondition())
        assert not driven.link.lives
        client.settimeout(WITHIN.total_seconds())
        with suppress(ConnectionResetError):
            assert client.recv(4) == b""


def test_all_connections_share_a_throttled_link(driven: Driven) -> None:
    """Bytes of all connections together take the time that the link's capacity gives them; none is lost."""
    content, rate = bytes(range(256)) * 100, 64_000
    driven.link.shape(LinkCondition(bytes_per_second=rate))
    clock = SystemClock()
    with driven.connection() as (one, first), driven.connection() as (two, second):
        begin_ns = clock.now_ns()
        for sender in (first, second):
            sender.sendall(content)
        assert _receive(one, len(content)) == content
        assert _receive(two, len(content)) == content
        assert (clock.now_ns() - begin_ns) / 1e9 >= 2 * len(content) / rate


def test_a_link_ends_with_its_driver(driven: Driven) -> None:
    """A link that nobody can tell anything any more ends by itself."""
    (process,) = driven.machine.processes
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(timeout=WITHIN.total_seconds()) == 0


def test_a_queue_drains_at_the_new_rate(driven: Driven) -> None:
    """What waits on a throttled link does not wait on, once the link is as usual: it arrives, whole and in order."""
    sent = bytes(range(256)) * 800
    driven.link.shape(LinkCondition(bytes_per_second=1000))  # all of it would take 200 s
    with driven.connection() as (client, server):
        server.sendall(sent)
        driven.link.shape(LinkCondition())
        assert _receive(client, len(sent)) == sent
