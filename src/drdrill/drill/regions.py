"""The plan's regions in a drill: which are broken, and what comes back is watched again.

A watcher of two writers stands on a machine of its region, and is gone with its power.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from drdrill.drill.about import draw_from

if TYPE_CHECKING:
    from drdrill.drill.operators import Operators
    from drdrill.drill.users import Users
    from drdrill.plan.model import Regions


class HealAt(Protocol):
    """Runs the experiment that mends a place."""

    def __call__(self, fault: str, **place: str) -> None:
        """Mend it; raises `EnvironmentFailedError` when it did not heal."""
        ...


class RegionsUnderDrill:
    """The primary region and the recovery region, of which something is lost and returns."""

    def __init__(
        self, regions: Regions, users: Users, operators: Operators, *, heal_at: HealAt, seed: int
    ) -> None:
        self._regions, self._users, self._operators = regions, users, operators
        self._heal_at, self._seed = heal_at, seed

    @property
    def primary(self) -> str:
        """The name of the primary region."""
        return self._regions.primary.name

    @property
    def recovery_zone(self) -> str:
        """A zone of the recovery region, drawn from the seed."""
        return draw_from(self._regions.recovery.zones, self._seed, "zone")

    def return_primary(self) -> None:
        """Give the primary region its power back, and have it watched again. Raises as `HealAt` does."""
        self._heal_at("region_power_loss", region=self.primary)
        self._watch_again()

    def run_runbook_while_primary_returns(self) -> None:
        """Have the runbook run, and meanwhile the primary region has its power back, and is watched again."""
        self._operators.run_runbook_while_healing(
            "region_power_loss", then=self._watch_again, region=self.primary
        )

    def _watch_again(self) -> None:
        self._users.watch(self._seed, only=self.primary)
