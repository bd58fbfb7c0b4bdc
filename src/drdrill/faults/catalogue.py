"""The catalogue of faults: every kind that an experiment may ask for. An environment offers some of them."""

from __future__ import annotations

from enum import StrEnum

from drdrill.core.errors import UsageError
from drdrill.environment.port import StoreRole
from drdrill.plan.nearest import suggest


class FaultKind(StrEnum):
    """What can be broken, by the name that experiments and journals use."""

    HOST_POWER_LOSS = "host_power_loss"
    ALL_HOSTS_POWER_LOSS = "all_hosts_power_loss"
    PROCESS_KILL = "process_kill"
    PROCESS_HANG = "process_hang"
    ZONE_PARTITION = "zone_partition"
    DISK_FULL = "disk_full"
    LINK_DELAY = "link_delay"
    LINK_THROTTLE = "link_throttle"
    LINK_CUT = "link_cut"
    BAD_DELETE = "bad_delete"
    DROP_TABLE = "drop_table"
    BACKUP_DAMAGE = "backup_damage"
    ZONE_POWER_LOSS = "zone_power_loss"
    REGION_POWER_LOSS = "region_power_loss"
    REGION_CONTROL_PLANE_LOSS = "region_control_plane_loss"
    ROUTE53_CONTROL_PLANE_LOSS = "route53_control_plane_loss"
    REGION_ISOLATION = "region_isolation"
    REGION_FLAPPING = "region_flapping"

    @property
    def of_link(self) -> bool:
        """Whether it hits the links from a store to its replicas in other regions, and none of its members."""
        return self in (FaultKind.LINK_DELAY, FaultKind.LINK_THROTTLE, FaultKind.LINK_CUT)

    @property
    def of_place(self) -> bool:
        """Whether it hits a zone, a region or a global service by its name, and no store."""
        return self is FaultKind.ZONE_POWER_LOSS or self.of_region or self.of_control_planes

    @property
    def of_region(self) -> bool:
        """Whether it hits a region by its name."""
        return self in (
            FaultKind.REGION_POWER_LOSS,
            FaultKind.REGION_ISOLATION,
            FaultKind.REGION_FLAPPING,
            FaultKind.REGION_CONTROL_PLANE_LOSS,
        )

    @property
    def of_control_planes(self) -> bool:
        """Whether it hits APIs alone, and nothing of what they made."""
        return self in (FaultKind.REGION_CONTROL_PLANE_LOSS, FaultKind.ROUTE53_CONTROL_PLANE_LOSS)

    @property
    def description(self) -> str:
        """Say in one sentence what happens to the target, for reports."""
        return {
            FaultKind.HOST_POWER_LOSS: "The host of a store's member stops at once, as without power: "
            "its processes are gone, its memory is lost, and its address falls silent.",
            FaultKind.ALL_HOSTS_POWER_LOSS: "The hosts of all members of a store stop at once, as without power.",
            FaultKind.PROCESS_KILL: "The processes of a store's member are killed; its host lives, and refuses "
            "connections.",
            FaultKind.PROCESS_HANG: "The processes of a store's member stop: its host takes connections in, and "
            "nobody answers.",
            FaultKind.ZONE_PARTITION: "The zone of a store's member is cut off from all others; everything in it "
            "lives on.",
            FaultKind.DISK_FULL: "The disk of a store's member has no free byte left.",
            FaultKind.LINK_DELAY: "What a store streams to its replicas in another region arrives late.",
            FaultKind.LINK_THROTTLE: "Only so many bytes a second of what a store streams reach its replicas in "
            "another region.",
            FaultKind.LINK_CUT: "Nothing of what a store streams reaches its replicas in another region, and nobody "
            "is told.",
            FaultKind.BAD_DELETE: "A statement deletes rows of a store that nobody wanted deleted, on all its members.",
            FaultKind.DROP_TABLE: "A statement drops a table of a store that is in use, on all its members.",
            FaultKind.BACKUP_DAMAGE: "The newest backup of a store lacks rows that it should have; it restores all the "
            "same.",
            FaultKind.ZONE_POWER_LOSS: "Everything in an availability zone stops at once, as without power.",
            FaultKind.REGION_POWER_LOSS: "Everything in a region stops at once, as without power, and its APIs "
            "answer nobody.",
            FaultKind.REGION_CONTROL_PLANE_LOSS: "The APIs of AWS in a region do nothing that they are asked for; what "
            "they made runs on.",
            FaultKind.ROUTE53_CONTROL_PLANE_LOSS: "Route 53's API does nothing that it is asked for; names are "
            "answered, and health checks move them.",
            FaultKind.REGION_ISOLATION: "Everything in a region lives on and hears each other, its APIs included; "
            "nobody outside hears any of it, and it hears nobody outside.",
            FaultKind.REGION_FLAPPING: "A region is isolated and connected in turns.",
        }[self]


def read_kind(word: str) -> FaultKind:
    """Return the kind of that name; raises `UsageError` with the nearest one."""
    try:
        return FaultKind(word)
    except ValueError:
        raise UsageError(
            f"There is no fault of the kind `{word}`. {suggest(word, FaultKind, what='Kinds')}"
        ) from None


def read_role(word: str) -> StoreRole:
    """Return the role of that name; raises `UsageError` with the nearest one."""
    try:
        return StoreRole(word)
    except ValueError:
        raise UsageError(
            f"A store has no member in the role `{word}`. {suggest(word, StoreRole, what='Roles')}"
        ) from None
