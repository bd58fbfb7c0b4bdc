"""What the operations of Route 53 share: zones, health checks, tags, and the way of changes to the name servers."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from drdrill.aws.errors import AwsError
from drdrill.aws.route53.health_board import HealthBoard
from drdrill.aws.route53.propagation import Propagation, Worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.aws.ports import HealthCheckers, HostedZoneNames
    from drdrill.aws.route53.health_checks import HealthCheck
    from drdrill.aws.route53.zones import HostedZone
    from drdrill.core.clock import Clock


class ControlPlane:
    """The state. Thread-safe where `lock` is held; `later` does what the data plane is told, in its order."""

    def __init__(
        self,
        names: HostedZoneNames,
        checkers: HealthCheckers,
        clock: Clock,
        later: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:
        self.names = names
        self.checkers = checkers
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

    def find_zone(self, identifier: str) -> HostedZone:
        """Return a zone by its id, also as `/hostedzone/ID`; raises AWS's `NoSuchHostedZone`."""
        identifier = identifier.rpartition("/")[2]
        with self.lock:
            zone = self.zones.get(identifier)
        if zone is None:
            raise AwsError("NoSuchHostedZone", f"No hosted zone found with ID: {identifier}", status=404)
        return zone

    def find_check(self, identifier: str) -> HealthCheck:
        """Return a health check; raises AWS's `NoSuchHealthCheck`."""
        with self.lock:
            check = self.checks.get(identifier)
        if check is None:
            text = f"A health check with id {identifier} does not exist."
            raise AwsError("NoSuchHealthCheck", text, status=404)
        return check
