"""What is lost of regions in a drill: which zone it is, and that it is the same one that comes back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from drdrill.core.errors import UsageError
from drdrill.drill.regions import RegionsUnderDrill
from drdrill.environment.port import StoreMember, StoreRole, StoreState
from drdrill.plan import load_plan
from tests.drill.fakes import make_state

if TYPE_CHECKING:
    from drdrill.drill.operators import Operators
    from drdrill.drill.users import Users

REGIONS = load_plan(Path(__file__).resolve().parents[2] / "scenarios" / "plan.yaml").regions
A, B, C = REGIONS.recovery.zones
HERE = REGIONS.primary.zones[0]


def _store(**zones: StoreRole) -> StoreState:
    """Return a store with a member in each of these zones; `_` stands for `-`."""
    members = (
        StoreMember(f"in-{zone}", zone.replace("_", "-"), "10.40.0.1", role, "")
        for zone, role in zones.items()
    )
    return replace(make_state("x"), members=tuple(members))


def _in(zone: str, role: StoreRole = StoreRole.REPLICA) -> dict[str, StoreRole]:
    return {HERE.replace("-", "_"): StoreRole.PRIMARY, zone.replace("-", "_"): role}


@dataclass
class _Regions:
    """The regions, and what is broken and mended of them."""

    stores: list[StoreState]
    seed: int = 1
    broken: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    mended: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def make(self) -> RegionsUnderDrill:
        """Return them as a drill has them."""
        return RegionsUnderDrill(
            REGIONS,
            cast("Users", None),
            cast("Operators", self),
            look_at_stores=lambda: self.stores,
            heal_at=lambda fault, **place: self.mended.append((fault, place)),
            seed=self.seed,
        )

    def run_runbook_while_breaking(self, fault: str, **place: str) -> None:
        """Stand for the operators."""
        self.broken.append((fault, place))


def _lose(stores: list[StoreState], *, with_databases: bool, seed: int = 1) -> str:
    regions = _Regions(stores, seed)
    made = regions.make()
    made.run_runbook_while_zone_is_lost(with_databases=with_databases)
    regions.stores = [_store(**_in(C))]  # what stands where afterwards is another matter
    made.return_zone()
    assert regions.mended == regions.broken
    ((fault, place),) = regions.broken
    assert fault == "zone_power_loss"
    return place["zone"]


def test_a_zone_without_databases() -> None:
    """No store's database stands there, in whatever role but a standby's; every such zone is drawn by some seed."""
    stores = [_store(**_in(A)), _store(**_in(A, StoreRole.PRIMARY) | _in(C, StoreRole.STANDBY))]
    assert {_lose(stores, with_databases=False, seed=seed) for seed in range(20)} == {B, C}
    assert len({_lose(stores, with_databases=False, seed=3) for _ in range(3)}) == 1


def test_the_zone_of_the_judged_database() -> None:
    """It is the judged store's own, wherever the others stand, and not one of the region that is lost."""
    stores = [_store(**_in(B)), _store(**_in(A))]
    assert {_lose(stores, with_databases=True, seed=seed) for seed in range(10)} == {B}


def test_there_is_no_such_zone() -> None:
    """It is said, and nothing is broken."""
    everywhere = _Regions([_store(**_in(zone)) for zone in (A, B, C)])
    with pytest.raises(UsageError, match="no zone without a database"):
        everywhere.make().run_runbook_while_zone_is_lost(with_databases=False)
    nowhere = _Regions([_store(), _store(**_in(A))])
    with pytest.raises(UsageError, match="no zone with the judged database"):
        nowhere.make().run_runbook_while_zone_is_lost(with_databases=True)
    assert everywhere.broken == nowhere.broken == []


def test_a_zone_that_was_not_lost() -> None:
    """Nothing is mended."""
    regions = _Regions([_store(**_in(A))])
    with pytest.raises(UsageError, match="no zone of the recovery region was lost"):
        regions.make().return_zone()
    assert regions.mended == []
