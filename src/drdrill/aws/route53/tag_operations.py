"""Tags of hosted zones and health checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.aws.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.protocol import Parameters
    from drdrill.aws.route53.control_plane import ControlPlane

_KINDS = ("healthcheck", "hostedzone")
_MOST = 50  # API reference, ChangeTagsForResource


class TagOperations:
    """The operations on tags."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {
            "ChangeTagsForResource": self.change_tags_for_resource,
            "ListTagsForResource": self.list_tags_for_resource,
            "ListTagsForResources": self.list_tags_for_resources,
        }

    def change_tags_for_resource(self, parameters: Parameters) -> Mapping[str, Any]:
        """Take tags away and add others, or give those that are there another value."""
        key = self._find(parameters["ResourceType"], parameters["ResourceId"])
        gone = parameters.get("RemoveTagKeys", [])
        added = {one["Key"]: one.get("Value", "") for one in parameters.get("AddTags", [])}
        if not gone and not added:
            raise AwsError("InvalidInput", "Either AddTags or RemoveTagKeys has to be specified.")
        with self._plane.lock:
            kept = {name: value for name, value in self._plane.tags.get(key, {}).items() if name not in gone}
            if len(kept | added) > _MOST:
                raise AwsError("InvalidInput", f"A resource has at most {_MOST} tags.")
            self._plane.tags[key] = kept | added
        return {}

    def list_tags_for_resource(self, parameters: Parameters) -> Mapping[str, Any]:
        """List the tags of a resource."""
        return {"ResourceTagSet": self._describe(parameters["ResourceType"], parameters["ResourceId"])}

    def list_tags_for_resources(self, parameters: Parameters) -> Mapping[str, Any]:
        """List the tags of several resources of one type."""
        kind = parameters["ResourceType"]
        return {"ResourceTagSets": [self._describe(kind, one) for one in parameters["ResourceIds"]]}

    def _describe(self, kind: str, identifier: str) -> Mapping[str, Any]:
        key = self._find(kind, identifier)
        with self._plane.lock:
            tags = [{"Key": name, "Value": value} for name, value in self._plane.tags.get(key, {}).items()]
        return {"ResourceType": kind, "ResourceId": identifier, "Tags": tags}

    def _find(self, kind: str, identifier: str) -> tuple[str, str]:
        """Return what a resource's tags are kept under; raises AWS's error for one that is not there."""
        if kind not in _KINDS:
            raise AwsError("InvalidInput", f"The resource type {kind} is none of {', '.join(_KINDS)}.")
        if kind == "hostedzone":
            return kind, self._plane.find_zone(identifier).identity.identifier
        return kind, self._plane.find_check(identifier).identifier
