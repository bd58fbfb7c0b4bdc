"""The DNS server program and its driver, on this machine's loopback."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from dnslib import RCODE, DNSRecord

from drdrill.core.errors import EnvironmentFailedError
from drdrill.dataplane.dns import DnsServer, server_command
from drdrill.dataplane.dns_records import NameRecords

if TYPE_CHECKING:
    from collections.abc import Iterator

WITHIN_SECONDS = 10.0


class Running:
    """A server that runs, and a client of it."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.port = port
        self.server = DnsServer(process)

    def send(self, packet: bytes) -> bytes:
        """Send one packet and return the answer to it."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(WITHIN_SECONDS)
            asking.sendto(packet, ("127.0.0.1", self.port))
            return asking.recv(4096)

    def ask(self, name: str, kind: str = "A") -> Any:
        """Ask for a name and return the parsed answer."""
        return DNSRecord.parse(self.send(bytes(DNSRecord.question(name, kind).pack())))

    def addresses(self, name: str) -> list[str]:
        """Return the addresses of a name."""
        return [str(answer.rdata) for answer in self.ask(name).rr]


@pytest.fixture
def running() -> Iterator[Running]:
    """Start a server on a free port and end it, whatever happens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = server_command("127.0.0.1", port, seed=1)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Running(process, port)
        finally:
            process.kill()
            with contextlib.suppress(BrokenPipeError):  # what the dead one did not take
                process.communicate()


def test_answers(running: Running) -> None:
    """A published name is answered with all its addresses, its TTL and authority, whatever its case."""
    running.server.publish("Payments.Example.com.", ["10.20.0.10", "10.20.1.10"], ttl_seconds=5)
    answer = running.ask("pAYments.example.COM")
    assert [str(one.rdata) for one in answer.rr] == ["10.20.0.10", "10.20.1.10"]
    assert [one.ttl for one in answer.rr] == [5, 5]
    assert (answer.header.aa, answer.header.ra, answer.header.rcode) == (1, 0, RCODE.NOERROR)


def test_a_name_moves_and_goes(running: Running) -> None:
    """A name is in force as soon as it is published, moved or withdrawn."""
    running.server.publish("db.example.com", ["10.0.0.1"], ttl_seconds=5)
    running.server.publish("db.example.com", ["10.0.0.2"], ttl_seconds=5)
    assert running.addresses("db.example.com") == ["10.0.0.2"]
    running.server.withdraw("DB.example.com")
    assert running.ask("db.example.com").header.rcode == RCODE.NXDOMAIN
    running.server.withdraw("db.example.com")


def test_an_unknown_name(running: Running) -> None:
    """A name that nobody published does not exist."""
    answer = running.ask("nobody.example.com")
    assert (answer.header.rcode, answer.rr) == (RCODE.NXDOMAIN, [])


def test_wildcards(running: Running) -> None:
    """`*.` stands for all names below, of one label or several; a name of its own comes first."""
    running.server.publish("*.eu-west-1.example.com", ["10.0.0.1"], ttl_seconds=60)
    running.server.publish("rds.eu-west-1.example.com", ["10.0.0.2"], ttl_seconds=60)
    assert running.addresses("anything.eu-west-1.example.com") == ["10.0.0.1"]
    assert running.addresses("a.bucket.s3.eu-west-1.example.com") == ["10.0.0.1"]
    assert running.addresses("rds.eu-west-1.example.com") == ["10.0.0.2"]


def test_a_closer_name_ends_a_wildcard(running: Running) -> None:
    """A wildcard does not speak for what is below a name that exists, nor for the name that it stands below."""
    running.server.publish("*.example.com", ["10.0.0.1"], ttl_seconds=60)
    running.server.publish("first.rds.example.com", ["10.0.0.2"], ttl_seconds=60)
    running.server.publish("second.rds.example.com", ["10.0.0.3"], ttl_seconds=60)
    running.server.withdraw("second.rds.example.com")
    assert running.ask("second.rds.example.com").header.rcode == RCODE.NXDOMAIN
    assert running.ask("below.first.rds.example.com").header.rcode == RCODE.NXDOMAIN
    for existing in ("rds.example.com", "example.com"):
        answer = running.ask(existing)
        assert (answer.header.rcode, answer.rr) == (RCODE.NOERROR, [])
    running.server.withdraw("first.rds.example.com")
    assert running.addresses("first.rds.example.com") == ["10.0.0.1"]


def test_no_ipv6(running: Running) -> None:
    """A name that exists has no IPv6 address: an empty answer, not NXDOMAIN, or resolvers would give up the name."""
    running.server.publish("db.example.com", ["10.0.0.1"], ttl_seconds=5)
    answer = running.ask("db.example.com", "AAAA")
    assert (answer.header.rcode, answer.rr) == (RCODE.NOERROR, [])


def test_noise_is_survived(running: Running) -> None:
    """Packets that are no questions are passed over, and the next question is answered."""
    running.server.publish("db.example.com", ["10.0.0.1"], ttl_seconds=5)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as noise:
        for packet in (b"", b"\x00", b"noise" * 50, b"\xff" * 12):
            noise.sendto(packet, ("127.0.0.1", running.port))
    assert running.addresses("db.example.com") == ["10.0.0.1"]


def test_tcp(running: Running) -> None:
    """Questions over TCP are answered, several on one connection (RFC 7766)."""
    running.server.publish("db.example.com", ["10.0.0.1"], ttl_seconds=5)
    packet = bytes(DNSRecord.question("db.example.com").pack())
    with socket.create_connection(("127.0.0.1", running.port), WITHIN_SECONDS) as asking:
        for _ in range(2):
            asking.sendall(len(packet).to_bytes(2, "big") + packet)
            with asking.makefile("rb", buffering=0) as said:
                size = int.from_bytes(said.read(2), "big")
                answer = DNSRecord.parse(said.read(size))
            assert [str(one.rdata) for one in answer.rr] == ["10.0.0.1"]


def test_what_it_cannot_take(running: Running) -> None:
    """What is no record, or of no zone, is refused, and the server goes on answering."""
    running.server.publish("db.example.com", ["10.0.0.1"], ttl_seconds=5)
    with pytest.raises(EnvironmentFailedError, match="did not take"):
        running.server.publish("bad.example.com", ["no address"], ttl_seconds=5)
    with pytest.raises(EnvironmentFailedError, match="did not take"):
        running.server.change_records("Z0", [NameRecords("x.example.com", "A", ())])
    assert running.addresses("db.example.com") == ["10.0.0.1"]


def test_a_dead_server_is_told(running: Running) -> None:
    """A name cannot be published to a server that ended: the caller is told, and nothing pretends otherwise."""
    running.process.kill()
    running.process.wait()
    with pytest.raises(EnvironmentFailedError, match="the DNS server"):
        running.server.publish("db.example.com", ["10.0.0.1"], ttl_seconds=5)
