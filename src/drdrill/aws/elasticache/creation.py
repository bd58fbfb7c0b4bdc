"""What `CreateReplicationGroup` refuses: what AWS would refuse, in its words, and what the mirror cannot do, by name.

Anything that a caller asks for and does not get is refused: nothing is accepted and silently left out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from drdrill.aws.elasticache.engine import check_node_type, find_engine
from drdrill.aws.elasticache.model import MOST_NODES, GroupRecord, NodeRecord, name_cluster
from drdrill.aws.elasticache.tags import read_tags
from drdrill.aws.errors import AwsError, NotImplementedInMirrorError
from drdrill.aws.rds.maintenance import choose_window, find_mistake
from drdrill.dataplane.valkey_programs import PORT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from drdrill.aws.elasticache.region import CacheRegion
    from drdrill.aws.protocol import Parameters

_IDENTIFIER = re.compile(r"[a-zA-Z](?!.*--)[a-zA-Z0-9-]{0,39}(?<!-)")
_KNOWN = frozenset({
    "ReplicationGroupId", "ReplicationGroupDescription", "AutomaticFailoverEnabled", "MultiAZEnabled",
    "NumCacheClusters", "PreferredCacheClusterAZs", "NumNodeGroups", "ReplicasPerNodeGroup", "CacheNodeType", "Engine",
    "EngineVersion", "CacheParameterGroupName", "CacheSubnetGroupName", "Tags", "PreferredMaintenanceWindow", "Port",
    "AutoMinorVersionUpgrade", "AtRestEncryptionEnabled", "AuthToken", "TransitEncryptionEnabled",
    "SecurityGroupIds",
})  # fmt: skip
# What a group of the mirror is like anyway, so that asking for it is no gap.
AS_IT_IS: Mapping[str, object] = {
    "ClusterMode": "disabled",
    "DataTieringEnabled": False,
    "IpDiscovery": "ipv4",
    "NetworkType": "ipv4",
    "SnapshotRetentionLimit": 0,
}


def read_creation(parameters: Parameters, region: CacheRegion) -> GroupRecord:
    """Return the group that is asked for; raises the first error that AWS would raise, or else what we lack."""
    for error in (*_find_refusals(parameters), *_find_gaps(parameters)):
        raise error
    engine = parameters.get("Engine", "redis")
    version, family = find_engine(engine, parameters.get("EngineVersion"))
    node_type = parameters.get("CacheNodeType")
    if not node_type:
        raise AwsError("InvalidParameterValue", "The parameter CacheNodeType must be provided.")
    check_node_type(node_type)
    group = region.parameter_groups.find(parameters.get("CacheParameterGroupName") or f"default.{family}")
    if group.family != family:
        text = f"Expected a parameter group of family {family} but found one of family {group.family}"
        raise AwsError("InvalidParameterCombination", text)
    identifier = parameters["ReplicationGroupId"].lower()
    subnet_group = parameters.get("CacheSubnetGroupName", "").lower() or None
    nodes = _place(identifier, parameters, region.zones_for(subnet_group))
    return GroupRecord(
        identifier=identifier,
        description=parameters["ReplicationGroupDescription"],
        region=region.name,
        engine=engine,
        engine_version=version,
        node_type=node_type,
        automatic_failover=parameters.get("AutomaticFailoverEnabled", False),
        multi_az=parameters.get("MultiAZEnabled", False),
        parameter_group=group.name,
        subnet_group=subnet_group,
        maintenance_window=parameters.get("PreferredMaintenanceWindow", choose_window(identifier)).lower(),
        nodes=nodes,
        primary=nodes[0].cluster,
        at_rest_encryption=parameters.get("AtRestEncryptionEnabled", False),
        auto_minor_version_upgrade=parameters.get("AutoMinorVersionUpgrade", True),
        tags=read_tags(parameters),
        security_groups=region.require_security_groups(parameters.get("SecurityGroupIds", ())),
    )


def read_number(parameters: Parameters) -> int:
    """Return how many nodes are asked for."""
    if "NumCacheClusters" in parameters:
        return int(parameters["NumCacheClusters"])
    zones = len(parameters.get("PreferredCacheClusterAZs", []))
    return int(parameters["ReplicasPerNodeGroup"]) + 1 if "ReplicasPerNodeGroup" in parameters else zones or 1


def check_availability(*, nodes: int, zones: int, automatic_failover: bool, multi_az: bool) -> None:
    """Raise AWS's error for a group that cannot be so available: failing over needs a replica, and another zone."""
    if automatic_failover and nodes <= 1:
        text = "Automatic failover requires at least one replica: the group has no node besides its primary."
        raise AwsError("InvalidParameterCombination", text)
    if multi_az and not automatic_failover:
        raise AwsError("InvalidParameterCombination", "Multi-AZ requires automatic failover to be enabled.")
    if multi_az and zones <= 1:
        text = "Multi-AZ requires nodes in more than one Availability Zone."
        raise AwsError("InvalidParameterCombination", text)


