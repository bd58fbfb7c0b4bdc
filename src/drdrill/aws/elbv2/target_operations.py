"""Operations on targets: register, deregister, tell their health."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from drdrill.aws.elbv2.attributes import DEREGISTRATION_DELAY
from drdrill.aws.elbv2.health import NOT_REGISTERED
from drdrill.aws.elbv2.model import Target
from drdrill.aws.errors import AwsError
from drdrill.core.clock import NANOSECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drdrill.aws.elbv2.health import TargetHealth
    from drdrill.aws.elbv2.model import TargetGroup
    from drdrill.aws.elbv2.region import ElbRegion
    from drdrill.aws.protocol import Parameters

_HIGHEST_PORT = 65535
_MOST = 1000  # targets of a group (quotas)
_EVERYWHERE = "all"
Key = tuple[str, int]


class TargetOperations:
    """The operations on the targets of one region's groups."""

    def __init__(self, region: ElbRegion) -> None:
        self._region = region
        self._records = region.records

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {
            "RegisterTargets": self.register_targets,
            "DeregisterTargets": self.deregister_targets,
            "DescribeTargetHealth": self.describe_target_health,
        }

    def register_targets(self, parameters: Parameters) -> Mapping[str, Any]:
        """Register targets, all or none; one that drains takes requests again, one that is there stays as it is."""
        group = self._records.group(parameters["TargetGroupArn"])
        wanted = [self._read(one, group) for one in parameters["Targets"]]

        def change(targets: tuple[Target, ...]) -> tuple[Target, ...]:
            kept = {_key(one): one for one in targets if one.drains_until_ns is None}
            draining = {_key(one): one for one in targets if one.drains_until_ns is not None}
            for target in wanted:
                draining.pop(_key(target), None)
                kept.setdefault(_key(target), target)
            if len(kept) > _MOST:
                raise AwsError("TooManyTargets", "The maximum number of targets has been reached")
            return (*kept.values(), *draining.values())

        self._records.change_targets(group.arn, change)
        return {}

    def _read(self, described: Mapping[str, Any], group: TargetGroup) -> Target:
        identifier, port = described["Id"], int(described.get("Port", group.port))
        if not 1 <= port <= _HIGHEST_PORT:
            raise AwsError("ValidationError", f"The port '{port}' is not valid")
        zone = described.get("AvailabilityZone", "")
        if group.target_type == "instance":
            if zone:
                text = "You cannot specify an Availability Zone for a target of the type instance"
                raise AwsError("ValidationError", text)
            self._region.require_instance(identifier)
        else:
            self._region.require_address(identifier, group.vpc, placed=bool(zone))
        return Target(identifier, port, self._region.clock.now_ns(), everywhere=zone == _EVERYWHERE)

    def deregister_targets(self, parameters: Parameters) -> Mapping[str, Any]:
        """Send targets no more requests; those that are at one may end it. Without a port: on every port."""
        group = self._records.group(parameters["TargetGroupArn"])
        chosen = {
            _key(target)
            for one in parameters["Targets"]
            for target in self._choose(group, one)
            if target.drains_until_ns is None
        }
        delay_ns = int(group.attribute(DEREGISTRATION_DELAY)) * NANOSECONDS
        until_ns = self._region.clock.now_ns() + delay_ns

        def change(targets: tuple[Target, ...]) -> tuple[Target, ...]:
            return tuple(
                replace(one, drains_until_ns=until_ns)
                if _key(one) in chosen and one.drains_until_ns is None
                else one
                for one in targets
            )

        with self._records.lock:
            changed = self._records.change_targets(group.arn, change)
            if not self._records.balancers_of(group.arn):  # nobody sends it anything: nothing drains
                self._records.change_targets(
                    group.arn, lambda targets: tuple(one for one in targets if one.drains_until_ns is None)
                )
            else:
                self._region.settle(changed)
        return {}

    def _choose(self, group: TargetGroup, described: Mapping[str, Any]) -> Sequence[Target]:
        found = [one for one in group.targets if _is_named(one, described)]
        if not found:
            text = f"The following targets are not registered with the target group: '{described['Id']}'"
            raise AwsError("InvalidTarget", text)
        return found

    def describe_target_health(self, parameters: Parameters) -> Mapping[str, Any]:
        """Tell the health of targets, as the load balancer's nodes see them now."""
        with self._records.lock:
            group = self._region.settle(self._records.group(parameters["TargetGroupArn"]))
        asked = parameters.get("Targets")
        chosen = [
            one for one in group.targets if not asked or any(_is_named(one, described) for described in asked)
        ]
        told = [
            _describe(target, group, health)
            for target, health in zip(chosen, self._region.judge(chosen, group), strict=True)
        ]
        for described in asked or ():
            if not any(_is_named(one, described) for one in chosen):
                unknown = Target(described["Id"], int(described.get("Port", group.port)), 0)
                told.append(_describe(unknown, group, NOT_REGISTERED))
        return {"TargetHealthDescriptions": told}


def _is_named(target: Target, described: Mapping[str, Any]) -> bool:
    return target.identifier == described["Id"] and described.get("Port") in (None, target.port)


def _key(target: Target) -> Key:
    return target.identifier, target.port


def _describe(target: Target, group: TargetGroup, health: TargetHealth) -> dict[str, Any]:
    said: dict[str, Any] = {"Id": target.identifier, "Port": target.port}
    if target.everywhere:
        said["AvailabilityZone"] = _EVERYWHERE
    return {
        "Target": said,
        "HealthCheckPort": str(group.check.port or target.port),
        "TargetHealth": {
            "State": health.state.value,
            "Reason": health.reason.value if health.reason else None,
            "Description": health.description or None,
        },
    }
