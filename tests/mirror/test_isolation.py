"""A region that nobody outside hears: who hears whom, in a world of hosts, and what flaps."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from drdrill.core.errors import CommandFailedError, EnvironmentFailedError, UsageError
from drdrill.dataplane.link import LinkCondition
from drdrill.mirror.flapping import Flapping, Rhythm, read_rhythm
from drdrill.mirror.isolation_faults import IsolationFaults
from drdrill.mirror.isolation_observers import observe_apart, observe_flapping, observe_steady
from drdrill.mirror.network import RegionLayout
from drdrill.mirror.object_replication import MirrorLinks
from tests.faults.fakes import ManualClock
from tests.mirror.standing import PROGRAMS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from drdrill.aws.rds import RdsRegion
    from drdrill.mirror.isolation import Isolation
    from drdrill.mirror.network import Network

REGION = "eu-west-1"
RHYTHM = Rhythm(away_seconds=20, there_seconds=8)
_INSIDE = {"host to host", "host to managed", "host to API", "host to resolver"}
_CONTROL_PLANE = {"supervisor to host", "supervisor to API", "supervisor to far"}
_OUTSIDE = {"users to far", "users to far API", "far to far API"}


def test_who_hears_whom(tmp_path: Path) -> None:
    """Inside all is as ever, its control plane too; across nobody hears anybody, and is told nothing; then all do."""
    world = ["unshare", "-Urnmiu", "-p", "-f", "--kill-child", "--mount-proc"]
    command = [*world, sys.executable, str(PROGRAMS / "isolate_region.py"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert set(seen["before"].values()) == {"yes"}
    assert seen["connected"] == seen["before"]
    assert {way for way, said in seen["isolated"].items() if said == "yes"} == (
        _INSIDE | _CONTROL_PLANE | _OUTSIDE
    )
    assert {said for said in seen["isolated"].values() if said != "yes"} == {"silence"}
    # What an open connection sent meanwhile arrives afterwards: it hung, and nobody broke it.
    assert (seen["open connection"], seen["open connection again"]) == ("timed out", "2")
    assert (seen["said"], seen["said again"]) == ([True, False], [False, True])
    before, isolated, connected = seen["rules"]
    assert connected == before != isolated


class _Isolation:
    """Notes what is done, and fails when it is to."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.fails = ""
        self.error: Exception = CommandFailedError(["ip", "rule"], 2, "no rule")

    def isolate(self, region: str) -> None:
        self._note(f"{region} away")

    def connect(self, region: str) -> None:
        self._note(f"{region} there")

    def is_isolated(self, region: str) -> bool:
        return bool(self.done) and self.done[-1] == f"{region} away"

    def _note(self, what: str) -> None:
        if what == self.fails:
            self.fails = ""
            raise self.error
        self.done.append(what)


class _Turns:
    """A clock's wait: lets so many turns pass at once, and then waits until it is over."""

    def __init__(self, turns: int) -> None:
        self.left, self.waited = turns, list[float]()
        self.passed = threading.Event()

    def wait(self, stopped: threading.Event, seconds: float) -> bool:
        self.waited.append(seconds)
        self.left -= 1
        if self.left >= 0:
            return False
        self.passed.set()
        return stopped.wait()


def test_a_region_comes_and_goes_until_it_is_stopped() -> None:
    """It is away at once, comes and goes by its rhythm, and is there in the end, wherever it was stopped."""
    isolation, turns = _Isolation(), _Turns(4)
    flapping = Flapping(cast("Isolation", isolation), REGION, RHYTHM, turns.wait)
    assert turns.passed.wait(10)
    flapping.stop()
    away, there = f"{REGION} away", f"{REGION} there"
    assert isolation.done == [away, there, away, there, away, there]
    assert turns.waited == [20, 8, 20, 8, 20]


@pytest.mark.parametrize(
    "error",
    [CommandFailedError(["ip", "rule"], 2, "no rule"), OSError("no more processes"), ValueError("no JSON")],
    ids=lambda error: type(error).__name__,
)
def test_one_that_stopped_to_flap_is_told(error: Exception) -> None:
    """A turn that failed ends the turns: the region is connected for good all the same, and healing says what was."""
    isolation, turns = _Isolation(), _Turns(4)
    isolation.fails, isolation.error = f"{REGION} there", error
    flapping = Flapping(cast("Isolation", isolation), REGION, RHYTHM, turns.wait)
    with pytest.raises(EnvironmentFailedError, match="did not come and go until the end") as told:
        flapping.stop()
    assert str(error) in str(told.value)
    assert isolation.done == [f"{REGION} away", f"{REGION} there"]


@pytest.mark.parametrize("amount", ["", "20 s", "20 s away, never there", "0 s away, 8 s there"])
def test_an_amount_that_says_nothing(amount: str) -> None:
    """How a region is to come and go has to be said in full."""
    with pytest.raises(UsageError, match="does not say how a region is to come and go"):
        read_rhythm(amount)
    assert read_rhythm("20 s away, 8 s there") == RHYTHM


class _World:
    regions = (RegionLayout(REGION, ("eu-west-1a",)), RegionLayout("eu-central-1", ("eu-central-1a",)))

    def hosts(self) -> tuple[()]:
        return ()

    def endpoints(self) -> dict[str, str]:
        return {"us-east-1": "198.19.250.2", REGION: "198.19.0.1", "eu-central-1": "198.19.1.1"}

    def is_silent(self, region: str) -> bool:
        return region == "none of them"


