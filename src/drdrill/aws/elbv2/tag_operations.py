"""Tags of load balancers, target groups, listeners and rules, by their ARN, with AWS's limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.aws.errors import AwsError
from drdrill.aws.tagging import TagRules, describe_tags

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.elbv2.region import ElbRegion
    from drdrill.aws.protocol import Parameters

# User Guide, "Tags for your Application Load Balancer".
_RULES = TagRules("ValidationError", "DuplicateTagKeys", "TooManyTags")
read_tags = _RULES.read
_MOST_ASKED = 20  # API reference, DescribeTags


class TagOperations:
    """The operations on the tags of one region's resources."""

    def __init__(self, region: ElbRegion) -> None:
        self._records = region.records

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {
            "AddTags": self.add_tags,
            "RemoveTags": self.remove_tags,
            "DescribeTags": self.describe_tags,
        }

    def add_tags(self, parameters: Parameters) -> Mapping[str, Any]:
        """Add tags, or give those that are there another value."""
        added = dict(read_tags(parameters))
        with self._records.lock:
            for arn in self._require(parameters):
                self._records.tags[arn] = _RULES.check_number(
                    {**dict(self._records.tags.get(arn, ())), **added}
                )
        return {}

    def remove_tags(self, parameters: Parameters) -> Mapping[str, Any]:
        """Take tags away; those that are not there are no mistake."""
        gone = set(parameters["TagKeys"])
        with self._records.lock:
            for arn in self._require(parameters):
                left = tuple(
                    (key, value) for key, value in self._records.tags.get(arn, ()) if key not in gone
                )
                self._records.tags[arn] = left
        return {}

    def describe_tags(self, parameters: Parameters) -> Mapping[str, Any]:
        """List the tags of some resources."""
        with self._records.lock:
            return {
                "TagDescriptions": [
                    {
                        "ResourceArn": arn,
                        "Tags": describe_tags(self._records.tags.get(arn, ())),
                    }
                    for arn in self._require(parameters)
                ]
            }

    def _require(self, parameters: Parameters) -> list[str]:
        arns: list[str] = parameters["ResourceArns"]
        if len(arns) > _MOST_ASKED:
            raise AwsError("ValidationError", f"At most {_MOST_ASKED} resources can be named")
        finders: Mapping[str, Callable[[str], object]] = {
            "loadbalancer": self._records.balancer,
            "targetgroup": self._records.group,
            "listener": self._records.listener,
            "listener-rule": self._records.rule,
        }
        for arn in arns:
            kind = arn.rpartition(":")[2].partition("/")[0]
            if kind not in finders:
                raise AwsError("ValidationError", f"'{arn}' is not a valid ARN")
            finders[kind](arn)
        return arns
