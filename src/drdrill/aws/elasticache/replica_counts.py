"""Operations on the number of a replication group's replicas: more of them, or fewer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from drdrill.aws.elasticache.creation import check_availability, choose_zones
from drdrill.aws.elasticache.groups import request
from drdrill.aws.elasticache.model import MOST_NODES, GroupRecord, NodeRecord, Status, name_cluster
from drdrill.aws.elasticache.modification import check_shard
from drdrill.aws.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.elasticache.region import CacheRegion
    from drdrill.aws.protocol import Parameters


class ReplicaCountOperations:
    """The operations on the number of replicas of the groups of one region."""

    def __init__(self, region: CacheRegion) -> None:
        self._region = region

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {
            "IncreaseReplicaCount": self.increase_replica_count,
            "DecreaseReplicaCount": self.decrease_replica_count,
        }

    def increase_replica_count(self, parameters: Parameters) -> Mapping[str, Any]:
        """Start to add replicas, in the zones with power that have the fewest nodes, or where it is said."""
        reconciler = self._region.find(parameters["ReplicationGroupId"])
        record = reconciler.record
        count, wanted = _read_count(parameters, record)
        added = count + 1 - len(record.nodes)
        if added <= 0:
            text = f"The replication group has {len(record.nodes) - 1} replicas already."
            raise AwsError("NoOperationFault", text)
        zones, lit = self._region.zones_for(record.subnet_group), self._region.fleet.lit_zones
        standing = tuple(zone for zone in zones if zone in lit) or zones
        used = tuple(node.zone for node in record.nodes)
        places = _find_places(used, wanted, zones) if wanted else choose_zones(used, standing, added)
        taken = {node.cluster for node in record.nodes}
        free = [name_cluster(record.identifier, n) for n in range(1, MOST_NODES + len(taken) + 1)]
        names = [name for name in free if name not in taken][:added]
        nodes = tuple(NodeRecord(name, zone) for name, zone in zip(names, places, strict=True))
        return request(
            reconciler,
            lambda one: replace(one, nodes=one.nodes + nodes, status=Status.MODIFYING),
        )

    def decrease_replica_count(self, parameters: Parameters) -> Mapping[str, Any]:
        """Start to take replicas away: those that are named, or the last ones."""
        reconciler = self._region.find(parameters["ReplicationGroupId"])
        record = reconciler.record
        replicas = [node.cluster for node in record.nodes if node.cluster != record.primary]
        gone = tuple(one.lower() for one in parameters.get("ReplicasToRemove", ()))
        for cluster in gone:
            if cluster == record.primary:
                text = f"{cluster} is the primary of its replication group: it cannot be removed."
                raise AwsError("InvalidParameterValue", text)
            if cluster not in replicas:
                raise AwsError("InvalidParameterValue", f"{cluster} is no replica of {record.identifier}.")
        if not gone:
            count, _ = _read_count(parameters, record)
            if count >= len(replicas):
                text = f"The replication group has no more than {len(replicas)} replicas."
                raise AwsError("NoOperationFault", text)
            gone = tuple(replicas[count:])
        left = [node for node in record.nodes if node.cluster not in gone]
        check_availability(
            nodes=len(left),
            zones=len({node.zone for node in left}),
            automatic_failover=record.automatic_failover,
            multi_az=record.multi_az,
        )

        def change(one: GroupRecord) -> GroupRecord:
            nodes = tuple(
                replace(node, status=Status.DELETING) if node.cluster in gone else node for node in one.nodes
            )
            return replace(one, nodes=nodes, status=Status.MODIFYING)

        return request(reconciler, change)


def _read_count(parameters: Parameters, record: GroupRecord) -> tuple[int, tuple[str, ...]]:
    """Return how many replicas there are to be, and in which zones all nodes, where that is said."""
    if not parameters["ApplyImmediately"]:
        raise AwsError("InvalidParameterValue", "ApplyImmediately=false is not supported: it must be true.")
    configured = parameters.get("ReplicaConfiguration", [])
    zones: tuple[str, ...] = ()
    if configured:
        if len(configured) > 1:
            raise AwsError("InvalidParameterValue", "The replication group has one node group.")
        check_shard(configured[0].get("NodeGroupId", ""))
        count = int(configured[0].get("NewReplicaCount", -1))
        zones = tuple(configured[0].get("PreferredAvailabilityZones", ()))
        if zones and len(zones) != count + 1:
            text = "The number of PreferredAvailabilityZones must be that of the nodes."
            raise AwsError("InvalidParameterCombination", text)
    elif "NewReplicaCount" in parameters:
        count = int(parameters["NewReplicaCount"])
    else:
        raise AwsError(
            "InvalidParameterCombination", "NewReplicaCount or ReplicaConfiguration must be provided."
        )
    if not 0 <= count < MOST_NODES:
        text = f"{record.identifier} can have between 0 and {MOST_NODES - 1} replicas, not {count}."
        raise AwsError("InvalidParameterValue", text)
    return count, zones


def _find_places(used: tuple[str, ...], wanted: tuple[str, ...], zones: tuple[str, ...]) -> tuple[str, ...]:
    """Return the zones of new nodes, by those that all nodes are to stand in."""
    left = list(wanted)
    for zone in wanted:
        if zone not in zones:
            raise AwsError(
                "InvalidParameterValue", f"{zone} is not an Availability Zone of the cache subnet group."
            )
    for zone in used:
        if zone not in left:
            text = "PreferredAvailabilityZones must hold the Availability Zones of the nodes that there are."
            raise AwsError("InvalidParameterValue", text)
        left.remove(zone)
    return tuple(left)
