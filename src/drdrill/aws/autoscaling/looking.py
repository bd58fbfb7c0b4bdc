"""Operations that look: at groups, at their instances, at what they did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.aws.autoscaling.description import describe_activity, describe_group, describe_instance
from drdrill.aws.autoscaling.listing import select_page
from drdrill.aws.errors import NotImplementedInMirrorError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.autoscaling.group import Group
    from drdrill.aws.autoscaling.region import AutoScalingRegion
    from drdrill.aws.protocol import Parameters

_ACTIVITIES_A_PAGE = 100


class LookingOperations:
    """The operations that look, of one region."""

    def __init__(self, region: AutoScalingRegion) -> None:
        self._region = region

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {
            "DescribeAutoScalingGroups": self.describe_auto_scaling_groups,
            "DescribeAutoScalingInstances": self.describe_auto_scaling_instances,
            "DescribeScalingActivities": self.describe_scaling_activities,
        }

    def describe_auto_scaling_groups(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe the groups that are named, or all; as in AWS one that there is not is no mistake."""
        wanted = parameters.get("AutoScalingGroupNames", [])
        passes = _read_tag_filters(parameters)
        groups = [one for one in self._region.groups() if (not wanted or one.name in wanted) and passes(one)]
        page, more = select_page(sorted(groups, key=lambda one: one.name), parameters)
        return {"AutoScalingGroups": [describe_group(one) for one in page], **more}

    def describe_auto_scaling_instances(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe the instances of all groups."""
        wanted = parameters.get("InstanceIds", [])
        described = [
            {**describe_instance(group, member), "AutoScalingGroupName": group.name}
            for group in self._region.groups()
            for member in group.members()
            if not wanted or member.instance in wanted
        ]
        for one in described:  # here, and only here, AWS says it in capitals
            one["HealthStatus"] = one["HealthStatus"].upper()
        page, more = select_page(described, parameters)
        return {"AutoScalingInstances": page, **more}

    def describe_scaling_activities(self, parameters: Parameters) -> Mapping[str, Any]:
        """List what groups did, newest first."""
        if parameters.get("Filters"):
            raise NotImplementedInMirrorError(
                "The parameter Filters of autoscaling:DescribeScalingActivities"
            )
        name, wanted = parameters.get("AutoScalingGroupName"), parameters.get("ActivityIds", [])
        groups = (self._region.find(name),) if name else self._region.groups()
        found = [
            (activity, group)
            for group in groups
            for activity in group.activities()
            if not wanted or activity.identifier in wanted
        ]
        if len(groups) > 1:
            found.sort(key=lambda pair: pair[0].started_at, reverse=True)
        page, more = select_page(found, parameters, usually=_ACTIVITIES_A_PAGE)
        return {"Activities": [describe_activity(*pair) for pair in page], **more}


def _read_tag_filters(parameters: Parameters) -> Callable[[Group], bool]:
    checks: list[Callable[[Mapping[str, str]], bool]] = []
    for one in parameters.get("Filters", []):
        name, values = one.get("Name", ""), set(one.get("Values", []))
        if name == "tag-key":
            checks.append(lambda tags, values=values: bool(values & tags.keys()))  # type: ignore[misc]
        elif name == "tag-value":
            checks.append(lambda tags, values=values: bool(values & set(tags.values())))  # type: ignore[misc]
        elif name.startswith("tag:"):
            key = name.removeprefix("tag:")
            checks.append(lambda tags, key=key, values=values: tags.get(key) in values)  # type: ignore[misc]
        else:
            raise NotImplementedInMirrorError(f"The filter {name} of autoscaling:DescribeAutoScalingGroups")
    return lambda group: all(check(group.identity.tags) for check in checks)
