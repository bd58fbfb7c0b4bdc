"""The slow link: bytes arrive whole, in order and late, and a broken end ends the other one."""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from drdrill.core.clock import SystemClock
from drdrill.core.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

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
