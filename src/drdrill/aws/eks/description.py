"""How clusters, node groups, updates and access entries are described, by AWS's API reference."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from drdrill.aws.eks.model import ClusterStatus

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from drdrill.aws.autoscaling import Capacity
    from drdrill.aws.eks.model import AccessEntry, ClusterRecord, Issue, NodegroupRecord, UpdateRecord

SERVICE_RANGE = "172.20.0.0/16"  # EKS's own choice for a VPC of 10.0.0.0/8
_PLATFORM = "eks.1"


def describe_cluster(record: ClusterRecord) -> dict[str, Any]:
    """Return a `Cluster` of the API."""
    described: dict[str, Any] = {
        "name": record.name,
        "arn": record.arn,
        "createdAt": record.created_at,
        "version": record.version,
        "platformVersion": _PLATFORM,
        "status": record.status.value,
        "roleArn": record.role,
        "resourcesVpcConfig": {
            "subnetIds": list(record.subnets),
            "securityGroupIds": list(record.security_groups),
            "vpcId": record.vpc,
            "endpointPublicAccess": True,
            "endpointPrivateAccess": record.private_access,
            "publicAccessCidrs": ["0.0.0.0/0"],
        },
        "kubernetesNetworkConfig": {"serviceIpv4Cidr": SERVICE_RANGE, "ipFamily": "ipv4"},
        "accessConfig": {
            "authenticationMode": record.authentication_mode,
            "bootstrapClusterCreatorAdminPermissions": record.bootstrap_admin,
        },
        "tags": dict(record.tags),
        "health": {"issues": _describe_issues(record.issues)},
        "certificateAuthority": {},
    }
    if record.endpoint and record.status is not ClusterStatus.CREATING:
        described["endpoint"] = record.endpoint
        described["certificateAuthority"] = {"data": base64.b64encode(record.authority.encode()).decode()}
        described["identity"] = {"oidc": {"issuer": record.endpoint}}
    return described


def describe_nodegroup(record: NodegroupRecord, capacity: Capacity) -> dict[str, Any]:
    """Return a `Nodegroup` of the API; how large it is, is what its Auto Scaling group is told."""
    return {
        "nodegroupName": record.name,
        "nodegroupArn": record.arn,
        "clusterName": record.cluster,
        "version": record.version,
        "createdAt": record.created_at,
        "modifiedAt": record.modified_at or record.created_at,
        "status": record.status.value,
        "capacityType": "ON_DEMAND",
        "scalingConfig": {
            "minSize": capacity.minimum,
            "maxSize": capacity.maximum,
            "desiredSize": capacity.desired,
        },
        "instanceTypes": [record.instance_type],
        "subnets": list(record.subnets),
        "nodeRole": record.role,
        "labels": dict(record.labels),
        "diskSize": record.disk_size,
        "resources": {"autoScalingGroups": [{"name": record.group}]},
        "health": {"issues": _describe_issues(record.issues)},
        "updateConfig": {"maxUnavailable": record.max_unavailable},
        "tags": dict(record.tags),
    }


def describe_update(update: UpdateRecord) -> dict[str, Any]:
    """Return an `Update` of the API."""
    return {
        "id": update.identifier,
        "status": update.status.value,
        "type": "ConfigUpdate",
        "params": [{"type": kind, "value": value} for kind, value in update.parameters],
        "createdAt": update.created_at,
        "errors": [
            {"errorCode": one.code, "errorMessage": one.message, "resourceIds": list(one.resources)}
            for one in update.errors
        ],
    }


def describe_entry(entry: AccessEntry, cluster: str) -> dict[str, Any]:
    """Return an `AccessEntry` of the API."""
    return {
        "clusterName": cluster,
        "principalArn": entry.principal,
        "kubernetesGroups": list(entry.groups),
        "accessEntryArn": entry.arn,
        "createdAt": entry.created_at,
        "modifiedAt": entry.modified_at,
        "tags": dict(entry.tags),
        "username": entry.username,
        "type": "STANDARD",
    }


def describe_policy(policy: str, associated_at: datetime, modified_at: datetime) -> dict[str, Any]:
    """Return an `AssociatedAccessPolicy` of the API."""
    return {
        "policyArn": policy,
        "accessScope": {"type": "cluster", "namespaces": []},
        "associatedAt": associated_at,
        "modifiedAt": modified_at,
    }


def _describe_issues(issues: Iterable[Issue]) -> list[dict[str, Any]]:
    return [
        {"code": issue.code, "message": issue.message, "resourceIds": list(issue.resources)}
        for issue in issues
    ]
