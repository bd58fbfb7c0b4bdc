"""With whom snapshots are shared: with nobody, for the mirror has one account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.protocol import Parameters
    from drdrill.aws.rds.region import RdsRegion


class SnapshotSharingOperations:
    """The operations on the attributes of one region's snapshots."""

    def __init__(self, region: RdsRegion) -> None:
        self._region = region

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {"DescribeDBSnapshotAttributes": self.describe_db_snapshot_attributes}

    def describe_db_snapshot_attributes(self, parameters: Parameters) -> Mapping[str, Any]:
        """Say which accounts may restore a snapshot besides its own: none."""
        snapshot = self._region.snapshots.find(parameters["DBSnapshotIdentifier"])
        attributes = [{"AttributeName": "restore", "AttributeValues": []}]
        return {
            "DBSnapshotAttributesResult": {
                "DBSnapshotIdentifier": snapshot.identifier,
                "DBSnapshotAttributes": attributes,
            }
        }
