"""What the experiments do to the system, one call into drdrill each."""

from __future__ import annotations

from typing import Any

from drdrill import faults


def inject_host_power_loss(store: str, role: str) -> dict[str, Any]:
    """Cut the power of the host on which the member of `store` in that role runs."""
    return faults.inject("host_power_loss", store, role)


def heal_host_power_loss(store: str) -> dict[str, Any]:
    """Give the host its power back."""
    return faults.heal("host_power_loss", store)
