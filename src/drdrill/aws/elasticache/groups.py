"""Operations on replication groups: make, describe, delete, and describe their clusters."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from drdrill.aws.elasticache.creation import read_creation
from drdrill.aws.elasticache.description import describe_cluster, describe_group
from drdrill.aws.elasticache.model import GroupRecord, Status
from drdrill.aws.elasticache.reconciler import Reconciler
from drdrill.aws.errors import AwsError, NotImplementedInMirrorError
from drdrill.aws.rds.listing import select_page

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.elasticache.region import CacheRegion
    from drdrill.aws.protocol import Parameters

_DELETABLE = (Status.AVAILABLE, Status.CREATE_FAILED)


class GroupOperations:
    """The operations on the replication groups of one region."""

    def __init__(self, region: CacheRegion) -> None:
        self._region = region

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {
            "CreateReplicationGroup": self.create_replication_group,
            "DescribeReplicationGroups": self.describe_replication_groups,
            "DeleteReplicationGroup": self.delete_replication_group,
            "DescribeCacheClusters": self.describe_cache_clusters,
        }

    def create_replication_group(self, parameters: Parameters) -> Mapping[str, Any]:
        """Start to make a group; it is `available` when its primary takes writes and all replicas have their copy."""
        record = read_creation(parameters, self._region)
        made = self._region.add(record.identifier, lambda: Reconciler(record, self._region))
        return {"ReplicationGroup": describe_group(made.record)}

    def describe_replication_groups(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe one group, or all, as they are now."""
        wanted = parameters.get("ReplicationGroupId")
        found = (self._region.find(wanted),) if wanted else self._region.groups()
        page, more = select_page(
            (one.record for one in found), parameters, key=lambda record: record.identifier
        )
        return {"ReplicationGroups": [describe_group(record) for record in page], **more}

    def delete_replication_group(self, parameters: Parameters) -> Mapping[str, Any]:
        """Start to delete a group with all of its nodes: what they hold is gone."""
        reconciler = self._region.find(parameters["ReplicationGroupId"])
        if parameters.get("RetainPrimaryCluster"):
            raise NotImplementedInMirrorError(
                "The parameter RetainPrimaryCluster of elasticache:DeleteReplicationGroup"
            )
        if parameters.get("FinalSnapshotIdentifier"):
            raise NotImplementedInMirrorError(
                "The parameter FinalSnapshotIdentifier of elasticache:DeleteReplicationGroup"
            )
        deleted = reconciler.request(
            lambda record: replace(record, status=Status.DELETING), allowed=_DELETABLE
        )
        if deleted is None:
            raise not_available(reconciler.record)
        return {"ReplicationGroup": describe_group(deleted)}

    def describe_cache_clusters(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe one cluster, or all; in the mirror all are of groups."""
        wanted = parameters.get("CacheClusterId")
        if parameters.get("ShowCacheClustersNotInReplicationGroups"):
            return {"CacheClusters": []}
        if wanted:
            group, node = self._region.find_cluster(wanted)
            found = [(group.record, node)]
        else:
            found = [(one.record, node) for one in self._region.groups() for node in one.record.nodes]
        page, more = select_page(found, parameters, key=lambda pair: pair[1].cluster)
        shown = parameters.get("ShowCacheNodeInfo", False)
        return {
            "CacheClusters": [describe_cluster(record, node, with_nodes=shown) for record, node in page],
            **more,
        }


def request(reconciler: Reconciler, change: Callable[[GroupRecord], GroupRecord]) -> Mapping[str, Any]:
    """Change what an available group is to be, and describe it; raises AWS's error for one that is busy."""
    changed = reconciler.request(change, allowed=(Status.AVAILABLE,))
    if changed is None:
        raise not_available(reconciler.record)
    return {"ReplicationGroup": describe_group(changed)}


def not_available(record: GroupRecord) -> AwsError:
    """Return AWS's error for a group that is busy or failed."""
    text = f"Replication group {record.identifier} is not in available state: it is {record.status}."
    return AwsError("InvalidReplicationGroupState", text)
