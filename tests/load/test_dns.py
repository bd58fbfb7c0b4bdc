from __future__ import annotations

import asyncio
import errno
import resource
import socket
from typing import TYPE_CHECKING, cast

import pytest
from dnslib import RCODE, RR, DNSRecord

from drdrill.load.dns import DnsServer, Resolution

if TYPE_CHECKING:
    from tests.load.conftest import Names

LOOPBACK = "127.0.0.1"
SOA = "example. 60 IN SOA ns.example. admin.example. 1 900 300 86400 7"


def ask(names: Names, name: str) -> Resolution:
    """Ask the DNS server of the test."""

    async def question() -> Resolution:
        return await DnsServer(LOOPBACK, names.port, patience_seconds=5)(name)

    return asyncio.run(question())


def test_an_address_comes_with_its_ttl(names: Names) -> None:
    """The answer is the record's address, for as long as the record says."""
    names.records = "db.example. 5 IN A 10.0.0.1"

    assert ask(names, "db.example") == Resolution("10.0.0.1", 5)


def test_the_shortest_ttl_of_a_chain_counts(names: Names) -> None:
    """An alias that lives shorter than its target's address limits how long the answer is kept."""
    names.records = "db.example. 3 IN CNAME one.example.\none.example. 60 IN A 10.0.0.1"

    assert ask(names, "db.example") == Resolution("10.0.0.1", 3)


def test_an_alias_without_an_address_is_followed(names: Names) -> None:
    """When the server names only the alias, the resolver asks for it, and gives up on a loop."""
    names.records = "db.example. 3 IN CNAME one.example.\none.example. 3 IN CNAME db.example."

    answer = ask(names, "db.example")

    assert answer.address is None
    assert names.asked[:2] == ["db.example.", "one.example."]
    assert "aliases" in answer.reason


def test_a_name_that_does_not_exist_is_remembered(names: Names) -> None:
    """A refusal is kept for the smaller of the SOA's TTL and its minimum."""
    names.rcode, names.authority = RCODE.NXDOMAIN, SOA

    assert ask(names, "db.example") == Resolution(None, 7, "there is no such name")


def test_a_name_without_an_address_is_remembered(names: Names) -> None:
    """A name that has only other records is a refusal, too; without an SOA it is not kept."""
    assert ask(names, "db.example") == Resolution(None, 0, "the name has no IPv4 address")
    names.authority = SOA
    assert ask(names, "db.example").ttl_seconds == 7


def test_a_failing_server_says_nothing_of_the_name(names: Names) -> None:
    """A server's own failure is not kept."""
    names.rcode, names.authority = RCODE.SERVFAIL, SOA

    assert ask(names, "db.example") == Resolution(None, 0, "the DNS server answered SERVFAIL")


def test_a_silent_server_is_asked_again_and_then_given_up() -> None:
    """Three questions without an answer make a refusal that is not kept."""

    async def scenario() -> tuple[Resolution, int]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind((LOOPBACK, 0))
            silent.setblocking(False)
            answer = await DnsServer(LOOPBACK, silent.getsockname()[1], patience_seconds=0.01)("db.example")
            questions = 0
            while True:
                try:
                    silent.recv(512)
                except BlockingIOError:
                    return answer, questions
                questions += 1

    answer, questions = asyncio.run(scenario())
    assert answer == Resolution(None, 0, f"the DNS server {LOOPBACK} did not answer")
    assert questions == 3


def test_nobody_there_is_a_refusal() -> None:
    """A port that nobody listens on does not raise: it is an answer like others."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((LOOPBACK, 0))
        port = taken.getsockname()[1]

    async def question() -> Resolution:
        return await DnsServer(LOOPBACK, port, patience_seconds=0.1)("db.example")

    answer = asyncio.run(question())
    assert (answer.address, answer.ttl_seconds) == (None, 0)


def test_a_machine_without_sockets_says_nothing_of_the_name() -> None:
    """When no question can even be asked, that is an error of this machine, and not a refusal."""

    async def question() -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
        try:
            await DnsServer(LOOPBACK)("db.example")
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    with pytest.raises(OSError, match="Too many open files") as failure:
        asyncio.run(question())
    assert failure.value.errno == errno.EMFILE


def test_what_does_not_fit_to_the_question_is_no_answer() -> None:
    """A reply with another id, to another name, or of no sense is passed over; the right one counts."""

    class Liar(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            # Not a DatagramTransport to `isinstance` before Python 3.12, though it behaves as one.
            self._transport = cast("asyncio.DatagramTransport", transport)

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            question = DNSRecord.parse(data)
            wrong_id, wrong_name = question.reply(), DNSRecord.question("other.example").reply()
            wrong_id.header.id = question.header.id ^ 1
            wrong_name.header.id = question.header.id
            for reply in (wrong_id, wrong_name):
                reply.add_answer(*RR.fromZone("db.example. 5 IN A 10.6.6.6"))
            right = question.reply()
            right.add_answer(*RR.fromZone("DB.example. 5 IN A 10.0.0.1"))
            for packet in (b"\xff" * 5, data, wrong_id.pack(), wrong_name.pack(), right.pack()):
                self._transport.sendto(packet, addr)

    async def scenario() -> Resolution:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(Liar, local_addr=(LOOPBACK, 0))
        try:
            port = transport.get_extra_info("sockname")[1]
            return await DnsServer(LOOPBACK, port, patience_seconds=5)("db.example")
        finally:
            transport.close()

    assert asyncio.run(scenario()) == Resolution("10.0.0.1", 5)
