"""What `CreateDBInstanceReadReplica` asks for, what it refuses, and what the new replica is like.

What AWS would refuse is refused in its words, and what the mirror cannot do by name; all that a request does not say is
as the source's, but a replica has no backups.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from drdrill.aws.errors import AwsError, NotImplementedInMirrorError
from drdrill.aws.naming import read_scope
from drdrill.aws.rds.creation import AS_IT_IS, IDENTIFIER, find_wrong_class
from drdrill.aws.rds.instances import not_available
from drdrill.aws.rds.keys import name_key
from drdrill.aws.rds.maintenance import choose_window
from drdrill.aws.rds.model import ACCOUNT, InstanceRecord, Status, name_endpoint
from drdrill.aws.rds.security_groups import read_security_groups
from drdrill.aws.rds.tags import read_tags
from drdrill.dataplane.postgresql_programs import PORT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from drdrill.aws.protocol import Parameters
    from drdrill.aws.rds.region import RdsRegion

_OPERATION = "CreateDBInstanceReadReplica"
_ARN = re.compile(r"arn:aws:rds:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):db:(?P<identifier>[A-Za-z0-9-]+)")
_MOST_REPLICAS = 15  # API reference, CreateDBInstanceReadReplica
_KNOWN = frozenset({
    "DBInstanceIdentifier", "SourceDBInstanceIdentifier", "SourceRegion", "PreSignedUrl", "DBInstanceClass",
    "AvailabilityZone", "PubliclyAccessible", "DeletionProtection", "Tags", "KmsKeyId", "DBParameterGroupName",
    "DBSubnetGroupName", "AutoMinorVersionUpgrade", "VpcSecurityGroupIds",
})  # fmt: skip
# What a replica of the mirror is like anyway, so that asking for it is no gap.
_AS_IT_IS: Mapping[str, object] = {**AS_IT_IS, "MultiAZ": False, "Port": PORT, "StorageType": "gp3"}


@dataclass(frozen=True, slots=True)
class Source:
    """The instance that a replica is to follow, as a request names it."""

    region: str
    account: str
    identifier: str


def read_source(parameters: Parameters, region: str) -> Source:
    """Return which instance a request in a region names as the source; raises AWS's error where it names none."""
    wanted = parameters.get("SourceDBInstanceIdentifier")
    if not wanted:
        if parameters.get("SourceDBClusterIdentifier"):
            raise NotImplementedInMirrorError("A read replica of a Multi-AZ DB cluster")
        text = "The request must contain the parameter SourceDBInstanceIdentifier."
        raise AwsError("MissingParameter", text)
    arn = _ARN.fullmatch(wanted)
    if arn is None and not IDENTIFIER.fullmatch(wanted):
        text = f"The parameter SourceDBInstanceIdentifier is not a valid identifier: {wanted}"
        raise AwsError("InvalidParameterValue", text)
    source = Source(**arn.groupdict()) if arn else Source(region, ACCOUNT, wanted)
    claimed = {parameters.get("SourceRegion"), _read_presigned(parameters.get("PreSignedUrl"))}
    if claimed - {None, source.region}:
        text = f"The source region of the request is not that of the source DB instance, {source.region}."
        raise AwsError("InvalidParameterValue", text)
    return source


def _read_presigned(url: str | None) -> str | None:
    """Return the region that a presigned request of the source's region is for, which AWS SDKs add to a call."""
    if url is None:
        return None
    refusal = AwsError("InvalidParameterValue", f"PreSignedUrl is not a valid {_OPERATION} request.")
    try:
        query = urlsplit(url).query
    except ValueError as error:  # a host in brackets that is none
        raise refusal from error
    region, service = read_scope({"QUERY_STRING": query})
    if service != "rds" or parse_qs(query).get("Action") != [_OPERATION]:
        raise refusal
    return region


def check_replica(parameters: Parameters, source: InstanceRecord, region: RdsRegion) -> None:
    """Raise the first error that AWS would raise, or else `NotImplementedInMirrorError`."""
    for error in (*_find_refusals(parameters, source, region), *_find_gaps(parameters, source)):
        raise error


