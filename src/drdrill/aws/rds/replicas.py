"""Operations on read replicas: make one, in the source's region or in another, and promote it.

How a replica follows its source stands in `replica_follower`.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from drdrill.aws.errors import AwsError, NotImplementedInMirrorError
from drdrill.aws.naming import read_scope
from drdrill.aws.rds.creation import IDENTIFIER
from drdrill.aws.rds.description import describe
from drdrill.aws.rds.instances import make_instance, not_available
from drdrill.aws.rds.model import (
    ACCOUNT,
    InstanceRecord,
    PendingChanges,
    Status,
    name_endpoint,
)
from drdrill.dataplane.postgresql_programs import PORT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from drdrill.aws.protocol import Parameters
    from drdrill.aws.rds.reconciler import Reconciler
    from drdrill.aws.rds.region import RdsRegion

_ARN = re.compile(r"arn:aws:rds:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):db:(?P<identifier>[A-Za-z0-9-]+)")
_CLASS = re.compile(r"db\.[a-z][a-z0-9-]*\.[a-z0-9-]+")
_MOST_REPLICAS = 15  # API reference, CreateDBInstanceReadReplica
_RETENTION_DAYS = range(36)
_KNOWN = frozenset({
    "DBInstanceIdentifier", "SourceDBInstanceIdentifier", "SourceRegion", "PreSignedUrl", "DBInstanceClass",
    "AvailabilityZone", "PubliclyAccessible", "DeletionProtection", "Tags",
})  # fmt: skip
# What a replica of the mirror is like anyway, so that asking for it is no gap.
_AS_IT_IS: Mapping[str, object] = {
    "AutoMinorVersionUpgrade": False,
    "CopyTagsToSnapshot": False,
    "EnableIAMDatabaseAuthentication": False,
    "EnablePerformanceInsights": False,
    "MonitoringInterval": 0,
    "MultiAZ": False,
    "NetworkType": "IPV4",
    "Port": PORT,
    "StorageType": "gp3",
}


class ReplicaOperations:
    """The operations on the read replicas of one region."""

    def __init__(self, region: RdsRegion) -> None:
        self._region = region

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {
            "CreateDBInstanceReadReplica": self.create_db_instance_read_replica,
            "PromoteReadReplica": self.promote_read_replica,
        }

    def create_db_instance_read_replica(self, parameters: Parameters) -> Mapping[str, Any]:
        """Start to make a read replica; it is `creating` until it streams from its source and answers reads."""
        source = self._find_source(parameters)
        for error in (*_find_refusals(parameters, source.record), *self._find_gaps(parameters)):
            raise error
        record = self._describe_new(parameters, source)
        self._region.add(record.identifier, lambda: make_instance(record, self._region, origin=source))
        return {"DBInstance": describe(record)}

    def _find_source(self, parameters: Parameters) -> Reconciler:
        """Return the instance that is to be followed; raises what AWS raises when it cannot be."""
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
        home = arn["region"] if arn else self._region.name
        claimed = {parameters.get("SourceRegion"), _read_presigned(parameters.get("PreSignedUrl"))}
        if claimed - {None, home}:
            text = f"The source region of the request is not that of the source DB instance, {home}."
            raise AwsError("InvalidParameterValue", text)
        region = self._region.elsewhere.get(home)
        if region is None or (arn and arn["account"] != ACCOUNT):
            raise AwsError("DBInstanceNotFound", f"DBInstance {wanted} not found.", status=404)
        return region.find(wanted)

    def _describe_new(self, parameters: Parameters, source: Reconciler) -> InstanceRecord:
        """Return the record of a new replica: all that is not said is as the source's, but it has no backups."""
        identifier = str(parameters["DBInstanceIdentifier"]).lower()
        inherited = source.record
        near = inherited.region == self._region.name
        taken = {inherited.zone, inherited.secondary_zone} if near else set()
        zones = self._region.subnet_groups.zones_for(inherited.subnet_group if near else None)
        return replace(
            inherited,
            identifier=identifier,
            resource_id="db-" + secrets.token_hex(13).upper(),
            region=self._region.name,
            instance_class=parameters.get("DBInstanceClass", inherited.instance_class),
            multi_az=False,
            publicly_accessible=parameters.get("PubliclyAccessible", inherited.publicly_accessible),
            deletion_protection=parameters.get("DeletionProtection", False),
            endpoint=name_endpoint(identifier, self._region.name),
            created_at=None,
            status=Status.CREATING,
            zone=parameters.get("AvailabilityZone") or next((z for z in zones if z not in taken), zones[-1]),
            secondary_zone=None,
            tags=tuple((tag["Key"], tag.get("Value", "")) for tag in parameters.get("Tags", [])),
            backup_retention_days=0,
            parameter_group=inherited.parameter_group if near else "",
            subnet_group=inherited.subnet_group if near else None,
            pending=PendingChanges(),
            source_arn=inherited.arn,
            replica_arns=(),
        )

    def _find_gaps(self, parameters: Parameters) -> Iterator[AwsError]:
        operation = "rds:CreateDBInstanceReadReplica"
        for name in sorted(parameters.keys() - _KNOWN):
            if name not in _AS_IT_IS or parameters[name] != _AS_IT_IS[name]:
                yield NotImplementedInMirrorError(f"The parameter {name} of {operation}")
        zone = parameters.get("AvailabilityZone")
        if zone and zone not in self._region.fleet.zones:
            yield AwsError("InvalidParameterValue", f"Invalid availability zone: {zone}")

    def promote_read_replica(self, parameters: Parameters) -> Mapping[str, Any]:
        """Start to promote a replica: `modifying` until it has left its source and accepts writes."""
        reconciler = self._region.find(parameters["DBInstanceIdentifier"])
        days = parameters.get("BackupRetentionPeriod", 1)
        if days not in _RETENTION_DAYS:
            text = f"Invalid backup retention period: {days}. Must be between 0 and {_RETENTION_DAYS[-1]}"
            raise AwsError("InvalidParameterValue", text)
        for name in sorted(parameters.keys() - {"DBInstanceIdentifier", "BackupRetentionPeriod"}):
            raise NotImplementedInMirrorError(f"The parameter {name} of rds:PromoteReadReplica")
        if reconciler.record.source_arn is None:
            raise AwsError("InvalidDBInstanceState", "DB Instance is not a read replica.")
        promoted = reconciler.request(
            "promote",
            allowed=(Status.AVAILABLE,),
            change=lambda record: replace(record, backup_retention_days=days),
        )
        if not promoted:
            raise not_available(reconciler.record)
        return {"DBInstance": describe(reconciler.record)}


