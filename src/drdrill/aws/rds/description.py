"""A DB instance as the API describes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.aws.rds.model import Replication
from drdrill.aws.rds.security_groups import describe_security_groups
from drdrill.aws.rds.subnet_groups import describe_subnet_group
from drdrill.dataplane.postgresql_programs import PORT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drdrill.aws.rds.model import InstanceRecord
    from drdrill.aws.rds.region import RdsRegion


def describe(record: InstanceRecord, region: RdsRegion) -> dict[str, Any]:
    """Return a `DBInstance` of the API. The endpoint appears once the instance has been available, as in AWS."""
    group = region.subnet_groups.find(record.subnet_group) if record.subnet_group else None
    described: dict[str, Any] = {
        "DBInstanceIdentifier": record.identifier,
        "DBInstanceClass": record.instance_class,
        "Engine": "postgres",
        "EngineVersion": record.engine_version,
        "DBInstanceStatus": record.status.value,
        "MasterUsername": record.master_username,
        "DBName": record.database,  # none without one: the database `postgres` is always there
        "AllocatedStorage": record.allocated_storage,
        "MultiAZ": record.multi_az,
        "PubliclyAccessible": record.publicly_accessible,
        "DeletionProtection": record.deletion_protection,
        "BackupRetentionPeriod": record.backup_retention_days,
        "LatestRestorableTime": record.latest_restorable,
        "StorageEncrypted": record.kms_key is not None,
        "KmsKeyId": record.kms_key,
        "StorageType": "gp3",
        "AutoMinorVersionUpgrade": record.auto_minor_version_upgrade,
        "PreferredMaintenanceWindow": record.maintenance_window,
        "DBParameterGroups": [
            {"DBParameterGroupName": record.parameter_group, "ParameterApplyStatus": record.parameter_status}
        ],
        "PendingModifiedValues": _describe_pending(record),
        "VpcSecurityGroups": describe_security_groups(record.security_groups),
        "DBSubnetGroup": group and describe_subnet_group(group),
        "DbiResourceId": record.resource_id,
        "DBInstanceArn": record.arn,
        "AvailabilityZone": record.zone,
        "SecondaryAvailabilityZone": record.secondary_zone,
        "TagList": [{"Key": key, "Value": value} for key, value in record.tags],
        "ReadReplicaDBInstanceIdentifiers": [name_from(arn, record.region) for arn in record.replica_arns],
        "ReadReplicaSourceDBInstanceIdentifier": name_from(record.source_arn, record.region),
        "StatusInfos": list(_describe_replication(record)),
    }
    if record.created_at is not None:
        described["InstanceCreateTime"] = record.created_at
        described["Endpoint"] = {"Address": record.endpoint, "Port": PORT}
    return described


def _describe_pending(record: InstanceRecord) -> dict[str, Any]:
    pending = record.pending
    return {
        "DBInstanceClass": pending.instance_class,
        "AllocatedStorage": pending.allocated_storage,
        "MultiAZ": pending.multi_az,
        "BackupRetentionPeriod": pending.backup_retention_days,
        "DBInstanceIdentifier": pending.identifier,
        "MasterUserPassword": None if pending.password is None else "****",
    }


def name_from(arn: str | None, region: str) -> str | None:
    """Return how an instance is called from a region: by its identifier there, by its ARN from another one."""
    if arn is None:
        return None
    _, _, _, home, _, _, identifier = arn.split(":")
    return identifier if home == region else arn


def _describe_replication(record: InstanceRecord) -> Iterator[dict[str, Any]]:
    if record.replication is not None:
        yield {
            "StatusType": "read replication",
            "Normal": record.replication is Replication.REPLICATING,
            "Status": record.replication.value,
            "Message": record.replication_message,
        }