def choose_zones(used: tuple[str, ...], zones: tuple[str, ...], number: int) -> tuple[str, ...]:
    """Return zones for so many more nodes, each in the one with the fewest."""
    chosen = list(used)
    for _ in range(number):
        chosen.append(min(zones, key=chosen.count))
    return tuple(chosen[len(used) :])


def _place(identifier: str, parameters: Parameters, zones: tuple[str, ...]) -> tuple[NodeRecord, ...]:
    number = read_number(parameters)
    wanted = tuple(parameters.get("PreferredCacheClusterAZs", []))
    if wanted and len(wanted) != number:
        text = "The number of PreferredCacheClusterAZs must be that of the cache clusters."
        raise AwsError("InvalidParameterCombination", text)
    for zone in wanted:
        if zone not in zones:
            text = f"{zone} is not an Availability Zone of the cache subnet group: {', '.join(zones)}"
            raise AwsError("InvalidParameterValue", text)
    places = wanted or choose_zones((), zones, number)
    check_availability(
        nodes=number,
        zones=len(set(places)),
        automatic_failover=parameters.get("AutomaticFailoverEnabled", False),
        multi_az=parameters.get("MultiAZEnabled", False),
    )
    return tuple(
        NodeRecord(name_cluster(identifier, index), zone) for index, zone in enumerate(places, start=1)
    )


def _find_refusals(parameters: Parameters) -> Iterator[AwsError]:
    identifier = parameters["ReplicationGroupId"]
    if not _IDENTIFIER.fullmatch(identifier):
        text = f"The parameter ReplicationGroupIdentifier is not a valid identifier: {identifier}"
        yield AwsError("InvalidParameterValue", text)
    if not parameters["ReplicationGroupDescription"]:
        yield AwsError("InvalidParameterValue", "The parameter ReplicationGroupDescription must be provided.")
    if "NumCacheClusters" in parameters and parameters.keys() & {"NumNodeGroups", "ReplicasPerNodeGroup"}:
        text = "NumCacheClusters cannot be used with NumNodeGroups or ReplicasPerNodeGroup."
        yield AwsError("InvalidParameterCombination", text)
    if not 1 <= read_number(parameters) <= MOST_NODES:
        text = f"A replication group has between 1 and {MOST_NODES} nodes, not {read_number(parameters)}."
        yield AwsError("InvalidParameterValue", text)
    window = parameters.get("PreferredMaintenanceWindow")
    if window and (mistake := find_mistake(window)):
        yield AwsError("InvalidParameterValue", mistake)
    if parameters.get("AuthToken") and not parameters.get("TransitEncryptionEnabled"):
        text = "AuthToken requires TransitEncryptionEnabled to be true."
        yield AwsError("InvalidParameterCombination", text)


def _find_gaps(parameters: Parameters) -> Iterator[AwsError]:
    for name in sorted(parameters.keys() - _KNOWN):
        if name not in AS_IT_IS or parameters[name] != AS_IT_IS[name]:
            yield NotImplementedInMirrorError(f"The parameter {name} of elasticache:CreateReplicationGroup")
    if parameters.get("NumNodeGroups", 1) != 1:
        yield NotImplementedInMirrorError("Cluster mode: NumNodeGroups other than 1")
    if parameters.get("TransitEncryptionEnabled"):
        yield NotImplementedInMirrorError(
            "The parameter TransitEncryptionEnabled of elasticache:CreateReplicationGroup"
        )
    if parameters.get("Port", PORT) != PORT:
        yield NotImplementedInMirrorError(f"A Port other than {PORT}")