def _find_refusals(parameters: Parameters, source: InstanceRecord, region: RdsRegion) -> Iterator[AwsError]:
    identifier = str(parameters["DBInstanceIdentifier"])
    if not IDENTIFIER.fullmatch(identifier):
        text = f"The parameter DBInstanceIdentifier is not a valid identifier: {identifier}"
        yield AwsError("InvalidParameterValue", text)
    yield from find_wrong_class(parameters.get("DBInstanceClass", source.instance_class))
    zone = parameters.get("AvailabilityZone")
    if zone and zone not in region.fleet.zones:
        yield AwsError("InvalidParameterValue", f"Invalid availability zone: {zone}")
    if source.status is not Status.AVAILABLE:
        yield not_available(source)
    if source.source_arn is None and source.backup_retention_days == 0:
        text = (
            "Automated backups are not enabled for this database instance. To enable automated backups, use "
            "ModifyDBInstance to set the backup retention period to a non-zero value."
        )
        yield AwsError("InvalidDBInstanceState", text)
    if len(source.replica_arns) >= _MOST_REPLICAS:
        text = f"DB instance {source.identifier} has {_MOST_REPLICAS} read replicas already."
        yield AwsError("InstanceQuotaExceeded", text)


def _find_gaps(parameters: Parameters, source: InstanceRecord) -> Iterator[AwsError]:
    if source.source_arn is not None:
        yield NotImplementedInMirrorError("A read replica of a read replica")
    as_it_is = {**_AS_IT_IS, "AllocatedStorage": source.allocated_storage}
    for name in sorted(parameters.keys() - _KNOWN):
        if name not in as_it_is or parameters[name] != as_it_is[name]:
            yield NotImplementedInMirrorError(f"The parameter {name} of rds:{_OPERATION}")


def describe_new(parameters: Parameters, source: InstanceRecord, region: RdsRegion) -> InstanceRecord:
    """Return the record of a new replica."""
    identifier = str(parameters["DBInstanceIdentifier"]).lower()
    resource_id = "db-" + secrets.token_hex(13).upper()
    near = source.region == region.name
    group = parameters.get("DBParameterGroupName") or (source.parameter_group if near else "")
    subnets = parameters.get("DBSubnetGroupName") or (source.subnet_group if near else None)
    subnet_group = region.subnet_groups.find(subnets).name if subnets else None
    zones = region.subnet_groups.zones_for(subnet_group)
    taken = {source.zone, source.secondary_zone} if near else set()
    return InstanceRecord(
        identifier=identifier,
        resource_id=resource_id,
        region=region.name,
        instance_class=parameters.get("DBInstanceClass", source.instance_class),
        allocated_storage=source.allocated_storage,
        engine_version=source.engine_version,
        master_username=source.master_username,
        database=source.database,
        multi_az=False,
        publicly_accessible=parameters.get("PubliclyAccessible", source.publicly_accessible),
        deletion_protection=parameters.get("DeletionProtection", False),
        endpoint=name_endpoint(identifier, region.name),
        zone_named=bool(parameters.get("AvailabilityZone")),
        zone=parameters.get("AvailabilityZone") or next((z for z in zones if z not in taken), zones[-1]),
        tags=read_tags(parameters),
        kms_key=_choose_key(parameters.get("KmsKeyId"), source, region),
        maintenance_window=choose_window(resource_id),
        auto_minor_version_upgrade=parameters.get(
            "AutoMinorVersionUpgrade", source.auto_minor_version_upgrade
        ),
        parameter_group=region.parameter_groups.find(group).name,
        subnet_group=subnet_group,
        security_groups=read_security_groups(parameters, region, source.security_groups if near else ()),
        source_arn=source.arn,
    )


def _choose_key(key: str | None, source: InstanceRecord, region: RdsRegion) -> str | None:
    """Return the ARN of a replica's key: its source's, or in another region a named one of that region."""
    if source.kms_key is None:
        if key:
            text = "An encrypted read replica cannot be created from a DB instance that is not encrypted."
            raise AwsError("InvalidParameterCombination", text)
        return None
    if source.region == region.name:
        if key and name_key(key, region) != source.kms_key:
            text = "A read replica in the region of its source is encrypted with the key of its source."
            raise AwsError("InvalidParameterCombination", text)
        return source.kms_key
    if not key:
        text = "KmsKeyId must be specified for an encrypted read replica in another region than its source."
        raise AwsError("InvalidParameterCombination", text)
    return name_key(key, region)
