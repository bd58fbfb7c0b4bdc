"""One question to one DNS server over UDP: retries, aliases, refusals, and how long each holds. No cache."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass

from dnslib import QTYPE, RCODE, DNSHeader, DNSQuestion, DNSRecord
from dnslib.dns import DNSError

from drdrill.load.exhaustion import is_exhaustion

_PATIENCE_SECONDS = 0.3  # for one question; the mirror's server answers within 1 ms
_TRIES = 3
_LONGEST_CHAIN = 8  # aliases followed before we call it a loop
_LONGEST_TTL = 2**31 - 1  # RFC 2181, section 8: larger values count as zero


@dataclass(frozen=True, slots=True)
class Resolution:
    """An answer: the address, or None and why not; and for how many seconds it may be kept."""

    address: str | None
    ttl_seconds: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DnsServer:
    """One DNS server, asked over UDP. Called with a name, it returns a `Resolution`, whatever the server does."""

    address: str
    port: int = 53
    patience_seconds: float = _PATIENCE_SECONDS

    async def __call__(self, name: str) -> Resolution:
        """Ask for the name's address, and follow aliases; the shortest TTL on the way counts."""
        ttl: float = _LONGEST_TTL
        for _ in range(_LONGEST_CHAIN):
            reply = await self._exchange(name)
            if isinstance(reply, str):
                return Resolution(None, 0, reply)
            step = _read_reply(reply, name)
            ttl = min(ttl, step.ttl_seconds)
            if step.alias is None:
                return Resolution(step.address, ttl, step.reason)
            name = step.alias
        return Resolution(None, 0, f"more than {_LONGEST_CHAIN} aliases in a row")

    async def _exchange(self, name: str) -> DNSRecord | str:
        """Ask until somebody answers; return the reply, or why there is none."""
        reason = ""
        for _ in range(_TRIES):
            try:
                return await asyncio.wait_for(self._ask_once(name), self.patience_seconds)
            except TimeoutError:
                reason = f"the DNS server {self.address} did not answer"
            except (OSError, DNSError) as error:
                if is_exhaustion(error):
                    raise
                reason = f"the DNS server {self.address} could not be asked: {error}"
        return reason

    async def _ask_once(self, name: str) -> DNSRecord:
        question = DNSRecord(DNSHeader(id=secrets.randbelow(2**16), rd=1), q=DNSQuestion(name, QTYPE.A))
        loop = asyncio.get_running_loop()
        # A socket a question: a new source port each time, and the kernel drops what others send to it.
        transport, exchange = await loop.create_datagram_endpoint(
            lambda: _Exchange(question, loop.create_future()), remote_addr=(self.address, self.port)
        )
        try:
            transport.sendto(question.pack())
            return await exchange.reply
        finally:
            transport.close()


class _Exchange(asyncio.DatagramProtocol):
    """Waits for the reply to one question; what does not fit to it is not a reply."""

    def __init__(self, question: DNSRecord, reply: asyncio.Future[DNSRecord]) -> None:
        self._question = question
        self.reply = reply

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        del addr  # the socket is connected: only the server can have sent it
        try:
            reply = DNSRecord.parse(data)
        except DNSError:
            return
        asked = self._question
        if (
            reply.header.id == asked.header.id
            and reply.header.qr
            and reply.q == asked.q
            and not self.reply.done()
        ):
            self.reply.set_result(reply)

    def error_received(self, exc: Exception) -> None:
        if not self.reply.done():
            self.reply.set_exception(exc)


@dataclass(frozen=True, slots=True)
class _Step:
    """What one reply says: an address, an alias to ask for next, or neither and why."""

    ttl_seconds: float
    address: str | None = None
    alias: str | None = None
    reason: str = ""


def _read_reply(reply: DNSRecord, name: str) -> _Step:
    if reply.header.rcode not in (RCODE.NOERROR, RCODE.NXDOMAIN):
        # A failure of the server says nothing of the name: not kept (RFC 2308, section 7).
        return _Step(0, reason=f"the DNS server answered {RCODE.get(reply.header.rcode)}")
    ttl: float = _LONGEST_TTL
    at = _canonical(name)
    for _ in range(len(reply.rr) + 1):
        records = [record for record in reply.rr if _canonical(str(record.rname)) == at]
        address = next((record for record in records if record.rtype == QTYPE.A), None)
        if address is not None:
            return _Step(min(ttl, _ttl(address)), address=str(address.rdata))
        alias = next((record for record in records if record.rtype == QTYPE.CNAME), None)
        if alias is None:
            break
        ttl = min(ttl, _ttl(alias))
        at = _canonical(str(alias.rdata))
    if at != _canonical(name) and reply.header.rcode == RCODE.NOERROR:
        return _Step(ttl, alias=at)
    reason = (
        "there is no such name" if reply.header.rcode == RCODE.NXDOMAIN else "the name has no IPv4 address"
    )
    return _Step(min(ttl, _negative_ttl(reply)), reason=reason)


def _negative_ttl(reply: DNSRecord) -> float:
    """Return how long a refusal may be kept: the SOA's TTL or minimum, the smaller one (RFC 2308, 5)."""
    soa = next((record for record in reply.auth if record.rtype == QTYPE.SOA), None)
    return 0 if soa is None else min(_ttl(soa), soa.rdata.times[4])


def _ttl(record: DNSRecord) -> int:
    return record.ttl if record.ttl <= _LONGEST_TTL else 0


def _canonical(name: str) -> str:
    return name.rstrip(".").lower()
