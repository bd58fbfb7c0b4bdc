"""Operations that change a group: its size, its zones, what it does by itself, which instance goes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from drdrill.aws.autoscaling.description import describe_activity
from drdrill.aws.autoscaling.keeper import REQUESTED
from drdrill.aws.autoscaling.model import Capacity, Lifecycle, Process
from drdrill.aws.errors import AwsError, NotImplementedInMirrorError
from drdrill.aws.ports import SubnetNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drdrill.aws.autoscaling.group import Group
    from drdrill.aws.autoscaling.model import Member
    from drdrill.aws.autoscaling.region import AutoScalingRegion
    from drdrill.aws.ports import Subnet
    from drdrill.aws.protocol import Parameters

_UPDATED = frozenset(
    {
        "AutoScalingGroupName",
        "MinSize",
        "MaxSize",
        "DesiredCapacity",
        "AvailabilityZones",
        "VPCZoneIdentifier",
    }
)
_COUNTING = (Lifecycle.PENDING, Lifecycle.IN_SERVICE)


class ChangingOperations:
    """The operations that change groups of one region."""

    def __init__(self, region: AutoScalingRegion) -> None:
        self._region = region

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {
            "SetDesiredCapacity": self.set_desired_capacity,
            "UpdateAutoScalingGroup": self.update_auto_scaling_group,
            "TerminateInstanceInAutoScalingGroup": self.terminate_instance_in_auto_scaling_group,
            "SetInstanceHealth": self.set_instance_health,
            "SuspendProcesses": self.suspend_processes,
            "ResumeProcesses": self.resume_processes,
        }

    def set_desired_capacity(self, parameters: Parameters) -> Mapping[str, Any]:
        """Change how many instances a group is to have."""
        wanted = parameters["DesiredCapacity"]

        def change(capacity: Capacity) -> Capacity:
            for bound, word in ((capacity.maximum, "above max"), (capacity.minimum, "below min")):
                if (wanted > bound) if word == "above max" else (wanted < bound):
                    text = f"New SetDesiredCapacity value {wanted} is {word} value {bound} for the AutoScalingGroup."
                    raise AwsError("ValidationError", text)
            return replace(capacity, desired=wanted)

        self._region.find(parameters["AutoScalingGroupName"]).resize(change)
        return {}

    def update_auto_scaling_group(self, parameters: Parameters) -> Mapping[str, Any]:
        """Change bounds, size and zones of a group. Without a size that is asked for it follows new bounds."""
        group = self._region.find(parameters["AutoScalingGroupName"])
        for name in parameters.keys() - _UPDATED:
            raise NotImplementedInMirrorError(f"The parameter {name} of autoscaling:UpdateAutoScalingGroup")
        subnets = self._read_subnets(parameters)

        def change(capacity: Capacity) -> Capacity:
            minimum = parameters.get("MinSize", capacity.minimum)
            maximum = parameters.get("MaxSize", capacity.maximum)
            followed = max(minimum, min(capacity.desired, maximum))
            return Capacity(minimum, maximum, parameters.get("DesiredCapacity", followed))

        group.resize(change)
        if subnets:
            group.move(subnets)
        return {}

    def _read_subnets(self, parameters: Parameters) -> tuple[Subnet, ...]:
        ec2 = self._region.ec2
        named = parameters.get("AvailabilityZones", [])
        for zone in set(named) - {one.name for one in ec2.zones}:
            raise AwsError("ValidationError", f"Invalid availability zones: [{zone}]")
        subnets = [one.strip() for one in parameters.get("VPCZoneIdentifier", "").split(",") if one.strip()]
        try:
            found = ec2.subnets.find(subnets)
        except SubnetNotFoundError as error:
            raise AwsError("ValidationError", str(error)) from error
        if named and found and set(named) != {subnet.zone for subnet in found}:
            text = "The availability zones of the specified subnets and the AutoScalingGroup do not match"
            raise AwsError("ValidationError", text)
        return found or tuple(ec2.default_subnet(zone) for zone in dict.fromkeys(named))

    def terminate_instance_in_auto_scaling_group(self, parameters: Parameters) -> Mapping[str, Any]:
        """Terminate an instance, and have it replaced unless the group is to be one smaller."""
        if parameters.get("InstanceIds"):
            what = "The parameter InstanceIds of autoscaling:TerminateInstanceInAutoScalingGroup"
            raise NotImplementedInMirrorError(what)
        group, member = self._find_member(parameters.get("InstanceId", ""))
        if parameters["ShouldDecrementDesiredCapacity"]:

            def shrink(capacity: Capacity) -> Capacity:
                if capacity.desired <= capacity.minimum:
                    raise AwsError(
                        "ValidationError",
                        f"Currently, desiredSize equals minSize ({capacity.minimum}). Terminating instance without "
                        f"replacement will violate group's min size constraint. Either set "
                        "shouldDecrementDesiredCapacity flag to false or lower group's min size.",
                    )
                return replace(capacity, desired=capacity.desired - 1)

            group.resize(shrink)
        cause = f"an instance was taken out of service in response to {REQUESTED}."
        activity = self._region.keeper.terminate(group, member, cause, orderly=True)
        return {"Activity": describe_activity(activity, group)}

    def set_instance_health(self, parameters: Parameters) -> Mapping[str, Any]:
        """Declare an instance healthy, or not: then it is replaced."""
        status = parameters["HealthStatus"]
        if status not in ("Healthy", "Unhealthy"):
            raise AwsError(
                "ValidationError", f"Invalid health status: {status}. It must be Healthy or Unhealthy."
            )
        group, member = self._find_member(parameters["InstanceId"])
        problem = "a user health-check." if status == "Unhealthy" else ""
        group.change_member(member.instance, allowed=_COUNTING, unhealthy=problem)
        return {}

    def suspend_processes(self, parameters: Parameters) -> Mapping[str, Any]:
        """Have a group not do some things by itself, or none."""
        group = self._region.find(parameters["AutoScalingGroupName"])
        group.suspend(_read_processes(parameters))
        return {}

    def resume_processes(self, parameters: Parameters) -> Mapping[str, Any]:
        """Have a group do some things by itself again, or all."""
        group = self._region.find(parameters["AutoScalingGroupName"])
        group.resume(_read_processes(parameters))
        return {}

    def _find_member(self, instance: str) -> tuple[Group, Member]:
        for group in self._region.groups():
            for member in group.members():
                if member.instance == instance:
                    return group, member
        text = f"Instance Id not found - No managed instance found for instance ID: {instance}"
        raise AwsError("ValidationError", text)


def _read_processes(parameters: Parameters) -> Sequence[Process]:
    named = parameters.get("ScalingProcesses") or [process.value for process in Process]
    known = {process.value: process for process in Process}
    for name in named:
        if name not in known:
            text = f"{name} is not a valid scaling process; they are {', '.join(known)}."
            raise AwsError("ValidationError", text)
    return [known[name] for name in named]
