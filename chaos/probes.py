"""What the experiments look at, by other means than those of the actions, one call into drdrill each."""

from __future__ import annotations

from typing import Any

from drdrill import faults


def observe_host_power_loss(store: str, within: str) -> dict[str, Any]:
    """Watch until the host is seen to be gone; fails when it is not within that time."""
    return faults.observe_effect("host_power_loss", store, within)


def observe_host_power_back(store: str, within: str) -> dict[str, Any]:
    """Watch until what ran on the host is whole again; fails when it is not within that time."""
    return faults.observe_healed("host_power_loss", store, within)
