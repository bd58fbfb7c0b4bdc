"""What Route 53 keeps: zones with their records and name servers, health checks, tags.

Implements `drdrill.aws.keeping.Keeper`. What checkers saw is not kept: they look anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from drdrill.aws.keeping import NotKeptError
from drdrill.aws.route53.zones import HostedZone
from drdrill.core.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from drdrill.aws.route53.control_plane import ControlPlane
    from drdrill.aws.route53.health_checks import HealthCheck
    from drdrill.aws.route53.records import Record
    from drdrill.aws.route53.zones import ZoneIdentity

_ANSWERED_WITHIN = timedelta(seconds=60)  # measured some ms
_POLL = timedelta(milliseconds=10)


@dataclass(frozen=True, slots=True)
class KeptZone:
    """A zone with all of its records."""

    identity: ZoneIdentity
    servers: tuple[str, ...]
    comment: str
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class KeptRoute53:
    """Everything."""

    zones: tuple[KeptZone, ...]
    checks: tuple[HealthCheck, ...]
    tags: Mapping[tuple[str, str], Mapping[str, str]]


class Route53Keeper:
    """Keeps what a control plane knows."""

    name = "route53"
    after = ("elbv2", "apigatewayv2")  # whose names its aliases lead to

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane

    def keep(self, _: Path, /) -> KeptRoute53:
        """Return what there is to know; raises `NotKeptError` while a change is pending."""
        plane = self._plane
        if not plane.propagation.is_settled():
            raise NotKeptError("a change of Route 53 is pending.")
        with plane.lock:
            zones = tuple(
                KeptZone(zone.identity, zone.servers, zone.comment, zone.records())
                for zone in plane.zones.values()
            )
            tags = {key: dict(tags) for key, tags in plane.tags.items()}
            return KeptRoute53(zones, tuple(plane.checks.values()), tags)

    def restore(self, kept: KeptRoute53, _: Path, /) -> None:
        """Have checkers look, and every zone answered; returns when all are in sync."""
        plane = self._plane
        with plane.lock:
            plane.tags |= {key: dict(tags) for key, tags in kept.tags.items()}
            for check in kept.checks:
                plane.watch(check)
            for one in kept.zones:
                zone = HostedZone(one.identity, one.servers, one.comment, one.records)
                plane.zones[one.identity.identifier] = zone
                plane.publish(zone)
        wait_until(
            plane.propagation.is_settled, what="all records in sync", within=_ANSWERED_WITHIN, every=_POLL
        )
