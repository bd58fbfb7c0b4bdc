"""The catalogue of faults: every kind that an experiment may ask for. An environment offers some of them."""

from __future__ import annotations

from enum import StrEnum

from drdrill.core.errors import UsageError
from drdrill.environment.port import StoreRole
from drdrill.plan.nearest import suggest


class FaultKind(StrEnum):
    """What can be broken, by the name that experiments and journals use."""

    HOST_POWER_LOSS = "host_power_loss"

    @property
    def description(self) -> str:
        """Say in one sentence what happens to the target, for reports."""
        return {
            FaultKind.HOST_POWER_LOSS: "The host of a store's member stops at once, as without power: "
            "its processes are gone, its memory is lost, and its address falls silent.",
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
