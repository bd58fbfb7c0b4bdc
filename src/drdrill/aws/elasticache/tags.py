"""Tags: of replication groups and of the groups that they use, by their ARN, with AWS's limits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from drdrill.aws.errors import AwsError, NotImplementedInMirrorError
from drdrill.aws.rds.model import ACCOUNT
from drdrill.aws.tagging import TagRules, describe_tags

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.elasticache.region import CacheRegion
    from drdrill.aws.protocol import Parameters
    from drdrill.aws.tagging import Tags

# ElastiCache User Guide, "Tagging your resources".
_RULES = TagRules("InvalidParameterValue", "InvalidParameterValue", "TagQuotaPerResourceExceeded")
read_tags = _RULES.read
_ARN_PARTS = 7


class TagOperations:
    """The operations on the tags of one region's resources."""

    def __init__(self, region: CacheRegion) -> None:
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
        changed = self._change(parameters, lambda tags: _RULES.check_number({**dict(tags), **added}))
        return {"TagList": describe_tags(changed)}

    def remove_tags_from_resource(self, parameters: Parameters) -> Mapping[str, Any]:
        """Take tags away."""
        gone = set(parameters["TagKeys"])

        def remove(tags: Tags) -> Tags:
            for key in gone - dict(tags).keys():
                raise AwsError("TagNotFound", f"The requested tag was not found: {key}", status=404)
            return tuple((key, value) for key, value in tags if key not in gone)

        return {"TagList": describe_tags(self._change(parameters, remove))}

    def list_tags_for_resource(self, parameters: Parameters) -> Mapping[str, Any]:
        """List the tags of a resource."""
        return {"TagList": describe_tags(self._change(parameters, lambda tags: tags))}

    def _change(self, parameters: Parameters, change: Callable[[Tags], Tags]) -> Tags:
        """Have a resource's tags changed in one step; raises AWS's error for one that is not there."""
        kind, name = self._read_arn(parameters["ResourceName"])
        region = self._region
        match kind:
            case "replicationgroup":
                return region.find(name).change(lambda found: replace(found, tags=change(found.tags))).tags
            case "cluster":
                # The mirror's clusters are all of groups, and have the tags of their group.
                group, _ = region.find_cluster(name)
                if change(group.record.tags) != group.record.tags:
                    raise NotImplementedInMirrorError(
                        "A change of the tags of a cluster apart from its group"
                    )
                return group.record.tags
            case "subnetgroup":
                return region.subnet_groups.change(name, lambda one: replace(one, tags=change(one.tags))).tags
            case "parametergroup":
                found = region.parameter_groups.find(name)
                found.tags = change(found.tags)
                return found.tags
        raise AwsError("InvalidARN", f"Unexpected ARN: {parameters['ResourceName']}")

    def _read_arn(self, arn: str) -> tuple[str, str]:
        parts = arn.split(":", 6)
        if parts[:3] != ["arn", "aws", "elasticache"] or len(parts) < _ARN_PARTS:
            raise AwsError("InvalidARN", f"ARN '{arn}' is not a valid ARN.")
        if parts[3:5] != [self._region.name, ACCOUNT]:
            text = f"The ARN does not match a resource of this account in this region: {arn}"
            raise AwsError("InvalidARN", text)
        return parts[5], parts[6]
