"""What Elastic Load Balancing knows: values, replaced as a whole when something changes.

What a proxy sees of a target is none of them: it is read from the proxies (`nodes`), and judged in `health`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from drdrill.aws.ports import Subnet
    from drdrill.dataplane.envoy_configuration import CheckProtocol

Pairs = tuple[tuple[str, str], ...]


class Kind(StrEnum):
    """The kinds of load balancers that the mirror has."""

    APPLICATION = "application"
    NETWORK = "network"

    @property
    def short(self) -> str:
        """The word for it in ARNs."""
        return "app" if self is Kind.APPLICATION else "net"


class Phase(StrEnum):
    """States of a load balancer, in AWS's words (API reference, LoadBalancerState).

    ::

        provisioning ──▶ active      once every node has answered
    """

    PROVISIONING = "provisioning"
    ACTIVE = "active"


class State(StrEnum):
    """States of a target, in AWS's words (API reference, TargetHealth)."""

    INITIAL = "initial"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    UNUSED = "unused"
    DRAINING = "draining"
    UNAVAILABLE = "unavailable"


class Reason(StrEnum):
    """Why a target is not healthy, in AWS's words."""

    REGISTRATION = "Elb.RegistrationInProgress"
    FIRST_CHECKS = "Elb.InitialHealthChecking"
    INTERNAL = "Elb.InternalError"
    STATUS = "Target.ResponseCodeMismatch"
    TIMEOUT = "Target.Timeout"
    FAILED = "Target.FailedHealthChecks"
    NOT_REGISTERED = "Target.NotRegistered"
    NOT_IN_USE = "Target.NotInUse"
    DEREGISTRATION = "Target.DeregistrationInProgress"
    INVALID_STATE = "Target.InvalidState"


@dataclass(frozen=True, slots=True)
class ElbSettings:
    """How the emulated control plane behaves.

    `node_failure_detection`: how long a node is silent before its address leaves the DNS. AWS does not say; it is three
    of Route 53's fast health checks, every 10 s (Developer Guide, "Values that you specify when you create health
    checks").
    """

    node_failure_detection: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class LoadBalancer:
    """A load balancer as the API describes it, but for its state, which is its nodes'."""

    arn: str
    name: str
    kind: Kind
    scheme: str
    dns_name: str
    zone_id: str | None
    created_at: datetime
    subnets: tuple[Subnet, ...]
    security_groups: tuple[str, ...] = ()
    attributes: Pairs = ()

    def attribute(self, name: str) -> str:
        """Return the value of an attribute."""
        return dict(self.attributes)[name]

    @property
    def zones(self) -> tuple[str, ...]:
        """The zones that are enabled."""
        return tuple(subnet.zone for subnet in self.subnets)


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """How targets of a group are checked; `port` 0 is the port on which a target takes traffic."""

    protocol: CheckProtocol
    port: int
    path: str
    interval_seconds: int
    timeout_seconds: int
    healthy_threshold: int
    unhealthy_threshold: int
    matcher: str


@dataclass(frozen=True, slots=True)
class Target:
    """A target that is registered, or was and drains: an instance by its id, or an address."""

    identifier: str
    port: int
    registered_ns: int
    everywhere: bool = False  # registered with the zone `all`
    drains_until_ns: int | None = None


@dataclass(frozen=True, slots=True)
class TargetGroup:
    """A target group as the API describes it, with its targets."""

    arn: str
    name: str
    target_type: str
    protocol: str
    port: int
    vpc: str
    check: HealthCheck
    attributes: Pairs = ()
    targets: tuple[Target, ...] = ()

    def attribute(self, name: str) -> str:
        """Return the value of an attribute."""
        return dict(self.attributes)[name]


@dataclass(frozen=True, slots=True)
class ForwardAction:
    """Send to one of some target groups, by weight."""

    weights: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class RedirectAction:
    """Send the client somewhere else; parts as they were given, with AWS's placeholders."""

    status: str
    protocol: str
    host: str
    port: str
    path: str
    query: str


@dataclass(frozen=True, slots=True)
class FixedAction:
    """Answer at once."""

    status: str
    content_type: str
    body: str


Action = ForwardAction | RedirectAction | FixedAction


@dataclass(frozen=True, slots=True)
class Condition:
    """What a request has to have for a rule: one of the values; `header` names the one that `http-header` looks at."""

    field: str
    values: tuple[str, ...]
    header: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a listener; `priority` None: the default one."""

    arn: str
    listener: str
    priority: int | None
    conditions: tuple[Condition, ...]
    action: Action


@dataclass(frozen=True, slots=True)
class Listener:
    """A listener; the first of its certificates is the default one."""

    arn: str
    balancer: str
    protocol: str
    port: int
    certificates: tuple[str, ...] = ()
    ssl_policy: str = ""
