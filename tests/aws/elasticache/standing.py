"""A region of ElastiCache behind a gate: groups that stand for their statuses, and no server behind any of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self, cast

from drdrill.aws.elasticache import CacheRegion, CacheSettings, ElastiCacheService
from drdrill.aws.elasticache.model import GroupRecord, NodeRecord, Status
from drdrill.core.clock import NANOSECONDS
from drdrill.core.errors import EnvironmentFailedError
from tests.aws.places import AllGroups, FewSubnets
from tests.aws.sdk import REGION, Wire

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from drdrill.aws.elasticache.reconciler import Reconciler
    from drdrill.aws.ports import Fleet, Names

ZONES = ("a", "b", "c")
STARTED = datetime(2026, 11, 29, tzinfo=UTC)  # a Sunday


@dataclass
class Clock:
    """Tells the time that it is set to."""

    ns: int = NANOSECONDS

    def now_ns(self) -> int:
        """Return it."""
        return self.ns

    def utc(self) -> datetime:
        """Return it as the wall clock tells it."""
        return STARTED + timedelta(seconds=self.ns / NANOSECONDS)

    def sleep(self, seconds: float) -> None:
        """Let it pass."""
        self.ns += int(seconds * NANOSECONDS)


@dataclass
class Machines:
    """A fleet that has no machine left."""

    region: str = REGION
    zones: tuple[str, ...] = ZONES
    lit_zones: tuple[str, ...] = ZONES

    def create_host(self, name: str, zone: str, *, disk_bytes: int) -> object:
        """Refuse."""
        raise EnvironmentFailedError(f"no machine for {name} in {zone} with {disk_bytes} bytes.")

    def release(self, host: object) -> None:
        """Take one back."""


@dataclass
class Standing:
    """A reconciler that does nothing of what it is asked for."""

    record: GroupRecord
    told: list[str] = field(default_factory=list)

    @property
    def group(self) -> Self:
        """Return what it decides for."""
        return self

    def tell(self, message: str) -> None:
        """Note an event."""
        self.told.append(message)

    def change(self, change: Callable[[GroupRecord], GroupRecord]) -> GroupRecord:
        """Change the record."""
        self.record = change(self.record)
        return self.record

    def request(
        self, change: Callable[[GroupRecord], GroupRecord], *, allowed: tuple[Status, ...]
    ) -> GroupRecord | None:
        """Change the record if its status allows it."""
        return self.change(change) if self.record.status in allowed else None


@dataclass
class Region:
    """The region, with an SDK's client."""

    region: CacheRegion
    clock: Clock
    client: Any
    machines: Machines

    @classmethod
    def make(cls, logs: Path) -> Self:
        """Return a region without groups."""
        clock, machines = Clock(), Machines()
        region = CacheRegion(
            cast("Fleet", machines), cast("Names", None), CacheSettings(timedelta(seconds=2), 64 << 20), clock, logs,
            subnets=FewSubnets(), security_groups=AllGroups(),
        )  # fmt: skip
        wire = Wire({(REGION, "elasticache"): ElastiCacheService(region)})
        return cls(region, clock, wire.client("elasticache"), machines)

    def add(self, record: GroupRecord) -> Standing:
        """Enter a group."""
        standing = Standing(record)
        self.region.add(record.identifier, lambda: cast("Reconciler", standing))
        return standing


def make_record(*, nodes: int = 3, failover: bool = True, status: Status = Status.AVAILABLE) -> GroupRecord:
    """Return an available group `shop`, whose first node is the primary."""
    return GroupRecord(
        identifier="shop", description="", region=REGION, engine="valkey", engine_version="8.1.0",
        node_type="cache.t4g.micro", automatic_failover=failover, multi_az=failover,
        parameter_group="default.valkey8", subnet_group=None, maintenance_window="sun:05:00-sun:06:00",
        nodes=tuple(
            NodeRecord(f"shop-{number:03d}", ZONES[(number - 1) % 3], Status.AVAILABLE, STARTED)
            for number in range(1, nodes + 1)
        ),
        primary="shop-001", created_at=STARTED, status=status,
    )  # fmt: skip
