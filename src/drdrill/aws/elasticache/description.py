"""A replication group and its clusters as the API describes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.aws.elasticache.model import CACHE_NODE, NODE_GROUP, Status
from drdrill.dataplane.valkey_programs import PORT

if TYPE_CHECKING:
    from drdrill.aws.elasticache.model import GroupRecord, NodeRecord


def describe_group(record: GroupRecord) -> dict[str, Any]:
    """Return a `ReplicationGroup` of the API. The endpoints appear once the group has been available, as in AWS."""
    pending = record.pending
    failover = pending.automatic_failover
    return {
        "ReplicationGroupId": record.identifier,
        "Description": record.description,
        "Status": record.status.value,
        "PendingModifiedValues": {
            "PrimaryClusterId": record.promoting,
            "AutomaticFailoverStatus": None if failover is None else _say(on=failover),
        },
        "MemberClusters": [node.cluster for node in record.nodes],
        "NodeGroups": [_describe_shard(record)],
        "AutomaticFailover": _say(on=record.automatic_failover),
        "MultiAZ": _say(on=record.multi_az),
        "SnapshotRetentionLimit": 0,
        "ClusterEnabled": False,
        "ClusterMode": "disabled",
        "CacheNodeType": record.node_type,
        "AuthTokenEnabled": False,
        "TransitEncryptionEnabled": False,
        "AtRestEncryptionEnabled": record.at_rest_encryption,
        "ARN": record.arn,
        "ReplicationGroupCreateTime": record.created_at,
        "DataTiering": "disabled",
        "AutoMinorVersionUpgrade": record.auto_minor_version_upgrade,
        "NetworkType": "ipv4",
        "IpDiscovery": "ipv4",
        "Engine": record.engine,
    }


def _describe_shard(record: GroupRecord) -> dict[str, Any]:
    shard: dict[str, Any] = {
        "NodeGroupId": NODE_GROUP,
        "Status": record.status.value,
        "NodeGroupMembers": [
            {
                "CacheClusterId": node.cluster,
                "CacheNodeId": CACHE_NODE,
                "ReadEndpoint": _describe_endpoint(record.endpoint_of(node.cluster), there=node.created_at),
                "PreferredAvailabilityZone": node.zone,
                "CurrentRole": "primary" if node.cluster == record.primary else "replica",
            }
            for node in record.nodes
        ],
    }
    if record.created_at is not None:
        shard["PrimaryEndpoint"] = _describe_endpoint(record.primary_endpoint)
        shard["ReaderEndpoint"] = _describe_endpoint(record.reader_endpoint)
    return shard


def describe_cluster(record: GroupRecord, node: NodeRecord, *, with_nodes: bool) -> dict[str, Any]:
    """Return a `CacheCluster` of the API."""
    status = Status.DELETING if record.status is Status.DELETING else node.status
    described: dict[str, Any] = {
        "CacheClusterId": node.cluster,
        "CacheNodeType": record.node_type,
        "Engine": record.engine,
        "EngineVersion": record.engine_version,
        "CacheClusterStatus": status.value,
        "NumCacheNodes": 1,
        "PreferredAvailabilityZone": node.zone,
        "CacheClusterCreateTime": node.created_at,
        "PreferredMaintenanceWindow": record.maintenance_window,
        "PendingModifiedValues": {"CacheNodeType": record.pending.node_type},
        "CacheParameterGroup": {
            "CacheParameterGroupName": record.parameter_group,
            "ParameterApplyStatus": record.parameter_status,
        },
        "CacheSubnetGroupName": record.subnet_group or "default",
        "SecurityGroups": [{"SecurityGroupId": one, "Status": "active"} for one in record.security_groups],
        "AutoMinorVersionUpgrade": record.auto_minor_version_upgrade,
        "ReplicationGroupId": record.identifier,
        "SnapshotRetentionLimit": 0,
        "AuthTokenEnabled": False,
        "TransitEncryptionEnabled": False,
        "AtRestEncryptionEnabled": record.at_rest_encryption,
        "ARN": record.arn_of(node.cluster),
        "ReplicationGroupLogDeliveryEnabled": False,
        "NetworkType": "ipv4",
        "IpDiscovery": "ipv4",
    }
    if with_nodes:
        described["CacheNodes"] = [
            {
                "CacheNodeId": CACHE_NODE,
                "CacheNodeStatus": status.value,
                "CacheNodeCreateTime": node.created_at,
                "Endpoint": _describe_endpoint(record.endpoint_of(node.cluster), there=node.created_at),
                "ParameterGroupStatus": record.parameter_status,
                "CustomerAvailabilityZone": node.zone,
            }
        ]
    return described


def _describe_endpoint(name: str, *, there: object = True) -> dict[str, Any] | None:
    return {"Address": name, "Port": PORT} if there else None


def _say(*, on: bool) -> str:
    return "enabled" if on else "disabled"
