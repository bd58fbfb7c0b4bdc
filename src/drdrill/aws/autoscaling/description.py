"""How groups, their instances and activities are described, by AWS's API reference."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from drdrill.aws.autoscaling.model import ActivityStatus

if TYPE_CHECKING:
    from drdrill.aws.autoscaling.group import Group
    from drdrill.aws.autoscaling.model import Activity, Member

_COOLDOWN_SECONDS = 300  # AWS's default; nothing in the mirror scales by itself
_PROGRESS = {
    ActivityStatus.IN_PROGRESS: 30,
    ActivityStatus.WAITING: 60,
    ActivityStatus.SUCCESSFUL: 100,
    ActivityStatus.FAILED: 100,
}


def describe_group(group: Group) -> dict[str, Any]:
    """Return an `AutoScalingGroup` of the API."""
    capacity, identity, zones = group.capacity, group.identity, group.zones
    return {
        "AutoScalingGroupName": identity.name,
        "AutoScalingGroupARN": identity.arn,
        "MinSize": capacity.minimum,
        "MaxSize": capacity.maximum,
        "DesiredCapacity": capacity.desired,
        "DefaultCooldown": _COOLDOWN_SECONDS,
        "AvailabilityZones": list(zones),
        "VPCZoneIdentifier": ",".join(subnet.identifier for subnet in group.subnets),
        "LoadBalancerNames": [],
        "TargetGroupARNs": [],
        "HealthCheckType": "EC2",
        "HealthCheckGracePeriod": 0,
        "Instances": [describe_instance(group, one) for one in group.members()],
        "CreatedTime": identity.created_at,
        "SuspendedProcesses": [
            {"ProcessName": process.value, "SuspensionReason": f"User suspended at {at:%Y-%m-%dT%H:%M:%SZ}"}
            for process, at in sorted(group.suspended.items())
        ],
        "EnabledMetrics": [],
        "Status": "Delete in progress" if group.deleting else None,
        "Tags": [
            {
                "ResourceId": identity.name,
                "ResourceType": "auto-scaling-group",
                "Key": key,
                "Value": value,
                "PropagateAtLaunch": True,
            }
            for key, value in identity.tags.items()
        ],
        "TerminationPolicies": ["Default"],
        "NewInstancesProtectedFromScaleIn": False,
        "CapacityRebalance": False,
    }


def describe_instance(group: Group, member: Member) -> dict[str, Any]:
    """Return an `Instance` of the API."""
    return {
        "InstanceId": member.instance,
        "InstanceType": group.identity.instance_type,
        "AvailabilityZone": member.zone,
        "LifecycleState": member.lifecycle.value,
        "HealthStatus": "Unhealthy" if member.unhealthy else "Healthy",
        "ProtectedFromScaleIn": False,
    }


def describe_activity(activity: Activity, group: Group) -> dict[str, Any]:
    """Return an `Activity` of the API."""
    subnet = group.find_subnet(activity.zone)
    place = {"Subnet ID": subnet.identifier if subnet else "", "Availability Zone": activity.zone}
    return {
        "ActivityId": activity.identifier,
        "AutoScalingGroupName": activity.group,
        "AutoScalingGroupARN": group.identity.arn,
        "Description": activity.description
        if activity.status is not ActivityStatus.FAILED
        else f"{activity.description}.  Status Reason: {activity.message}",
        "Cause": activity.cause,
        "StartTime": activity.started_at,
        "EndTime": activity.ended_at,
        "StatusCode": activity.status.value,
        "StatusMessage": activity.message or None,
        "Progress": _PROGRESS[activity.status],
        "Details": json.dumps(place, separators=(",", ":")),
    }
