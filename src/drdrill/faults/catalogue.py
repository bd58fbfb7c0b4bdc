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