def _find_refusals(parameters: Parameters, source: InstanceRecord) -> Iterator[AwsError]:
    identifier = str(parameters["DBInstanceIdentifier"])
    if not IDENTIFIER.fullmatch(identifier):
        text = f"The parameter DBInstanceIdentifier is not a valid identifier: {identifier}"
        yield AwsError("InvalidParameterValue", text)
    wanted = parameters.get("DBInstanceClass")
    if wanted is not None and not _CLASS.fullmatch(wanted):
        yield AwsError("InvalidParameterValue", f"Invalid DB Instance class: {wanted}")
    if source.status is not Status.AVAILABLE:
        yield not_available(source)
    if source.source_arn is not None:
        yield NotImplementedInMirrorError("A read replica of a read replica")
    if source.backup_retention_days == 0:
        text = (
            "Automated backups are not enabled for this database instance. To enable automated backups, use "
            "ModifyDBInstance to set the backup retention period to a non-zero value."
        )
        yield AwsError("InvalidDBInstanceState", text)
    if len(source.replica_arns) >= _MOST_REPLICAS:
        text = f"DB instance {source.identifier} has {_MOST_REPLICAS} read replicas already."
        yield AwsError("InstanceQuotaExceeded", text)


def _read_presigned(url: str | None) -> str | None:
    """Return the region that a presigned request of the source's region is for, which AWS SDKs add to a call."""
    if url is None:
        return None
    query = urlsplit(url).query
    region, service = read_scope({"QUERY_STRING": query})
    action = parse_qs(query).get("Action")
    if service != "rds" or action != ["CreateDBInstanceReadReplica"]:
        raise AwsError(
            "InvalidParameterValue", "PreSignedUrl is not a valid CreateDBInstanceReadReplica request."
        )
    return region
