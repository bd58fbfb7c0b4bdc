"""The driver of the mirror's DNS server: tells the process `drdrill.dataplane.dns_server` what it is to answer.

Everything that is told is in force when the call returns: the server has acknowledged it.
"""

from __future__ import annotations

import json
import sys
import threading
from typing import TYPE_CHECKING

from drdrill.core.errors import EnvironmentFailedError
from drdrill.dataplane.dns_records import NameRecords, RecordSet

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping, Sequence

PORT = 53


def server_command(address: str, port: int = PORT, *, seed: int = 0) -> list[str]:
    """Return the command of a server; `seed`: of the draws among weighted records."""
    return [sys.executable, "-m", "drdrill.dataplane.dns_server", address, str(port), str(seed)]


class DnsServer:
    """Publishes and withdraws names on a running server process. Thread-safe."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lock = threading.Lock()
        self._published: set[str] = set()
        self._tell({})  # the first answer: it listens

    def publish(self, name: str, addresses: Sequence[str], *, ttl_seconds: int) -> None:
        """Answer `name` with these addresses from now on; `*.` stands for all below that none is closer to."""
        records = NameRecords(_plain(name), "A", (RecordSet(tuple(addresses), ttl_seconds),))
        self._tell({"tell": "own", "name": records.name, "records": [records.to_json()]})
        self._published.add(records.name)

    def withdraw(self, name: str) -> None:
        """Answer NXDOMAIN for `name` from now on."""
        self._tell({"tell": "own", "name": _plain(name), "records": []})
        self._published.discard(_plain(name))

    def is_published(self, name: str) -> bool:
        """Tell whether a name of the mirror's own is published: not a wildcard that it falls under."""
        return _plain(name) in self._published

    def open_zone(self, identifier: str, name: str) -> None:
        """Be the authority of a hosted zone, which is empty."""
        self._tell({"tell": "zone", "id": identifier, "name": _plain(name)})

    def change_records(self, zone: str, records: Sequence[NameRecords]) -> None:
        """Have names of a hosted zone have these records, all at once."""
        self._tell({"tell": "records", "id": zone, "records": [one.to_json() for one in records]})

    def close_zone(self, identifier: str) -> None:
        """Be the authority of a hosted zone no longer; harmless when it is not."""
        self._tell({"tell": "no zone", "id": identifier})

    def report_check(self, identifier: str, *, healthy: bool | None) -> None:
        """Say what a health check found; None: there is no such check any more. What is unknown counts as healthy."""
        self._tell({"tell": "check", "id": identifier, "healthy": healthy})

    def report_health(self, name: str, *, healthy: bool | None) -> None:
        """Say whether what a name leads to is healthy, for aliases that evaluate it; None: it does not say."""
        self._tell({"tell": "target", "name": _plain(name), "healthy": healthy})

    def locate(self, places: Mapping[str, str], regions: Sequence[str]) -> None:
        """Say which ranges of addresses lie in which region, and which region is nearest to all others' users."""
        self._tell({"tell": "places", "places": dict(places), "regions": list(regions)})

    def _tell(self, what: dict[str, object]) -> None:
        with self._lock:
            if not self._process.stdin or not self._process.stdout:
                raise EnvironmentFailedError("the DNS server was started without its pipes.")
            try:
                self._process.stdin.write(json.dumps(what) + "\n")
                self._process.stdin.flush()
            except OSError as error:
                raise EnvironmentFailedError("the DNS server is gone.") from error
            said = self._process.stdout.readline()
            if not said:
                raise EnvironmentFailedError("the DNS server ended; its log is in the mirror's directory.")
            if said != "ok\n":
                raise EnvironmentFailedError(f"the DNS server did not take what it was told: {said.strip()}")


def _plain(name: str) -> str:
    return name.lower().rstrip(".")
