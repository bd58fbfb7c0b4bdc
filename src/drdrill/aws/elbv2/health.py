"""What a target's health is: judged from what every node sees, in AWS's words. Pure.

Every node checks for itself (User Guide, "Health checks for your target groups"). A target is healthy when all that
answer say so: nobody is told *healthy* of one that some node sends nothing to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from drdrill.aws.elbv2.model import Reason, State
from drdrill.aws.elbv2.proxying import name_upstream
from drdrill.dataplane.envoy import Failure, Seen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from drdrill.aws.elbv2.model import Target, TargetGroup
    from drdrill.aws.elbv2.proxying import Attached
    from drdrill.dataplane.envoy import EndpointHealth, Place

_DESCRIPTIONS = {
    Reason.REGISTRATION: "Target registration is in progress",
    Reason.FIRST_CHECKS: "Initial health checks in progress",
    Reason.INTERNAL: "Target health is unavailable due to an internal error",
    Reason.TIMEOUT: "Request timed out",
    Reason.FAILED: "Health checks failed",
    Reason.NOT_REGISTERED: "Target is not registered to the target group",
    Reason.NOT_IN_USE: "Target group is not configured to receive traffic from the load balancer",
    Reason.DEREGISTRATION: "Target deregistration is in progress",
    Reason.INVALID_STATE: "Target is in the terminated state",
}
_NOT_ENABLED = "Target is in an Availability Zone that is not enabled for the load balancer"


@dataclass(frozen=True, slots=True)
class NodeView:
    """What the node of a zone saw, when it was last asked."""

    zone: str
    answers: bool
    taken_ns: int
    seen: Mapping[Place, EndpointHealth] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TargetHealth:
    """A target's health as the API describes it."""

    state: State
    reason: Reason | None = None
    description: str = ""


NOT_REGISTERED = TargetHealth(State.UNUSED, Reason.NOT_REGISTERED, _DESCRIPTIONS[Reason.NOT_REGISTERED])
NOT_IN_USE = TargetHealth(State.UNUSED, Reason.NOT_IN_USE, _DESCRIPTIONS[Reason.NOT_IN_USE])
DRAINING = TargetHealth(State.DRAINING, Reason.DEREGISTRATION, _DESCRIPTIONS[Reason.DEREGISTRATION])


def judge_target(
    target: Target, group: TargetGroup, attached: Attached, views: Sequence[NodeView]
) -> TargetHealth:
    """Return the health of a registered target of a group that a load balancer serves."""
    if target.drains_until_ns is not None:
        return DRAINING
    standing = attached.standings.get(target)
    if standing is None or standing.gone:
        return _say(State.UNUSED, Reason.INVALID_STATE)
    if standing.zone is not None and standing.zone not in attached.balancer.zones:
        return TargetHealth(State.UNUSED, Reason.NOT_IN_USE, _NOT_ENABLED)
    asked = [view for view in views if view.answers and attached.serves(target, group, view.zone)]
    if not asked:
        # Before there is any node, it is the load balancer that is not there yet.
        return _say(State.UNAVAILABLE, Reason.INTERNAL) if views else _say(State.INITIAL, Reason.REGISTRATION)
    place = (name_upstream(group.arn), standing.address, target.port)
    seen = [view.seen.get(place) if view.taken_ns > target.registered_ns else None for view in asked]
    return _judge_seen(seen)


def _judge_seen(seen: Sequence[EndpointHealth | None]) -> TargetHealth:
    known = [one for one in seen if one is not None]
    if len(known) < len(seen):
        return _say(State.INITIAL, Reason.REGISTRATION)
    if any(one.seen is Seen.UNCHECKED for one in known):
        return _say(State.INITIAL, Reason.FIRST_CHECKS)
    failed = [one for one in known if one.seen is Seen.UNHEALTHY]
    if not failed:
        return TargetHealth(State.HEALTHY)
    statuses = sorted({one.status for one in failed if one.failure is Failure.STATUS and one.status})
    if any(one.failure is Failure.STATUS for one in failed):
        codes = ", ".join(map(str, statuses))
        return TargetHealth(
            State.UNHEALTHY, Reason.STATUS, f"Health checks failed with these codes: [{codes}]"
        )
    if any(one.failure is Failure.TIMEOUT for one in failed):
        return _say(State.UNHEALTHY, Reason.TIMEOUT)
    return _say(State.UNHEALTHY, Reason.FAILED)


def is_zone_healthy(attached: Attached, view: NodeView) -> bool:
    """Say whether a zone's node has a healthy target in every target group: then its address is in the DNS.

    Source: User Guide, "Target group health", DNS failover with its default of one healthy target.
    """
    return all(
        any(
            place[0] == name_upstream(group.arn) and health.seen is Seen.HEALTHY
            for place, health in view.seen.items()
        )
        for group in attached.groups
    )


def _say(state: State, reason: Reason) -> TargetHealth:
    return TargetHealth(state, reason, _DESCRIPTIONS[reason])
