"""What EKS keeps of the clusters of all regions: their records, their node groups, who may ask them.

A cluster that is made again is empty: what ran in it is deployed anew, from where it came from. Its certificate
authority is another one, as its kubeconfig says.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from drdrill.aws.eks.cluster import Cluster
from drdrill.aws.eks.model import ClusterStatus, NodegroupStatus
from drdrill.aws.eks.nodegroup import Nodegroup
from drdrill.aws.errors import AwsError
from drdrill.aws.keeping import NotKeptError
from drdrill.core.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from drdrill.aws.autoscaling.model import Capacity
    from drdrill.aws.eks.model import AccessEntry, ClusterRecord, Issue, NodegroupRecord
    from drdrill.aws.eks.region import EksRegion
    from drdrill.aws.ports import Subnet

_THERE_WITHIN = timedelta(minutes=5)  # measured 8 s for two clusters with three nodes and one
_POLL = timedelta(milliseconds=100)
_FAILED = (ClusterStatus.FAILED, NodegroupStatus.CREATE_FAILED, NodegroupStatus.DEGRADED)


@dataclass(frozen=True, slots=True)
class KeptNodegroup:
    """A node group, and what its Auto Scaling group is like."""

    record: NodegroupRecord
    subnets: tuple[Subnet, ...]
    capacity: Capacity
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class KeptCluster:
    """A cluster with what belongs to it."""

    record: ClusterRecord
    entries: tuple[AccessEntry, ...]
    nodegroups: tuple[KeptNodegroup, ...]


class EksKeeper:
    """Keeps the clusters of these regions. Implements `drdrill.aws.keeping.Keeper`."""

    name = "eks"
    after: tuple[str, ...] = ()

    def __init__(self, regions: Mapping[str, EksRegion]) -> None:
        self._regions = regions

    def keep(self, _: Path) -> tuple[KeptCluster, ...]:
        """Return what is known of all clusters once they are at rest."""
        wait_until(self._are_at_rest, what="clusters at rest", within=_THERE_WITHIN, every=_POLL)
        return tuple(
            KeptCluster(
                cluster.record,
                cluster.entries(),
                tuple(_keep_nodegroup(region, one.record) for one in cluster.nodegroups()),
            )
            for region in self._regions.values()
            for cluster in region.clusters()
        )

    def restore(self, kept: tuple[KeptCluster, ...], _: Path) -> None:
        """Bring every cluster up, then its nodes; returns when all are Ready."""
        for one in kept:
            cluster = Cluster(replace(one.record, status=ClusterStatus.CREATING, authority=""))
            for entry in one.entries:
                cluster.put_entry(entry)
            self._regions[one.record.region].create(cluster)
        waiting = list(kept)

        def continue_with_nodes() -> bool:
            for one in waiting.copy():
                cluster = self._regions[one.record.region].find(one.record.name)
                _require_sound(cluster)
                if cluster.record.status is ClusterStatus.ACTIVE:
                    waiting.remove(one)
                    self._make_nodegroups(cluster, one)
            return not waiting and self._are_at_rest()

        wait_until(continue_with_nodes, what="clusters with their nodes", within=_THERE_WITHIN, every=_POLL)

    def _make_nodegroups(self, cluster: Cluster, kept: KeptCluster) -> None:
        region = self._regions[kept.record.region]
        for one in kept.nodegroups:
            record = replace(one.record, status=NodegroupStatus.CREATING, issues=())
            nodegroup = Nodegroup(record, cluster.require_active(), region.clock)
            try:
                cluster.add_nodegroup(nodegroup)
                region.autoscaling.create(
                    record.group,
                    nodegroup,
                    one.subnets,
                    one.capacity,
                    instance_type=record.instance_type,
                    tags=one.tags,
                )
            except AwsError as error:
                raise NotKeptError(f"{nodegroup}: {error}") from error

    def _are_at_rest(self) -> bool:
        clusters = [cluster for region in self._regions.values() for cluster in region.clusters()]
        for cluster in clusters:
            _require_sound(cluster)
        return all(
            cluster.record.status is ClusterStatus.ACTIVE
            and all(one.record.status is NodegroupStatus.ACTIVE for one in cluster.nodegroups())
            for cluster in clusters
        )


def _keep_nodegroup(region: EksRegion, record: NodegroupRecord) -> KeptNodegroup:
    group = region.autoscaling.find(record.group)
    return KeptNodegroup(record, group.subnets, group.capacity, group.identity.tags)


def _require_sound(cluster: Cluster) -> None:
    statuses: list[tuple[str, tuple[Issue, ...], str]] = [
        (cluster.record.status, cluster.record.issues, repr(cluster)),
        *((one.record.status, one.record.issues, repr(one)) for one in cluster.nodegroups()),
    ]
    for status, issues, name in statuses:
        if status in _FAILED:
            raise NotKeptError(f"{name} is {status}: {'; '.join(issue.message for issue in issues)}")
