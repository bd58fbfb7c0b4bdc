"""Route 53's control plane over a DNS server and checkers of this process: what is told is answered at once."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from dnslib import DNSRecord

from drdrill.aws.ports import Checker
from drdrill.aws.route53 import REGION, ControlPlane, Observation, Route53Service
from drdrill.core.clock import SystemClock
from drdrill.core.errors import EnvironmentFailedError
from drdrill.dataplane.dns import DnsServer
from drdrill.dataplane.dns_names import Names
from drdrill.dataplane.dns_server import Server
from tests.aws.sdk import Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from drdrill.aws.gate import Service
    from drdrill.dataplane.health_probe import Probe

ZONE = "example.com"
SERVER = "198.18.0.53"


class AnsweringNames(DnsServer):
    """The driver of a server in this process; `dead`: nobody answers."""

    def __init__(self) -> None:
        self.server = Server(Names())
        self.dead = False
        self._published = set()

    def _tell(self, what: dict[str, object]) -> None:
        if self.dead:
            raise EnvironmentFailedError("the DNS server is gone.")
        self.server.take(json.dumps(what))

    def ask(self, name: str, kind: str = "A") -> DNSRecord:
        """Ask for a name."""
        reply = self.server.answer(bytes(DNSRecord.question(name, kind).pack()), "198.18.0.9")
        assert reply
        return DNSRecord.parse(reply)

    def values(self, name: str, kind: str = "A") -> list[str]:
        """Return the data of what a name is answered with."""
        return [str(one.rdata) for one in self.ask(name, kind).rr]


@dataclass
class SeeingCheckers:
    """Checkers that look only when a test says what they see."""

    watched: dict[str, tuple[Probe, tuple[Checker, ...]]] = field(default_factory=dict)
    on_look: Callable[[str, str, Observation], None] = lambda *_: None
    missing: bool = False  # whether there are no machines for them

    def watch(self, probe: Probe, regions: Sequence[str], /) -> tuple[Checker, ...]:
        """Note an endpoint."""
        if self.missing:
            raise EnvironmentFailedError("no machine for a checker.")
        checkers = tuple(Checker(f"in-{region}", region, f"198.18.1.{n}") for n, region in enumerate(regions))
        self.watched[probe.identifier] = (probe, checkers)
        return checkers

    def forget(self, identifier: str, /) -> None:
        """Forget it."""
        self.watched.pop(identifier, None)

    def see(self, identifier: str, *, good: bool, by: int | None = None) -> None:
        """Have as many checkers (all) see an endpoint well or ill, often enough."""
        status = (
            "Success: HTTP Status Code 200, OK."
            if good
            else "Failure: HTTP Status Code 503, Service Unavailable."
        )
        for checker in self.watched[identifier][1][:by]:
            self.on_look(checker.name, identifier, Observation(good, good, status, datetime.now(UTC)))


@cache
def _connect() -> tuple[dict[tuple[str, str], Service], Any]:
    """Return one client for all worlds, each of which puts its own service behind it: making one takes 0.3 s."""
    services: dict[tuple[str, str], Service] = {}
    return services, Wire(services).client("route53")


class Route53World:
    """All of it, with boto3's client. `held`: what the data plane was not told yet, if it is held back."""

    def __init__(self) -> None:
        self.names = AnsweringNames()
        self.checkers = SeeingCheckers()
        self.holding = False
        self.held: list[Callable[[], None]] = []
        self.plane = ControlPlane(self.names, self.checkers, SystemClock(), server=SERVER, later=self._later)
        self.checkers.on_look = self.plane.board.observe
        services, self.client = _connect()
        services[REGION, "route53"] = Route53Service(self.plane)

    def _later(self, work: Callable[[], None]) -> None:
        if self.holding:
            self.held.append(work)
        else:
            work()

    def make_zone(self, name: str = ZONE, reference: str = "") -> str:
        """Make a zone and return its id."""
        made = self.client.create_hosted_zone(Name=name, CallerReference=reference or name)
        return str(made["HostedZone"]["Id"])

    def change(self, zone: str, *changes: tuple[str, dict[str, Any]]) -> Any:
        """Send a batch of changes."""
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": record} for action, record in changes]}
        return self.client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)

    def make_check(self, reference: str = "check", **config: Any) -> str:
        """Make a health check of an HTTP endpoint and return its id."""
        wanted = {"Type": "HTTP", "FullyQualifiedDomainName": f"origin.{ZONE}", **config}
        made = self.client.create_health_check(CallerReference=reference, HealthCheckConfig=wanted)
        return str(made["HealthCheck"]["Id"])


def record(
    name: str = f"x.{ZONE}", kind: str = "A", *values: str, ttl: int = 30, **other: Any
) -> dict[str, Any]:
    """Return a record set as requests have it."""
    target = {} if "AliasTarget" in other else {
        "TTL": ttl, "ResourceRecords": [{"Value": value} for value in values or ("192.0.2.1",)],
    }  # fmt: skip
    return {"Name": name, "Type": kind, **target, **other}
