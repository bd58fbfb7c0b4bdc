"""What a restored instance is to be like, by what was asked for and what its source was; refuses what AWS refuses."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from drdrill.aws.errors import AwsError, NotImplementedInMirrorError
from drdrill.aws.rds.creation import AS_IT_IS, IDENTIFIER, find_wrong_class, find_wrong_retention
from drdrill.aws.rds.maintenance import choose_window
from drdrill.aws.rds.model import InstanceRecord, name_endpoint
from drdrill.aws.rds.security_groups import read_security_groups
from drdrill.aws.rds.tags import read_tags
from drdrill.dataplane.postgresql_programs import PORT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from drdrill.aws.protocol import Parameters
    from drdrill.aws.rds.region import RdsRegion

_KNOWN = frozenset({
    "DBInstanceIdentifier", "DBSnapshotIdentifier", "SourceDBInstanceIdentifier", "TargetDBInstanceIdentifier",
    "RestoreTime", "UseLatestRestorableTime", "SourceDbiResourceId", "DBInstanceClass", "MultiAZ",
    "PubliclyAccessible", "DeletionProtection", "Tags", "BackupRetentionPeriod", "AllocatedStorage",
    "AutoMinorVersionUpgrade", "DBParameterGroupName", "DBSubnetGroupName",
    "VpcSecurityGroupIds",
})  # fmt: skip
_AS_IT_IS: Mapping[str, object] = {
    **AS_IT_IS,
    "Engine": "postgres",
    "Port": PORT,
    "StorageType": "gp3",
}


def read_restored(
    parameters: Parameters, region: RdsRegion, source: InstanceRecord, identifier: str, operation: str
) -> InstanceRecord:
    """Return the record of the instance that is asked for; raises what AWS raises.

    What is not asked for is as AWS documents it: single-AZ, with the default groups, without the source's tags.
    """
    for error in (*_find_refusals(parameters, source, identifier), *_find_gaps(parameters, operation)):
        raise error
    identifier = identifier.lower()
    resource_id = "db-" + secrets.token_hex(13).upper()
    subnet_group = parameters.get("DBSubnetGroupName")
    return InstanceRecord(
        identifier=identifier,
        resource_id=resource_id,
        region=region.name,
        instance_class=parameters.get("DBInstanceClass", source.instance_class),
        allocated_storage=parameters.get("AllocatedStorage", source.allocated_storage),
        engine_version=source.engine_version,
        master_username=source.master_username,
        database=source.database,
        multi_az=parameters.get("MultiAZ", False),
        publicly_accessible=parameters.get("PubliclyAccessible", False),
        deletion_protection=parameters.get("DeletionProtection", False),
        endpoint=name_endpoint(identifier, region.name),
        tags=read_tags(parameters),
        backup_retention_days=parameters.get("BackupRetentionPeriod", source.backup_retention_days),
        auto_minor_version_upgrade=parameters.get(
            "AutoMinorVersionUpgrade", source.auto_minor_version_upgrade
        ),
        kms_key=source.kms_key,
        maintenance_window=choose_window(resource_id),
        parameter_group=region.parameter_groups.find(parameters.get("DBParameterGroupName", "")).name,
        subnet_group=region.subnet_groups.find(subnet_group).name if subnet_group else None,
        security_groups=read_security_groups(parameters, region),
    )


def _find_refusals(parameters: Parameters, source: InstanceRecord, identifier: str) -> Iterator[AwsError]:
    if not IDENTIFIER.fullmatch(identifier):
        text = f"The parameter DBInstanceIdentifier is not a valid identifier: {identifier}"
        yield AwsError("InvalidParameterValue", text)
    if parameters.get("MultiAZ") and parameters.get("AvailabilityZone"):
        text = "Requesting a specific availability zone is not valid for Multi-AZ instances."
        yield AwsError("InvalidParameterCombination", text)
    yield from find_wrong_class(parameters.get("DBInstanceClass", source.instance_class))
    yield from find_wrong_retention(parameters)
    if parameters.get("AllocatedStorage", source.allocated_storage) < source.allocated_storage:
        text = f"The allocated storage must be at least that of the source, {source.allocated_storage} GiB."
        yield AwsError("InvalidParameterValue", text)


def _find_gaps(parameters: Parameters, operation: str) -> Iterator[AwsError]:
    for name in sorted(parameters.keys() - _KNOWN):
        if name in _AS_IT_IS and parameters[name] == _AS_IT_IS[name]:
            continue
        yield NotImplementedInMirrorError(f"The parameter {name} of rds:{operation}")