def test_the_operations_isolate_and_connect() -> None:
    """A region is isolated at once, healing twice is harmless, and outside are the APIs of all other regions."""
    isolation = _Isolation()
    faults = IsolationFaults(cast("Network", _World()), cast("Isolation", isolation), ManualClock())
    table = faults.table()
    injected = table["inject_isolation"](kind="region_isolation", resource=REGION)
    assert (injected["resource"], injected["details"]) == (REGION, {"place": REGION})
    now = table["region_now"](resource=REGION)
    assert [one["address"] for one in now["hosts"]] == ["198.19.0.1"]
    assert [one["zone"] for one in now["outside"]] == ["us-east-1", "eu-central-1"]
    assert [table["heal_isolation"](resource=REGION)["was_isolated"] for _ in range(2)] == [True, False]
    with pytest.raises(UsageError, match="no region `eu-west-1a`"):
        table["inject_isolation"](kind="region_isolation", resource="eu-west-1a")


def test_a_region_that_flaps_keeps_its_rhythm() -> None:
    """Asked for again it goes on; another rhythm, or isolation for good, is refused until it is healed."""
    faults = IsolationFaults(cast("Network", _World()), cast("Isolation", _Isolation()), ManualClock())
    slow, quick = "20 s away, 8 s there", "5 s away, 8 s there"
    try:
        for _ in range(2):
            told = faults.inject("region_flapping", REGION, slow)
            assert told["details"]["rhythm"] == {"away_seconds": 20, "there_seconds": 8}
        for kind, amount in (("region_flapping", quick), ("region_isolation", "")):
            with pytest.raises(UsageError, match="comes and goes already"):
                faults.inject(kind, REGION, amount)
    finally:
        faults.heal(REGION)
    faults.inject("region_flapping", REGION, quick)
    faults.heal(REGION)


class _Eyes:
    """From outside it sees each look's turn, and from a zone those addresses that live there."""

    outside = "the users' host"

    def __init__(self, *turns: bool, inside: frozenset[str] = frozenset()) -> None:
        self.turns, self.inside = list(turns), inside

    def from_outside(self, address: str) -> Mapping[str, Any]:
        del address
        return _look(alive=self.turns.pop(0) if len(self.turns) > 1 else self.turns[0])

    def from_zone(self, zone: str, address: str) -> Mapping[str, Any]:
        assert zone == "eu-west-1a"
        return _look(alive=address in self.inside)

    def at_disk(self, host: str) -> Mapping[str, Any]:
        raise NotImplementedError


def _look(*, alive: bool) -> dict[str, Any]:
    return {"reachable": False, "answered": False, "error": "Connection refused" if alive else "timed out"}


class _Regions:
    """RDS in the regions, whose links are throttled."""

    links = SimpleNamespace(condition=lambda _: LinkCondition(bytes_per_second=9))


@pytest.mark.parametrize(("heard", "cut"), [(True, False), (False, True)])
def test_objects_wait_for_a_region_that_is_isolated(*, heard: bool, cut: bool) -> None:
    """The link of objects is cut while the regions do not hear each other, and else as it is shaped."""
    isolation = SimpleNamespace(hear_each_other=lambda *_: heard)
    rds = {name: cast("RdsRegion", _Regions()) for name in (REGION, "eu-central-1")}
    links = MirrorLinks(cast("Network", _World()), cast("Isolation", isolation), rds)
    assert links.condition(REGION, "eu-central-1") == LinkCondition(bytes_per_second=9, cut=cut)


HOSTS = [
    {"host": "a", "zone": "eu-west-1a", "address": "10.20.0.10"},
    {"host": "b", "zone": "eu-west-1b", "address": "10.20.1.10"},
]
FAR = [{"host": "the APIs of eu-central-1", "zone": "eu-central-1", "address": "198.19.1.1"}]
ALL_INSIDE = frozenset({"10.20.0.10", "10.20.1.10"})


@pytest.mark.parametrize(
    ("from_outside", "inside", "apart"),
    [
        (False, ALL_INSIDE, True),
        (True, ALL_INSIDE, False),
        (False, frozenset({"10.20.0.10"}), False),
        (False, ALL_INSIDE | {"198.19.1.1"}, False),
    ],
    ids=["apart", "heard outside", "lost inside", "hears outside"],
)
def test_who_is_apart(inside: frozenset[str], *, from_outside: bool, apart: bool) -> None:
    """Apart is a region that is silent outside, hears all of itself, and hears nothing outside."""
    eyes = _Eyes(from_outside, inside=inside)
    assert observe_apart(eyes, HOSTS, FAR, "eu-west-1a")["effective"] is apart


def test_where_nothing_lives_nothing_is_apart() -> None:
    """No host is no proof."""
    assert observe_apart(_Eyes(False), [], FAR, "eu-west-1a")["effective"] is False


QUICK = Rhythm(away_seconds=0.001, there_seconds=0.001)


@pytest.mark.parametrize(
    ("turns", "flaps"),
    [
        ((True, False, False, True, False), True),
        ((False,), False),
        ((False, True), False),
        ((True,), False),
    ],
)
def test_who_flaps(turns: tuple[bool, ...], *, flaps: bool) -> None:
    """A region flaps that was seen away, there and away: neither one that is away nor one that came back for good."""
    reading = observe_flapping(_Eyes(*turns), HOSTS[0], QUICK)
    assert reading["effective"] is flaps
    assert len(reading["looks"]) == len([t for n, t in enumerate(turns) if n == 0 or turns[n - 1] != t])


@pytest.mark.parametrize(("turns", "steady"), [((True,), True), ((True, True, False), False)])
def test_who_stays(turns: tuple[bool, ...], *, steady: bool) -> None:
    """Healed is one that is seen for longer than it ever was there, without being gone once."""
    assert observe_steady(_Eyes(*turns), HOSTS[0], QUICK)["healed"] is steady
