"""A whole zone or region without power: what goes dark, in which order, and what others see of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest

from drdrill.core.errors import EnvironmentFailedError, UsageError
from drdrill.mirror.network import RegionLayout
from drdrill.mirror.place_faults import PlaceFaults, observe_dark, observe_lit
from tests.faults.fakes import ManualClock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drdrill.mirror.network import Network
    from drdrill.mirror.zones import ZoneOperations

HOME, AWAY = (
    RegionLayout("eu-west-1", ("eu-west-1a", "eu-west-1b")),
    RegionLayout("eu-central-1", ("eu-central-1a",)),
)
API = "198.19.0.1"


@dataclass
class _Host:
    name: str
    zone: str
    address: str
    powered: bool = True


@dataclass
class _World:
    """Hosts in zones, and the APIs of regions; notes what is done."""

    done: list[str] = field(default_factory=list)
    silent: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    regions: tuple[RegionLayout, ...] = (HOME, AWAY)

    def __post_init__(self) -> None:
        self.there = [
            _Host("node-a", "eu-west-1a", "10.20.0.10"),
            _Host("spare", "eu-west-1a", "10.20.0.11", powered=False),
            _Host("control", "eu-west-1-managed", "10.20.250.10"),
            _Host("elsewhere", "eu-central-1a", "10.40.0.10"),
        ]

    def hosts(self) -> tuple[_Host, ...]:
        return tuple(self.there)

    def endpoints(self) -> dict[str, str]:
        return {"us-east-1": "198.19.250.2", "eu-west-1": API, "eu-central-1": "198.19.1.1"}

    def is_silent(self, region: str) -> bool:
        return region in self.silent

    def silence_endpoints(self, region: str) -> None:
        self.silent.add(region)
        self.done.append(f"{region} is silent")

    def restore_endpoints(self, region: str) -> None:
        self.silent.discard(region)
        self.done.append(f"{region} answers")

    def lose_zone(self, zone: str) -> Mapping[str, Any]:
        self.done.append(f"{zone} is dark")
        return {"hosts": []}

    def return_zone(self, zone: str) -> Mapping[str, Any]:
        if zone in self.broken:
            raise EnvironmentFailedError(f"a host of {zone} did not boot.")
        self.done.append(f"{zone} has power")
        return {"hosts": [one.name for one in self.there if one.zone == zone]}


@pytest.fixture
def world() -> _World:
    """Return a world of two regions."""
    return _World()


@pytest.fixture
def faults(world: _World) -> PlaceFaults:
    """Return the faults of its places."""
    return PlaceFaults(cast("Network", world), cast("ZoneOperations", world), ManualClock())


def _names(answer: Mapping[str, Any]) -> list[str]:
    return [host["host"] for host in answer["details"]["hosts"]]


def test_a_region_goes_dark_with_its_apis(faults: PlaceFaults, world: _World) -> None:
    """Its APIs are silent first; every zone, and AWS's own machines, lose power; who had none is not looked for."""
    answer = faults.table()["inject_place"](kind="region_power_loss", resource="eu-west-1")
    assert answer["resource"] == "eu-west-1"
    assert world.done[0] == "eu-west-1 is silent"
    assert set(world.done[1:]) == {"eu-west-1a is dark", "eu-west-1b is dark", "eu-west-1-managed is dark"}
    assert _names(answer) == ["node-a", "control", "the APIs of eu-west-1"]


def test_a_region_returns_with_its_apis(faults: PlaceFaults, world: _World) -> None:
    """Its APIs answer when there is power for what they order."""
    faults.table()["inject_place"](kind="region_power_loss", resource="eu-west-1")
    world.done.clear()
    answer = faults.table()["heal_place"](kind="region_power_loss", resource="eu-west-1")
    assert world.done[-1] == "eu-west-1 answers"
    assert answer["hosts"] == ["node-a", "spare", "control"]


def test_a_zone_that_does_not_return_keeps_no_other_dark(faults: PlaceFaults, world: _World) -> None:
    """Every zone has its power back before what failed is told."""
    faults.table()["inject_place"](kind="region_power_loss", resource="eu-west-1")
    world.done.clear()
    world.broken.add("eu-west-1a")
    with pytest.raises(EnvironmentFailedError, match="a host of eu-west-1a did not boot"):
        faults.table()["heal_place"](kind="region_power_loss", resource="eu-west-1")
    assert world.done == ["eu-west-1b has power", "eu-west-1-managed has power", "eu-west-1 answers"]


def test_a_zone_leaves_the_apis_alone(faults: PlaceFaults, world: _World) -> None:
    """A zone is no region: nothing but it goes dark."""
    answer = faults.table()["inject_place"](kind="zone_power_loss", resource="eu-west-1a")
    assert world.done == ["eu-west-1a is dark"]
    assert _names(answer) == ["node-a"]


@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [
        ("region_power_loss", "eu-west-1a", "no region `eu-west-1a`"),
        ("zone_power_loss", "eu-west-1", "no zone `eu-west-1`"),
    ],
)
def test_a_place_that_is_none(faults: PlaceFaults, world: _World, kind: str, name: str, said: str) -> None:
    """A zone is not lost as a region, nor the other way round: nothing is touched."""
    with pytest.raises(UsageError, match=said):
        faults.inject(kind, name)
    assert world.done == []


@dataclass
class _Eyes:
    """Sees these addresses answer, by a refusal, and all others be silent."""

    alive: set[str]
    outside: str = "the users' host"

    def from_outside(self, address: str) -> Mapping[str, Any]:
        alive = address in self.alive
        return {
            "reachable": False, "answered": False, "error": "Connection refused" if alive else "timed out",
        }  # fmt: skip

    def from_zone(self, zone: str, address: str) -> Mapping[str, Any]:
        raise NotImplementedError

    def at_disk(self, host: str) -> Mapping[str, Any]:
        raise NotImplementedError


HOSTS = [{"host": "a", "zone": "z", "address": "10.0.0.1"}, {"host": "b", "zone": "z", "address": "10.0.0.2"}]


@pytest.mark.parametrize(
    ("alive", "dark", "lit"),
    [(set(), True, False), ({"10.0.0.1"}, False, False), ({"10.0.0.1", "10.0.0.2"}, False, True)],
)
def test_who_says_something(alive: set[str], *, dark: bool, lit: bool) -> None:
    """Dark is where nobody says anything at all, lit where everybody does; who was looked at is told by name."""
    eyes = _Eyes(alive)
    assert observe_dark(eyes, HOSTS)["effective"] is dark
    seen = observe_lit(eyes, HOSTS)
    assert seen["healed"] is lit
    assert [one["host"] for one in seen["looks"]] == ["a", "b"]


def test_nothing_to_look_at_is_no_proof() -> None:
    """Where there was nothing, nothing is seen to be dark."""
    assert observe_dark(_Eyes(set()), [])["effective"] is False
