"""Tags: of instances, snapshots and groups, by their ARN, with AWS's limits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from drdrill.aws.errors import AwsError
from drdrill.aws.rds.model import ACCOUNT, Status
from drdrill.aws.tagging import TagRules, describe_tags

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.protocol import Parameters
    from drdrill.aws.rds.region import RdsRegion
    from drdrill.aws.tagging import Tags

# RDS User Guide, "Tagging Amazon RDS resources".
_INVALID = "InvalidParameterValue"
_RULES = TagRules(_INVALID, _INVALID, _INVALID, reserved=("aws:", "rds:"))
read_tags = _RULES.read


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
        self._change(parameters["ResourceName"], lambda tags: _RULES.check_number({**dict(tags), **added}))
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
