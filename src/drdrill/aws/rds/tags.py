"""Tags: of instances, snapshots and groups, by their ARN, with AWS's limits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from drdrill.aws.errors import AwsError
from drdrill.aws.rds.model import ACCOUNT, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.protocol import Parameters
    from drdrill.aws.rds.region import RdsRegion

Tags = tuple[tuple[str, str], ...]
_MOST, _LONGEST_KEY, _LONGEST_VALUE = 50, 128, 256  # RDS User Guide, "Tagging Amazon RDS resources"


class TagOperations:
    """The operations on the tags of one region's resources."""

    def __init__(self, region: RdsRegion) -> None:
        self._region = region

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {
            "AddTagsToResource": self.add_tags_to_resource,
            "RemoveTagsFromResource": self.remove_tags_from_resource,
            "ListTagsForResource": self.list_tags_for_resource,
        }

    def add_tags_to_resource(self, parameters: Parameters) -> Mapping[str, Any]:
        """Add tags, or give those that are there another value."""
        added = dict(read_tags(parameters))
        self._change(parameters["ResourceName"], lambda tags: check_number({**dict(tags), **added}))
        return {}

    def remove_tags_from_resource(self, parameters: Parameters) -> Mapping[str, Any]:
        """Take tags away; those that are not there are no mistake."""
        gone = set(parameters["TagKeys"])
        self._change(parameters["ResourceName"], lambda tags: tuple((k, v) for k, v in tags if k not in gone))
        return {}

    def list_tags_for_resource(self, parameters: Parameters) -> Mapping[str, Any]:
        """List the tags of a resource."""
        seen: list[Tags] = []

        def look(tags: Tags) -> Tags:
            seen.append(tags)
            return tags

        self._change(parameters["ResourceName"], look)
        return {"TagList": describe_tags(seen[-1])}

    def _change(self, arn: str, change: Callable[[Tags], Tags]) -> None:
        """Have a resource's tags changed in one step; raises AWS's error for one that is not there."""
        kind, name = self._read_arn(arn)
        region = self._region
        match kind:
            case "db":
                reconciler = region.find(name)
                reconciler.change(
                    lambda record: replace(record, tags=change(record.tags)), allowed=tuple(Status)
                )
            case "pg":
                group = region.parameter_groups.find(name)
                group.tags = change(group.tags)
            case "subgrp":
                region.subnet_groups.change(name, lambda found: replace(found, tags=change(found.tags)))
            case "snapshot":
                snapshot = region.snapshots.find(name)
                region.snapshots.change(snapshot.identifier, tags=change(snapshot.tags))
            case _:
                raise AwsError("InvalidParameterValue", f"Unexpected ARN: {arn}")

    def _read_arn(self, arn: str) -> tuple[str, str]:
        parts = arn.split(":", 6)
        if parts[:3] != ["arn", "aws", "rds"] or len(parts) < 7:  # noqa: PLR2004  (the parts of an ARN)
            raise AwsError("InvalidParameterValue", f"Invalid resource name: {arn}")
        if parts[3:5] != [self._region.name, ACCOUNT]:
            text = f"The specified resource name does not match an RDS resource in this region: {arn}"
            raise AwsError("InvalidParameterValue", text)
        return parts[5], parts[6]


def read_tags(parameters: Parameters) -> Tags:
    """Return the tags of a request; raises AWS's errors for those that no resource can have."""
    tags = {}
    for tag in parameters.get("Tags", []):
        key, value = tag.get("Key", ""), tag.get("Value", "")
        if not 1 <= len(key) <= _LONGEST_KEY or key.lower().startswith(("aws:", "rds:")):
            raise AwsError("InvalidParameterValue", f"Invalid tag key: {key}")
        if len(value) > _LONGEST_VALUE:
            raise AwsError("InvalidParameterValue", f"Invalid tag value: {value}")
        if key in tags:
            raise AwsError("InvalidParameterValue", f"Duplicate tag key: {key}")
        tags[key] = value
    return check_number(tags)


def check_number(tags: Mapping[str, str]) -> Tags:
    """Return tags as they are kept; raises AWS's error when they are too many."""
    if len(tags) > _MOST:
        raise AwsError("InvalidParameterValue", f"A resource can have at most {_MOST} tags.")
    return tuple(tags.items())


def describe_tags(tags: Tags) -> list[dict[str, str]]:
    """Return a `TagList` of the API."""
    return [{"Key": key, "Value": value} for key, value in tags]
