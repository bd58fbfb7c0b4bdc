"""A region with load balancers whose nodes see what a test says, on a clock that moves when somebody sleeps."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from drdrill.aws.elbv2 import ElbRegion, ElbService, ElbSettings
from drdrill.core.errors import EnvironmentFailedError
from drdrill.dataplane.envoy import EndpointHealth, Seen
from drdrill.dataplane.envoy_configuration import Certificate, ProxyConfiguration
from tests.aws.cloud import ACCOUNT, NETWORKS, ZONES, Cloud
from tests.aws.places import AllGroups
from tests.aws.sdk import REGION, Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.dataplane.envoy import Place

CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/1"
SECOND_CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/2"
THIRD_CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/3"
HEALTHY = EndpointHealth(Seen.HEALTHY)


@dataclass
class FakeNode:
    """A node that sees every endpoint as `sees` says, or as healthy; `heard`: whether it is heard from."""

    zone: str
    address: str
    heard: bool = True
    sees: dict[str, EndpointHealth] = field(default_factory=dict)
    configuration: ProxyConfiguration = field(default_factory=ProxyConfiguration)
    released: bool = False
    fails: bool = False

    def keep(self, configuration: ProxyConfiguration) -> None:
        """Note it."""
        if self.fails:
            raise EnvironmentFailedError("no power")
        self.configuration = configuration

    def look(self) -> Mapping[Place, EndpointHealth] | None:
        """Say what it sees."""
        if not self.heard:
            return None
        return {
            (upstream.name, endpoint.address, endpoint.port): self.sees.get(endpoint.address, HEALTHY)
            for upstream in self.configuration.upstreams
            for endpoint in upstream.endpoints
        }

    def release(self) -> None:
        """Note it."""
        self.released = True


@dataclass
class FakeNodes:
    """Where nodes are made; in a zone of `full` none can be."""

    made: dict[str, FakeNode] = field(default_factory=dict)
    full: set[str] = field(default_factory=set)

    def create(self, name: str, zone: str) -> FakeNode:
        """Make a node."""
        if zone in self.full:
            raise EnvironmentFailedError(f"no room for {name}")
        self.made[zone] = FakeNode(zone, f"10.20.{ZONES.index(zone)}.5")
        return self.made[zone]


@dataclass
class FakeNames:
    """A DNS that notes what it is told."""

    published: dict[str, tuple[str, ...]] = field(default_factory=dict)
    healthy: dict[str, bool | None] = field(default_factory=dict)
    ttl_seconds: int = 0

    def publish(self, name: str, addresses: tuple[str, ...], *, ttl_seconds: int) -> None:
        """Note it."""
        self.published[name], self.ttl_seconds = addresses, ttl_seconds

    def withdraw(self, name: str) -> None:
        """Note it."""
        del self.published[name]

    def report_health(self, name: str, *, healthy: bool | None) -> None:
        """Note it."""
        self.healthy[name] = healthy


class FakeCertificates:
    """ACM with three certificates; `meanwhile`: what happens before one of them is found."""

    def __init__(self) -> None:
        self.meanwhile: dict[str, Callable[[], object]] = {}

    def find(self, arn: str, /) -> Certificate | None:
        """Return one of them."""
        self.meanwhile.pop(arn, lambda: None)()
        there = (CERTIFICATE, SECOND_CERTIFICATE, THIRD_CERTIFICATE)
        return Certificate(f"chain of {arn}", "key") if arn in there else None


class ByNetwork:
    """Knows zones by their ranges."""

    def find_zone(self, address: str, /) -> str | None:
        """Return the zone of an address."""
        parsed = ipaddress.IPv4Address(address)
        return next((zone for zone in ZONES if parsed in ipaddress.IPv4Network(NETWORKS[zone])), None)


@cache
def _connect() -> tuple[Wire, Any]:
    """Return a client, for one test after another (its model takes 0.5 s to load), and what it is connected by."""
    wire = Wire()
    return wire, wire.client("elbv2")


class Balancing:
    """Elastic Load Balancing in one region, a client of it, and everything below it."""

    def __init__(self) -> None:
        self.cloud = Cloud()
        self.clock = self.cloud.clock
        self.nodes = FakeNodes()
        self.names = FakeNames()
        self.certificates = FakeCertificates()
        self.threads: list[Callable[[], None]] = []
        self.region = ElbRegion(
            REGION,
            ACCOUNT,
            ec2=self.cloud.ec2_region,
            subnets=self.cloud.ec2_region.subnets,
            security_groups=AllGroups(),
            neighbourhood=ByNetwork(),
            certificates=self.certificates,
            fleet=self.nodes,
            names=self.names,
            settings=ElbSettings(),
            clock=self.clock,
            spawn=self.threads.append,
        )
        self.wire, self.elb = _connect()
        self.wire.services = {(REGION, "elasticloadbalancing"): ElbService(self.region)}
        self.wire.failures.clear()

    @property
    def subnets(self) -> list[str]:
        """The ids of a subnet in each zone."""
        return [one.identifier for one in self.cloud.ec2_region.subnets.defaults()]

    @property
    def vpc(self) -> str:
        """The id of the network."""
        return self.cloud.ec2_region.subnets.defaults()[0].vpc

    def look(self, seconds: float = 1.0) -> None:
        """Let some time pass, and have every load balancer looked at."""
        self.clock.sleep(seconds)
        self.region.look()
        self.clock.sleep(0.001)

    def balancer(self, name: str = "shop", **parameters: object) -> dict[str, Any]:
        """Make a load balancer in all zones."""
        (made,) = self.elb.create_load_balancer(Name=name, **{"Subnets": self.subnets, **parameters})[
            "LoadBalancers"
        ]
        return dict(made)

    def group(self, name: str = "web", **parameters: object) -> str:
        """Make a target group of addresses, and return its ARN."""
        wanted = {
            "Protocol": "HTTP",
            "Port": 8080,
            "VpcId": self.vpc,
            "TargetType": "ip",
            **parameters,
        }
        return str(self.elb.create_target_group(Name=name, **wanted)["TargetGroups"][0]["TargetGroupArn"])

    def listener(self, balancer: str, *groups: str, **parameters: object) -> str:
        """Have a load balancer listen, and return the listener's ARN."""
        actions = [{"Type": "forward", "TargetGroupArn": group} for group in groups]
        wanted = {"Protocol": "HTTP", "Port": 80, "DefaultActions": actions, **parameters}
        return str(
            self.elb.create_listener(LoadBalancerArn=balancer, **wanted)["Listeners"][0]["ListenerArn"]
        )

    def serve(self, *addresses: str, subnets: list[str] | None = None) -> tuple[dict[str, Any], str]:
        """Make a load balancer that serves these addresses; return it, and its target group's ARN."""
        balancer, group = self.balancer(Subnets=subnets or self.subnets), self.group()
        self.listener(balancer["LoadBalancerArn"], group)
        self.register(group, *addresses)
        return balancer, group

    def register(self, group: str, *targets: str) -> None:
        """Register targets."""
        self.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": one} for one in targets])

    def health(self, group: str) -> dict[str, tuple[str, str | None]]:
        """Return state and reason of every target."""
        told = self.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return {
            one["Target"]["Id"]: (one["TargetHealth"]["State"], one["TargetHealth"].get("Reason"))
            for one in told
        }
