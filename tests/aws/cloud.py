"""A region of machines that exist only here, on a clock that moves when somebody sleeps; work is done at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from drdrill.aws.autoscaling import AutoScalingRegion, AutoScalingService, AutoScalingSettings, Capacity
from drdrill.aws.ec2 import Ec2Region, Ec2Service, Ec2Settings, make_zones
from drdrill.aws.eks import EksRegion, EksService
from drdrill.aws.sts import StsService, name_caller
from drdrill.core.errors import EnvironmentFailedError
from tests.aws.sdk import REGION, Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.autoscaling import Group

ACCOUNT = "000000000000"
ZONES = tuple(f"{REGION}{letter}" for letter in "abc")
NETWORKS = {zone: f"10.20.{number}.0/24" for number, zone in enumerate(ZONES)}
CHECKS, RETRY = 60, 30


def do_at_once(work: Callable[[], None]) -> None:
    """Do something here and now."""
    work()


@dataclass
class MovingClock:
    """A clock, the wall's included, that moves only when somebody sleeps."""

    ns: int = 0

    def now_ns(self) -> int:
        """Return the time."""
        return self.ns

    def utc(self) -> datetime:
        """Return the wall clock's time."""
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=self.ns / 1000)

    def sleep(self, seconds: float) -> None:
        """Move on at once."""
        self.ns += int(seconds * 1_000_000_000)


@dataclass
class FakeMachine:
    """A machine; `done` is what was done with it, in order."""

    name: str
    zone: str
    address: str
    powered: bool = True
    ready: bool = False
    fails_to_join: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)

    def join(self) -> None:
        """Become ready, or fail."""
        if self.fails_to_join:
            raise EnvironmentFailedError(self.fails_to_join)
        self.done.append("joined")
        self.ready = True

    def drain(self, *, within: timedelta) -> None:
        """Note it."""
        self.done.append(f"drained within {within.total_seconds():g} s")

    def take_away(self) -> None:
        """Note it."""
        self.done.append("taken away")
        self.powered = False


@dataclass
class FakeLauncher:
    """What a group's machines are made by; `failure` is what making one ends with, `wait` what it waits for."""

    machines: dict[str, FakeMachine] = field(default_factory=dict)
    failure: str = ""
    fails_to_join: str = ""
    settled: list[str] = field(default_factory=list)
    retired: list[str] = field(default_factory=list)

    def launch(self, instance: str, zone: str, labels: Mapping[str, str] | None = None) -> FakeMachine:
        """Make a machine."""
        if self.failure:
            raise EnvironmentFailedError(self.failure)
        number = len(self.machines) + 10
        address = f"10.20.{ZONES.index(zone)}.{number}"
        machine = FakeMachine(f"ip-{address.replace('.', '-')}.{REGION}.compute.internal", zone, address)
        machine.labels = labels or {}
        self.machines[instance] = machine
        return machine

    def settle(self, instance: str) -> None:
        """Note it."""
        self.settled.append(instance)

    def retire(self, instance: str) -> None:
        """Note it."""
        self.retired.append(instance)


@dataclass
class FakePlane:
    """A control plane; `launcher` makes its machines, of which every `unready` one never is a ready node."""

    launcher: FakeLauncher
    endpoint: str = f"https://0123.gr7.{REGION}.eks.amazonaws.com"
    authority: str = "-----BEGIN CERTIFICATE-----"
    unready: bool = False
    granted: list[tuple[str, str]] = field(default_factory=list)
    released: bool = False

    def launch(self, instance: str, zone: str, labels: Mapping[str, str]) -> FakeMachine:
        """Make a machine."""
        machine = self.launcher.launch(instance, zone, labels)
        machine.fails_to_join = self.launcher.fails_to_join
        return machine

    def read_ready(self) -> frozenset[str]:
        """Tell the truth."""
        ready = (one.name for one in self.launcher.machines.values() if one.ready and one.powered)
        return frozenset() if self.unready else frozenset(ready)

    def grant(self, group: str, role: str) -> None:
        """Note it."""
        self.granted.append((group, role))

    def release(self) -> None:
        """Note it."""
        self.released = True


@dataclass
class FakeFleet:
    """Where clusters are made; `failure` is what making one ends with."""

    failure: str = ""
    wait: str = ""
    region: str = REGION
    version: str = "1.34.4"
    networks: Mapping[str, str] = field(default_factory=lambda: NETWORKS)
    planes: dict[str, FakePlane] = field(default_factory=dict)

    def say_wait(self) -> str:
        """Say what there is to wait for."""
        return self.wait

    def create(self, name: str, *, endpoint: str = "") -> FakePlane:
        """Make a control plane."""
        if self.failure:
            raise EnvironmentFailedError(self.failure)
        self.planes[name] = FakePlane(FakeLauncher())
        self.planes[name].endpoint = endpoint or self.planes[name].endpoint
        return self.planes[name]


class Cloud:
    """EC2, Auto Scaling and EKS in one region, and boto3's clients of them. `spawn` begins clusters."""

    def __init__(self, spawn: Callable[[Callable[[], None]], None] = do_at_once) -> None:
        self.clock = MovingClock()
        self.ec2_region = Ec2Region(
            REGION,
            ACCOUNT,
            make_zones(REGION, NETWORKS),
            Ec2Settings(timedelta(seconds=CHECKS)),
            self.clock,
            spawn=do_at_once,
        )
        settings = AutoScalingSettings(timedelta(seconds=RETRY))
        self.groups = AutoScalingRegion(self.ec2_region, ACCOUNT, settings, self.clock, do_at_once)
        self.fleet = FakeFleet()
        self.eks_region = EksRegion(self.fleet, self.groups, ACCOUNT, self.clock, spawn, watch=False)
        self.wire = Wire(
            {
                (REGION, "ec2"): Ec2Service(self.ec2_region, (REGION, "eu-central-1")),
                (REGION, "autoscaling"): AutoScalingService(self.groups),
                (REGION, "eks"): EksService(self.eks_region, name_caller(ACCOUNT)),
                (REGION, "sts"): StsService(ACCOUNT),
            }
        )

    @cached_property
    def ec2(self) -> Any:
        """A client of EC2: its model takes 0.3 s to load."""
        return self.wire.client("ec2")

    @cached_property
    def autoscaling(self) -> Any:
        """A client of Auto Scaling."""
        return self.wire.client("autoscaling")

    @cached_property
    def eks(self) -> Any:
        """A client of EKS."""
        return self.wire.client("eks")

    def make_group(
        self,
        launcher: FakeLauncher,
        *,
        minimum: int = 0,
        maximum: int = 6,
        desired: int = 3,
        name: str = "workers",
    ) -> Group:
        """Make a group in all zones, and look once."""
        made = self.groups.create(
            name,
            launcher,
            self.ec2_region.subnets.defaults(),
            Capacity(minimum, maximum, desired),
            instance_type="m5.large",
            tags={"team": "a"},
        )
        self.groups.look()
        return made

    def describe(self, name: str = "workers") -> dict[str, Any]:
        """Return a group as boto3 describes it."""
        (described,) = self.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])[
            "AutoScalingGroups"
        ]
        return dict(described)

    def zones_of(self, name: str = "workers") -> list[str]:
        """Return in which zones a group has its instances, in order."""
        return sorted(one["AvailabilityZone"] for one in self.describe(name)["Instances"])

    def look(self, seconds: float = 1) -> None:
        """Let time pass, and look once at the groups, then at the clusters."""
        self.clock.sleep(seconds)
        self.groups.look()
        self.eks_region.look()
