"""A DB instance as the API describes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.dataplane.postgresql_programs import PORT

if TYPE_CHECKING:
    from drdrill.aws.rds.model import InstanceRecord


def describe(record: InstanceRecord) -> dict[str, Any]:
    """Return a `DBInstance` of the API. The endpoint appears once the instance has been available, as in AWS."""
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
        "BackupRetentionPeriod": 0,
        "StorageType": "gp3",
        "DbiResourceId": record.resource_id,
        "DBInstanceArn": record.arn,
        "AvailabilityZone": record.zone,
        "SecondaryAvailabilityZone": record.secondary_zone,
        "TagList": [{"Key": key, "Value": value} for key, value in record.tags],
        "ReadReplicaDBInstanceIdentifiers": [],
    }
    if record.created_at is not None:
        described["InstanceCreateTime"] = record.created_at
        described["Endpoint"] = {"Address": record.endpoint, "Port": PORT}
    return described
