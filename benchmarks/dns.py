"""How many answers a second the mirror's DNS server gives, and a bare loop over the same library beside it.

Each is a process of its own on loopback, asked over one socket with a few questions under way, in turns. The mirror's
server answers a failover alias to a weighted group of two addresses, both with a health check: it chooses each time.
"""

from __future__ import annotations

import argparse
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dnslib import DNSRecord

from _figures import Figure, Reference, median, print_figures, round_all, say
from drdrill.dataplane.dns import DnsServer, server_command
from drdrill.dataplane.dns_records import FailoverRole, NameRecords, Policy, RecordSet

if TYPE_CHECKING:
    from collections.abc import Iterator

ADDRESS = "127.0.0.1"
TARGET = 0.5
_ZONE, _NAME, _GROUP = "example.com", "api.example.com", "group.example.com"
_UNDER_WAY = 8  # questions: so that neither side waits for the other
_WARM_UP_SECONDS = 0.5
_PATIENCE_SECONDS = 5.0


def main() -> None:
    """Ask both in turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each round and server")
    arguments = parser.parse_args()
    ours, bare = [], []
    with _run_mirrors() as one, _run_bare() as other:
        for number in range(arguments.rounds):
            ours.append(_count(one, arguments.seconds))
            bare.append(_count(other, arguments.seconds))
            say(f"round {number + 1}: {ours[-1]:.0f} answers a second; the bare loop {bare[-1]:.0f}")
    method = (
        "One process, one socket with eight questions under way, loopback, in turns; the server draws among healthy "
        "weighted records behind a failover alias. Reference: a loop of dnslib that knows one address."
    )
    reference = Reference("a bare dnslib loop, answers per second", median(bare), "1/s")
    ratios = [mine / theirs for mine, theirs in zip(ours, bare, strict=True)]
    print_figures(
        "dns",
        [
            Figure("DNS answers ÷ bare dnslib", median(ratios), "ratio", "higher", method, round_all(ratios), TARGET),
            Figure(
                "DNS answers per second", median(ours), "1/s", "higher", method, round_all(ours), reference=reference
            ),
        ],
    )  # fmt: skip


def _count(port: int, seconds: float) -> float:
    """Return how many answers a second a server gives; raises for one that is none."""
    packet = bytes(DNSRecord.question(_NAME).pack())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.connect((ADDRESS, port))
        asking.settimeout(_PATIENCE_SECONDS)
        for _ in range(_UNDER_WAY):
            asking.send(packet)
        begin = time.perf_counter() + _WARM_UP_SECONDS
        while time.perf_counter() < begin:
            asking.recv(512)
            asking.send(packet)
        begin, answered, reply = time.perf_counter(), 0, b""
        while (now := time.perf_counter()) < begin + seconds:
            reply = asking.recv(512)
            asking.send(packet)
            answered += 1
        for _ in range(_UNDER_WAY):
            asking.recv(512)
    if not DNSRecord.parse(reply).rr:
        raise RuntimeError("The name was not answered.")
    return answered / (now - begin)


@contextmanager
def _run_mirrors() -> Iterator[int]:
    """Run the mirror's server with its records, and yield its port."""
    port = _find_port()
    with subprocess.Popen(
        server_command(ADDRESS, port, seed=1), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            server = DnsServer(process)
            server.open_zone("Z", _ZONE)
            group = [
                RecordSet((f"192.0.2.{n}",), 30, check=f"c{n}", policy=Policy.WEIGHTED, weight=n) for n in (1, 2)
            ]  # fmt: skip
            near = RecordSet(alias=_GROUP, evaluates_target=True, policy=Policy.FAILOVER)
            far = RecordSet(("192.0.2.9",), 30, policy=Policy.FAILOVER, role=FailoverRole.SECONDARY)
            records = [NameRecords(_GROUP, "A", tuple(group)), NameRecords(_NAME, "A", (near, far))]
            server.change_records("Z", records)
            for number in (1, 2):
                server.report_check(f"c{number}", healthy=True)
            yield port
        finally:
            process.kill()


@contextmanager
def _run_bare() -> Iterator[int]:
    """Run the bare loop, and yield its port."""
    port = _find_port()
    script = str(Path(__file__).with_name("_bare_dns.py"))
    with subprocess.Popen([sys.executable, script, ADDRESS, str(port)], stdout=subprocess.PIPE) as process:
        try:
            if not process.stdout or process.stdout.readline() != b"ok\n":
                raise RuntimeError("The bare loop did not start.")
            yield port
        finally:
            process.kill()


def _find_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((ADDRESS, 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
