"""What the node of one zone is to do, from what the API was told: pure.

Cross-zone load balancing on: a node has the targets of all enabled zones; off: those of its own (User Guide,
"Cross-zone load balancing for target groups").
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from drdrill.aws.elbv2.attributes import ALGORITHM, CROSS_ZONE, IDLE_TIMEOUT, INHERIT
from drdrill.aws.elbv2.conditions import HEADER, HOST, METHOD, PATH
from drdrill.aws.elbv2.model import FixedAction, ForwardAction, Kind, RedirectAction
from drdrill.dataplane.envoy_configuration import (
    Answer,
    Check,
    CheckProtocol,
    Endpoint,
    Forward,
    HttpListener,
    ProxyConfiguration,
    Redirect,
    Route,
    TcpListener,
    Upstream,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from drdrill.aws.elbv2.model import Action, Condition, Listener, LoadBalancer, Rule, Target, TargetGroup
    from drdrill.dataplane.envoy_configuration import Certificate

_SERVER = "awselb/2.0"
_NOTHING = Answer(503, "text/html", "")  # every weight is zero
_LAST_RANK = 1 << 20


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a target is: its address, and its zone; None: reached from every zone alike. `gone`: not there any more."""

    address: str
    zone: str | None
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Attached:
    """A load balancer with everything that it serves, at one moment."""

    balancer: LoadBalancer
    listeners: tuple[tuple[Listener, tuple[Rule, ...]], ...]
    groups: tuple[TargetGroup, ...]
    standings: Mapping[Target, Standing]

    def crosses_zones(self, group: TargetGroup) -> bool:
        """Say whether a group's targets get requests from the nodes of other zones."""
        said = group.attribute(CROSS_ZONE)
        return (self.balancer.attribute(CROSS_ZONE) if said == INHERIT else said) == "true"

    def serves(self, target: Target, group: TargetGroup, zone: str) -> bool:
        """Say whether the node of a zone is to check a target, and to send it requests."""
        standing = self.standings.get(target)
        if standing is None or standing.gone or target.drains_until_ns is not None:
            return False
        if standing.zone is None:
            return True
        if standing.zone not in self.balancer.zones:
            return False
        return self.crosses_zones(group) or standing.zone == zone


def name_upstream(group_arn: str) -> str:
    """Return what a target group is called in a proxy."""
    return "-".join(group_arn.rsplit("/", 2)[1:])


def make_configuration(
    attached: Attached, zone: str, certificates: Mapping[str, Certificate]
) -> ProxyConfiguration:
    """Return what the node of a zone is to do."""
    upstreams = tuple(_make_upstream(attached, group, zone) for group in attached.groups)
    listeners = tuple(
        _make_listener(attached.balancer, listener, rules, certificates)
        for listener, rules in attached.listeners
    )
    return ProxyConfiguration(listeners, upstreams)


def _make_upstream(attached: Attached, group: TargetGroup, zone: str) -> Upstream:
    check = group.check
    check_port = check.port or None
    endpoints = tuple(
        Endpoint(attached.standings[target].address, target.port, check_port)
        for target in group.targets
        if attached.serves(target, group, zone)
    )
    return Upstream(
        name_upstream(group.arn),
        endpoints,
        Check(
            check.protocol,
            check.path,
            read_matcher(check.matcher) if check.protocol is not CheckProtocol.TCP else (),
            timedelta(seconds=check.interval_seconds),
            timedelta(seconds=check.timeout_seconds),
            check.healthy_threshold,
            check.unhealthy_threshold,
        ),
        tls=group.protocol == "HTTPS",
        least_requests=dict(group.attributes).get(ALGORITHM) == "least_outstanding_requests",
    )


def read_matcher(text: str) -> tuple[tuple[int, int], ...]:
    """Return the ranges of `200`, `200,202` or `200-299`; raises ValueError."""
    ranges = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        ranges.append((int(first), int(last or first)))
    return tuple(ranges)


def _make_listener(
    balancer: LoadBalancer,
    listener: Listener,
    rules: Sequence[Rule],
    certificates: Mapping[str, Certificate],
) -> HttpListener | TcpListener:
    ordered = sorted(rules, key=lambda rule: _LAST_RANK if rule.priority is None else rule.priority)
    if balancer.kind is Kind.NETWORK:
        action = ordered[-1].action
        assert isinstance(action, ForwardAction)  # noqa: S101  (no other can be made of it)
        return TcpListener(listener.port, name_upstream(action.weights[0][0]))
    return HttpListener(
        listener.port,
        tuple(_make_route(rule, listener) for rule in ordered),
        tuple(certificates[arn] for arn in listener.certificates),
        timedelta(seconds=int(balancer.attribute(IDLE_TIMEOUT))),
        _SERVER,
    )


def _make_route(rule: Rule, listener: Listener) -> Route:
    patterns = {one.field: _make_pattern(one) for one in rule.conditions if one.field != HEADER}
    return Route(
        _make_action(rule.action, listener),
        host=patterns.get(HOST, ""),
        path=patterns.get(PATH, ""),
        method=patterns.get(METHOD, ""),
        headers=tuple(
            (one.header.lower(), _make_pattern(one)) for one in rule.conditions if one.field == HEADER
        ),
    )


def _make_pattern(condition: Condition) -> str:
    """Return a condition as a regular expression; hosts and values of headers are compared without regard to case."""
    plain = condition.field == METHOD
    values = [
        re.escape(one) if plain else re.escape(one).replace(r"\*", ".*").replace(r"\?", ".")
        for one in condition.values
    ]
    anyone = f"(?:{'|'.join(values)})"
    match condition.field:
        case "host-header":
            return f"(?i){anyone}(?::[0-9]+)?"
        case "http-header":
            return f"(?i){anyone}"
    return anyone


def _make_action(action: Action, listener: Listener) -> Forward | Redirect | Answer:
    match action:
        case ForwardAction():
            weights = tuple((name_upstream(arn), weight) for arn, weight in action.weights if weight)
            return Forward(weights) if weights else _NOTHING
        case FixedAction():
            return Answer(int(action.status), action.content_type, action.body)
        case RedirectAction():
            return Redirect(
                permanent=action.status == "HTTP_301",
                scheme="" if "#" in action.protocol else action.protocol.lower(),
                host="" if "#" in action.host else action.host,
                port=listener.port if "#" in action.port else int(action.port),
                path="" if "#" in action.path else action.path,
                query=None if "#" in action.query else action.query,
            )
