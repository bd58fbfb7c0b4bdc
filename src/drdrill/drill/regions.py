"""The plan's regions in a drill: which are broken, and what comes back is watched again.

A watcher of two writers stands on a machine of its region, and is gone with its power.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from drdrill.core.errors import UsageError
from drdrill.drill.about import draw_from
from drdrill.environment.port import StoreRole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from drdrill.drill.operators import Operators
    from drdrill.drill.users import Users
    from drdrill.environment.port import StoreState
    from drdrill.plan.model import Regions


class HealAt(Protocol):
    """Runs the experiment that mends a place."""

    def __call__(self, fault: str, **place: str) -> None:
        """Mend it; raises `EnvironmentFailedError` when it did not heal."""
        ...


class RegionsUnderDrill:
    """The primary region and the recovery region, of which something is lost and returns.

    `look_at_stores`: returns what is observed of every store of the plan now, the judged one first.
    """

    def __init__(
        self,
        regions: Regions,
        users: Users,
        operators: Operators,
        *,
        look_at_stores: Callable[[], Iterable[StoreState]],
        heal_at: HealAt,
        seed: int,
    ) -> None:
        self._regions, self._users, self._operators = regions, users, operators
        self._look_at_stores = look_at_stores
        self._heal_at, self._seed = heal_at, seed
        self._lost_zone: str | None = None

    @property
    def primary(self) -> str:
        """The name of the primary region."""
        return self._regions.primary.name

    def run_runbook_while_zone_is_lost(self, *, with_databases: bool) -> None:
        """Have the runbook run, and meanwhile a zone of the recovery region loses power, drawn from the seed.

        `with_databases`: where the judged store's database stands that was, or is to be, promoted; else where no
        database does, as one without a standby is gone with its zone. Raises as `Operators.run_runbook_while_breaking`
        does, and `UsageError` where there is no such zone.
        """
        zones = self._regions.recovery.zones
        judged, *others = (
            {one.zone for one in store.members if one.role is not StoreRole.STANDBY}
            for store in self._look_at_stores()
        )
        fitting = [
            one for one in zones if (one in judged if with_databases else one not in judged.union(*others))
        ]
        if not fitting:
            kind = "with the judged database" if with_databases else "without a database"
            raise UsageError(f"the recovery region has no zone {kind}: {', '.join(zones)}.")
        self._lost_zone = draw_from(fitting, self._seed, "zone")
        self._operators.run_runbook_while_breaking("zone_power_loss", zone=self._lost_zone)

    def return_zone(self) -> None:
        """Give the zone that was lost its power back. Raises as `HealAt` does, and `UsageError` where none was."""
        if self._lost_zone is None:
            raise UsageError("no zone of the recovery region was lost before.")
        self._heal_at("zone_power_loss", zone=self._lost_zone)

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
