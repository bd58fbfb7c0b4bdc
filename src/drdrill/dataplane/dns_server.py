"""The DNS server itself, over UDP and TCP: a process of its own on a host, so that nothing that is busy slows answers.

    python -m drdrill.dataplane.dns_server ADDRESS PORT SEED

What it is to answer arrives as JSON lines on its standard input, and each is acknowledged on standard output once
answers use it: a name *is* in sync when the server says so. `drdrill.dataplane.dns` is the other end. It asks nobody:
whatever happens to those who tell it, it goes on answering with what it was told last.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from random import Random
from typing import TYPE_CHECKING, Any, cast

from dnslib import EDNS0, OPCODE, QTYPE, RCODE, DNSError, DNSRecord

from drdrill.dataplane.dns_names import Names, Tree
from drdrill.dataplane.dns_records import NameRecords

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLAIN_BYTES = 512  # RFC 1035, 2.3.4: of a UDP answer to whoever says nothing else
_MOST_BYTES = 1232  # DNS flag day 2020: more is fragmented on the way
_TCP_SILENCE_SECONDS = 10.0


class Server:
    """Takes what it is told, and answers packets."""

    def __init__(self, names: Names) -> None:
        self.names = names

    def take(self, line: str) -> None:
        """Do what one line says."""
        said: Mapping[str, Any] = json.loads(line)
        names = self.names
        match said.get("tell"):
            case "own":
                names.own.drop(said["name"])
                for records in said["records"]:
                    names.own.put(NameRecords.from_json(records))
            case "zone":
                names.zones[said["id"]] = Tree(said["name"])
            case "records":
                for records in said["records"]:
                    names.zones[said["id"]].put(NameRecords.from_json(records))
            case "no zone":
                names.zones.pop(said["id"], None)
            case "check":
                _note(names.checks, said["id"], healthy=said["healthy"])
            case "target":
                _note(names.targets, said["name"], healthy=said["healthy"])
            case "places":
                names.places, names.regions = dict(said["places"]), list(said["regions"])

    def answer(self, packet: bytes, asker: str = "", *, most: int | None = None) -> bytes | None:
        """Return the answer to a packet, None to one that is no question; `most`: as many bytes, whoever asks."""
        try:
            request = DNSRecord.parse(packet)
        except DNSError:
            return None
        if request.header.qr or not request.questions:
            return None
        reply = request.reply(ra=0, aa=1)
        options = next((one for one in request.ar if one.rtype == QTYPE.OPT), None)
        if options is not None:
            reply.add_ar(EDNS0(udp_len=_MOST_BYTES))
            most = most or max(_PLAIN_BYTES, min(int(options.rclass), _MOST_BYTES))
        if request.header.opcode != OPCODE.QUERY:
            reply.header.rcode = RCODE.NOTIMP
            return bytes(reply.pack())
        found = self.names.answer(str(request.q.qname), request.q.qtype, asker)
        reply.header.rcode = found.rcode
        reply.add_answer(*found.answers)
        reply.add_auth(*found.authority)
        packed = bytes(reply.pack())
        if len(packed) > (most or _PLAIN_BYTES):
            packed = bytes(reply.truncate().pack())
        return packed


def _note(statuses: dict[str, bool], key: str, *, healthy: bool | None) -> None:
    if healthy is None:
        statuses.pop(key, None)
    else:
        statuses[key] = healthy


class _Protocol(asyncio.DatagramProtocol):
    def __init__(self, server: Server) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not a DatagramTransport to `isinstance` before Python 3.12, though it behaves as one.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        reply = self._server.answer(data, addr[0])
        if reply:
            self._transport.sendto(reply, addr)


async def _serve_connection(
    server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answer the questions of one connection (RFC 7766) until it ends or nothing comes."""
    asker = writer.get_extra_info("peername")[0]
    with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
        while True:
            size = await asyncio.wait_for(reader.readexactly(2), _TCP_SILENCE_SECONDS)
            packet = await asyncio.wait_for(
                reader.readexactly(int.from_bytes(size, "big")), _TCP_SILENCE_SECONDS
            )
            reply = server.answer(packet, asker, most=(1 << 16) - 1)
            if reply is None:
                break
            writer.write(len(reply).to_bytes(2, "big") + reply)
            await writer.drain()
    writer.close()


async def _serve(address: str, port: int, seed: int) -> None:
    loop = asyncio.get_running_loop()
    server = Server(Names(chance=Random(seed)))  # noqa: S311 (a seeded choice of records)
    await loop.create_datagram_endpoint(lambda: _Protocol(server), local_addr=(address, port))
    await asyncio.start_server(lambda r, w: _serve_connection(server, r, w), address, port)
    commands = asyncio.StreamReader(limit=1 << 24)  # a batch of a thousand records is one line
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := await commands.readline():
        try:
            server.take(line.decode())
        except Exception as error:  # noqa: BLE001  (the edge: whatever it is told, it goes on answering)
            sys.stdout.write(f"{type(error).__name__}: {error}".replace("\n", " ") + "\n")
        else:
            sys.stdout.write("ok\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
