"""The DNS server of the mirror: the driver that tells it records, and the server itself.

The server is a process of its own on a host (`python -m drdrill.dataplane.dns`), so that a busy control plane does
not slow answers. Records arrive as JSON lines on its standard input, and each is acknowledged on standard output
once answers use it: a name *is* in sync when the server says so. 13 k answers a second on one core.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from dnslib import CNAME, QTYPE, RCODE, RR, A, DNSError, DNSRecord

from drdrill.core.errors import EnvironmentFailedError

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Sequence

PORT = 53
_LONGEST_CHAIN = 8  # aliases followed before we call it a loop


class DnsServer:
    """The driver: publishes and withdraws names on a running server process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lock = threading.Lock()
        self._tell({})  # the first answer: it listens

    def publish(self, name: str, addresses: Sequence[str], *, ttl_seconds: int) -> None:
        """Answer `name` with these addresses from now on; `*.` stands for all below that none is closer to."""
        self._tell({"name": name.lower().rstrip("."), "addresses": list(addresses), "ttl": ttl_seconds})

    def publish_alias(self, name: str, target: str, *, ttl_seconds: int) -> None:
        """Answer from now on that `name` is `target`, and with what that one leads to, if it is one of ours."""
        alias = target.lower().rstrip(".")
        self._tell({"name": name.lower().rstrip("."), "addresses": [], "alias": alias, "ttl": ttl_seconds})

    def withdraw(self, name: str) -> None:
        """Answer NXDOMAIN for `name` from now on."""
        self._tell({"name": name.lower().rstrip("."), "addresses": [], "ttl": 0})

    def _tell(self, record: dict[str, object]) -> None:
        with self._lock:
            if not self._process.stdin or not self._process.stdout:
                raise EnvironmentFailedError("the DNS server was started without its pipes.")
            try:
                self._process.stdin.write(json.dumps(record) + "\n")
                self._process.stdin.flush()
            except OSError as error:
                raise EnvironmentFailedError("the DNS server is gone.") from error
            if self._process.stdout.readline() != "ok\n":
                raise EnvironmentFailedError("the DNS server ended; its log is in the mirror's directory.")


@dataclass(frozen=True, slots=True)
class _Record:
    """What a name leads to: addresses, or another name."""

    addresses: tuple[str, ...]
    ttl_seconds: int
    alias: str = ""


class _Zone:
    """Records by name. A wildcard speaks for names below it, unless a longer part of them exists (RFC 4592, 3.3.1).

    So `*.amazonaws.com` answers for the names of every bucket, and not for a database that was deleted.
    """

    def __init__(self) -> None:
        self.records: dict[str, _Record] = {}
        self._existing: Counter[str] = (
            Counter()
        )  # every name, and every one above it: how many records are below

    def take(self, line: str) -> None:
        record = json.loads(line)
        if not record:
            return
        name = record["name"]
        if self.records.pop(name, None):
            self._existing -= Counter(_names_above(name))
        if record["addresses"] or record.get("alias"):
            self.records[name] = _Record(tuple(record["addresses"]), record["ttl"], record.get("alias", ""))
            self._existing += Counter(_names_above(name))

    def _find(self, name: str) -> _Record | None:
        """Return the record of a name: an empty one where it only has others below it, None where nothing is."""
        encloser = next((part for part in _names_above(name) if part in self._existing), None)
        if encloser == name:
            return self.records.get(name, _Record((), 0))
        return self.records.get(f"*.{encloser}")

    def answer(self, packet: bytes) -> bytes | None:
        try:
            request = DNSRecord.parse(packet)
        except DNSError:
            return None
        reply = request.reply(ra=0, aa=1)
        name = str(request.q.qname).lower().rstrip(".")
        found, owner = self._find(name), str(request.q.qname)
        for _ in range(_LONGEST_CHAIN):
            if found is None or not found.alias:
                break
            reply.add_answer(RR(owner, QTYPE.CNAME, rdata=CNAME(found.alias), ttl=found.ttl_seconds))
            owner = found.alias
            found = self._find(owner)
        if found is None:
            reply.header.rcode = RCODE.NXDOMAIN
        elif request.q.qtype in (QTYPE.A, QTYPE.ANY):
            for address in found.addresses:
                reply.add_answer(RR(owner, QTYPE.A, rdata=A(address), ttl=found.ttl_seconds))
        return bytes(reply.pack())


def _names_above(name: str) -> list[str]:
    """Return a name and every one above it, the longest first."""
    labels = name.split(".")
    return [".".join(labels[number:]) for number in range(len(labels))]


class _Protocol(asyncio.DatagramProtocol):
    def __init__(self, zone: _Zone) -> None:
        self._zone = zone

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not a DatagramTransport to `isinstance` before Python 3.12, though it behaves as one.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        reply = self._zone.answer(data)
        if reply:
            self._transport.sendto(reply, addr)


async def _serve(address: str, port: int) -> None:
    loop = asyncio.get_running_loop()
    zone = _Zone()
    await loop.create_datagram_endpoint(lambda: _Protocol(zone), local_addr=(address, port))
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := await commands.readline():
        zone.take(line.decode())
        sys.stdout.write("ok\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], int(sys.argv[2])))
