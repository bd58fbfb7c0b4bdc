"""One look at an endpoint on this machine's loopback, and what several looks make a checker hold."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import pytest

from drdrill.dataplane.health_probe import Look, Opinion, Probe, look

if TYPE_CHECKING:
    from collections.abc import Callable

_HOST = "origin.example.com"


def _look(answer: bytes | None, make: Callable[[int], Probe]) -> tuple[Look, bytes]:
    """Look once at a server that gives an answer, None: nobody is there; return the request, too."""
    asked = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            if answer:
                asked.extend(await reader.readuntil(b"\r\n\r\n"))
                writer.write(answer)
        writer.close()

    async def run() -> Look:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        if answer is None:
            server.close()
            await server.wait_closed()
        async with server if answer is not None else contextlib.nullcontext():
            return await look(make(port))

    return asyncio.run(run()), bytes(asked)


def _http(port: int, *, search: str = "") -> Probe:
    return Probe("id", "HTTP", "127.0.0.1", port, host=_HOST, path="/health", search=search)


@pytest.mark.parametrize(
    ("status", "good"),
    [("200 OK", True), ("302 Found", True), ("404 Not Found", False), ("503 Service Unavailable", False)],
)
def test_a_status(status: str, *, good: bool) -> None:
    """2xx and 3xx are healthy, everything else is not, and the status is told in AWS's words.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
    """
    found, asked = _look(f"HTTP/1.1 {status}\r\n\r\n".encode(), _http)
    code, _, phrase = status.partition(" ")
    assert found.good is good
    assert found.status.endswith(f"HTTP Status Code {code}, {phrase}.")
    assert asked.startswith(b"GET /health HTTP/1.1\r\nHost: origin.example.com:")


@pytest.mark.parametrize(
    ("body", "good"),
    [("well", True), ("not at all", False), ("x" * 5116 + "well", True), ("x" * 5117 + "well", False)],
)
def test_a_string_is_searched(body: str, *, good: bool) -> None:
    """The string has to be within the first 5,120 bytes of the body.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-creating-values.html
    """
    found, _ = _look(
        f"HTTP/1.1 200 OK\r\nA: b\r\n\r\n{body}".encode(), lambda port: _http(port, search="well")
    )
    assert found.good is good


def test_nobody_there() -> None:
    """A port on which nobody listens is a failure, and said so; so is a name that leads nowhere."""
    found, _ = _look(None, _http)
    assert (found.good, found.status.startswith("Failure: Connection failed: ")) == (False, True)
    lost, _ = _look(b"-", lambda port: Probe("id", "TCP", "nobody.invalid", port))
    assert (lost.good, lost.status.startswith("Failure: DNS resolution failed: ")) == (False, True)


@pytest.mark.parametrize("name", ["origin..example.com", f"{'x' * 64}.example.com"])
@pytest.mark.parametrize("kind", ["TCP", "HTTP", "HTTPS"])
def test_a_name_that_cannot_be(kind: str, name: str) -> None:
    """A name that DNS cannot have is a failure like one that leads nowhere."""
    lost, _ = _look(b"-", lambda port: Probe("id", kind, name, port, host=name))
    assert (lost.good, lost.status.startswith("Failure: DNS resolution failed: ")) == (False, True)


def test_tcp() -> None:
    """A TCP check needs a connection and nothing else."""
    found, _ = _look(b"", lambda port: Probe("id", "TCP", "127.0.0.1", port))
    assert found == Look(good=True, status="Success: TCP connection established.")


def test_what_is_no_http() -> None:
    """An answer that is none of HTTP is a failure."""
    found, _ = _look(b"SSH-2.0-x\r\n", _http)
    assert (found.good, found.status) == (False, "Failure: The endpoint's response is no HTTP.")


def test_an_opinion_changes_after_some_in_a_row() -> None:
    """A checker changes its mind after as many looks in a row as the threshold says, in both directions.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
    """
    opinion = Opinion(3)
    looks = (False, False, True, False, False, False, True, True, False, True, True, True)
    held = [opinion.take(good=good) for good in looks]
    assert held == [True] * 5 + [False] * 6 + [True]
