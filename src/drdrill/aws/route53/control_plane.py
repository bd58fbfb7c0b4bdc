"""What the operations of Route 53 share: zones, health checks, tags, and the way of changes to the name servers."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from drdrill.aws.errors import AwsError
from drdrill.aws.route53.health_board import HealthBoard
from drdrill.aws.route53.health_checks import CALCULATED
from drdrill.aws.route53.propagation import Propagation, Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drdrill.aws.ports import Checker, HealthCheckers, HostedZoneNames
    from drdrill.aws.route53.health_checks import HealthCheck
    from drdrill.aws.route53.zones import HostedZone
    from drdrill.core.clock import Clock

_SERVER_TTL_SECONDS = 172_800


class ControlPlane:
    """The state. Thread-safe where `lock` is held. `server`: the address of the DNS server, which is all name servers.

    `later` does what the data plane is told, in its order.
    """

    def __init__(
        self,
        names: HostedZoneNames,
        checkers: HealthCheckers,
        clock: Clock,
        *,
        server: str,
        later: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:
        self.names = names
        self.checkers = checkers
        self._server = server
        self.lock = threading.RLock()
        self.zones: dict[str, HostedZone] = {}
        self.checks: dict[str, HealthCheck] = {}
        self.tags: dict[tuple[str, str], dict[str, str]] = {}  # by type of resource and id
        later = later or Worker()
        self.propagation = Propagation(clock, later)
        # In the same order as records: whoever waits for a record meets the status that was there before it.
        self.board = HealthBoard(
            lambda identifier, healthy: later(lambda: names.report_check(identifier, healthy=healthy))
        )

    def publish(self, zone: HostedZone) -> Mapping[str, Any]:
        """Have the name servers be a zone's authority, and return the change."""

        def tell() -> None:
            for server in zone.servers:
                self.names.publish(server, (self._server,), ttl_seconds=_SERVER_TTL_SECONDS)
            self.names.open_zone(zone.identity.identifier, zone.identity.name.rstrip("."))
            self.names.change_records(zone.identity.identifier, zone.publication())

        return self.propagation.begin(tell)

    def watch(self, check: HealthCheck) -> None:
        """Have a check, and checkers look by it: what they saw before counts no longer. `lock` is held.

        Without machines for checkers nothing changes: the same request once more finds no check that nobody looks by.
        """
        checkers: Sequence[Checker] = ()
        if check.type != CALCULATED and not check.disabled:
            checkers = self.checkers.watch(check.probe(), check.regions)
        else:
            self.checkers.forget(check.identifier)
        self.checks[check.identifier] = check
        self.board.put(check, checkers)

    def find_zone(self, identifier: str) -> HostedZone:
        """Return a zone by its id, also as `/hostedzone/ID`; raises AWS's `NoSuchHostedZone`."""
        identifier = identifier.rpartition("/")[2]
        with self.lock:
            zone = self.zones.get(identifier)
        if zone is None:
            raise AwsError("NoSuchHostedZone", f"No hosted zone found with ID: {identifier}", status=404)
        return zone

    def find_names(self) -> set[str]:
        """Return the names of all hosted zones that have an address, without a dot at their end."""
        with self.lock:
            records = [record for zone in self.zones.values() for record in zone.records()]
        return {one.name.rstrip(".") for one in records if one.type == "A" and not one.name.startswith("*")}

    def find_check(self, identifier: str) -> HealthCheck:
        """Return a health check; raises AWS's `NoSuchHealthCheck`."""
        with self.lock:
            check = self.checks.get(identifier)
        if check is None:
            text = f"A health check with id {identifier} does not exist."
            raise AwsError("NoSuchHealthCheck", text, status=404)
        return check
