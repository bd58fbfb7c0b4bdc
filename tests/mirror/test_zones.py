"""A zone is lost and returns as a whole, over the control socket."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import pytest

from drdrill.core.errors import EnvironmentFailedError, UsageError
from drdrill.mirror.network import RegionLayout
from drdrill.mirror.zones import ZoneOperations
from tests.mirror.standing import PROGRAMS

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.mirror.network import Network


@dataclass
class _Host:
    name: str
    done: list[str]
    zone: str = "eu-west-1a"
    powered: bool = True
    boots: bool = True

    def await_end(self) -> None:
        self.done.append(f"{self.name} is dead")


class _World:
    """A network, who launches, and who is told of power: all that is done, in its order."""

    regions: tuple[RegionLayout, ...] = (RegionLayout("eu-west-1", ("eu-west-1a", "eu-west-1b")),)

    def __init__(self, *names: str) -> None:
        self.done: list[str] = []
        self.there = [_Host(name, self.done) for name in names or ("node",)]
        self.cannot_start: set[str] = set()

    def hosts(self) -> tuple[_Host, ...]:
        return (*self.there, _Host("elsewhere", self.done, zone="eu-west-1b", powered=False))

    def lose_zone(self, zone: str) -> tuple[_Host, ...]:
        self.done.append(f"{zone} is dark")
        for host in self.there:
            host.powered = False
        return tuple(self.there)

    def return_zone(self, zone: str) -> tuple[_Host, ...]:
        dark = [host for host in self.there if not host.powered]
        for host in dark:
            if not host.boots:
                raise EnvironmentFailedError(f"{host.name} did not boot")
            host.powered = True
        self.done.append(f"{zone} has power")
        return tuple(dark)

    def stop_launches(self, zone: str, /) -> None:
        self.done.append(f"no launches in {zone}")

    def resume_launches(self, zone: str, /) -> None:
        self.done.append(f"launches in {zone}")

    def notice_power(self, host: str) -> None:
        if host in self.cannot_start:
            raise OSError("no space left")
        self.done.append(f"{host} is told of")


def test_a_zone_is_lost_and_returns_in_order() -> None:
    """Launches stop before the power does, and begin after it; nothing lives when the loss is answered."""
    world = _World()
    table = ZoneOperations(cast("Network", world), world, world.notice_power).table()
    assert table["lose_zone"](zone="eu-west-1a") == {"zone": "eu-west-1a", "hosts": ["node"]}
    assert world.done == ["no launches in eu-west-1a", "eu-west-1a is dark", "node is dead"]
    world.done.clear()
    assert table["return_zone"](zone="eu-west-1a") == {"zone": "eu-west-1a", "hosts": ["node"]}
    assert world.done == ["eu-west-1a has power", "node is told of", "launches in eu-west-1a"]


def test_one_that_does_not_start_keeps_nobody_dark() -> None:
    """The others are told and EC2 launches again; what failed is said, and told once more when it is asked again."""
    world = _World("broken", "node")
    table = ZoneOperations(cast("Network", world), world, world.notice_power).table()
    table["lose_zone"](zone="eu-west-1a")
    world.done.clear()
    world.cannot_start.add("broken")
    with pytest.raises(EnvironmentFailedError, match="broken: OSError: no space left"):
        table["return_zone"](zone="eu-west-1a")
    assert world.done == ["eu-west-1a has power", "node is told of", "launches in eu-west-1a"]
    world.cannot_start.clear()
    for _ in range(2):
        table["return_zone"](zone="eu-west-1a")
    assert [one for one in world.done if "told" in one] == ["node is told of", "broken is told of"]


def test_one_that_does_not_boot_keeps_the_zone_lost() -> None:
    """What has power already is told of; nobody launches there before all have it."""
    world = _World("node", "broken")
    table = ZoneOperations(cast("Network", world), world, world.notice_power).table()
    table["lose_zone"](zone="eu-west-1a")
    world.done.clear()
    world.there[1].boots = False
    with pytest.raises(EnvironmentFailedError, match="broken did not boot"):
        table["return_zone"](zone="eu-west-1a")
    assert world.done == ["node is told of"]
    world.there[1].boots = True
    assert table["return_zone"](zone="eu-west-1a") == {"zone": "eu-west-1a", "hosts": ["broken"]}
    assert world.done[1:] == ["eu-west-1a has power", "broken is told of", "launches in eu-west-1a"]


@pytest.mark.parametrize("operation", ["lose_zone", "return_zone"])
def test_a_zone_that_there_is_not(operation: str) -> None:
    """It is refused with the names of those that there are, and nothing is done."""
    world = _World()
    table = ZoneOperations(cast("Network", world), world, world.notice_power).table()
    with pytest.raises(UsageError, match="no zone `eu-west-1c` in this mirror: eu-west-1a, eu-west-1b"):
        table[operation](zone="eu-west-1c")
    assert world.done == []


def test_what_is_in_a_lost_zone_stays_dark(tmp_path: Path) -> None:
    """Hosts made or woken there too, until it returns: then all have power but those that were to have none."""
    world = ["unshare", "-Urnmiu", "-p", "-f", "--kill-child", "--mount-proc"]
    command = [*world, sys.executable, str(PROGRAMS / "lose_zone.py"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    lit = dict.fromkeys(("lives", "fenced", "elsewhere", "user"), True)
    assert seen["links"] | lit == seen["links"]
    assert not any(seen["links"].get(name) for name in ("off", "visitor"))
    set_down = {name: seen["set_down"][name] for name in lit}
    assert set_down == {**lit, "lives": False, "user": False}
    assert "nobody cannot be set down" in seen["refusal"]
    assert (seen["lost"], seen["again"]) == (["lives", "fenced"], [])
    dark = dict.fromkeys(("lives", "fenced", "off", "made"), False)
    assert seen["dark"] == {**dark, "elsewhere": True}
    assert (seen["returned"], seen["nothing"]) == (["lives", "made"], [])
    assert seen["after"] == {**dark, "lives": True, "made": True, "elsewhere": True}
