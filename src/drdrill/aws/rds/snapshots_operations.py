"""Operations on DB snapshots: create, describe, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.aws.errors import AwsError
from drdrill.aws.rds.listing import select_page
from drdrill.aws.rds.model import Status
from drdrill.aws.rds.snapshots import (
    SnapshotKind,
    begin_snapshot,
    describe_snapshot,
    not_found,
    read_identifier,
    tell_snapshot,
)
from drdrill.aws.rds.tags import read_tags

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.protocol import Parameters
    from drdrill.aws.rds.region import RdsRegion
    from drdrill.aws.rds.snapshots import SnapshotRecord

_KINDS = frozenset(
    {*SnapshotKind, "shared", "public", "awsbackup"}
)  # nobody shares with the mirror's account
_FILTERS: Mapping[str, Callable[[SnapshotRecord], tuple[str, ...]]] = {
    "db-instance-id": lambda one: (one.instance.identifier, one.instance.arn.lower()),
    "db-snapshot-id": lambda one: (one.identifier,),
    "dbi-resource-id": lambda one: (one.instance.resource_id.lower(),),
    "snapshot-type": lambda one: (one.kind.value,),
    "engine": lambda _: ("postgres",),
}


class SnapshotOperations:
    """The operations on the snapshots of one region."""

    def __init__(self, region: RdsRegion) -> None:
        self._region = region

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {
            "CreateDBSnapshot": self.create_db_snapshot,
            "DescribeDBSnapshots": self.describe_db_snapshots,
            "DescribeDBSnapshotAttributes": self.describe_db_snapshot_attributes,
            "DeleteDBSnapshot": self.delete_db_snapshot,
        }

    def create_db_snapshot(self, parameters: Parameters) -> Mapping[str, Any]:
        """Start to take a snapshot; it is `available` when it was read from end to end.

        The instance is `backing-up` until then.
        """
        identifier = read_identifier(parameters["DBSnapshotIdentifier"], "DBSnapshotIdentifier")
        reconciler = self._region.find(parameters["DBInstanceIdentifier"])
        record = reconciler.record
        if record.status is not Status.AVAILABLE:
            raise _not_available(record.identifier)
        tags = read_tags(parameters)
        snapshot = begin_snapshot(self._region, record, identifier, SnapshotKind.MANUAL, tags=tags)
        if not reconciler.backups.take(snapshot, meanwhile=Status.BACKING_UP):
            self._region.snapshots.withdraw(identifier)
            raise _not_available(record.identifier)
        return {"DBSnapshot": describe_snapshot(snapshot)}

    def describe_db_snapshots(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe one snapshot, or all that are asked for, as they are now."""
        passes = _read_question(parameters)
        name = parameters.get("DBSnapshotIdentifier")
        listed = [self._region.snapshots.find(name)] if name else self._region.snapshots.all()
        found = list(filter(passes, listed))
        if name and not found:
            raise not_found(name)
        page, more = select_page(found, parameters, key=lambda one: one.identifier)
        return {"DBSnapshots": [describe_snapshot(one) for one in page], **more}

    def describe_db_snapshot_attributes(self, parameters: Parameters) -> Mapping[str, Any]:
        """Say who else may restore a manual snapshot: nobody, as the mirror has one account."""
        found = self._region.snapshots.find(parameters["DBSnapshotIdentifier"])
        nobody = {"AttributeName": "restore", "AttributeValues": []}
        attributes = {"DBSnapshotIdentifier": found.identifier, "DBSnapshotAttributes": [nobody]}
        return {"DBSnapshotAttributesResult": attributes}

    def delete_db_snapshot(self, parameters: Parameters) -> Mapping[str, Any]:
        """Delete a manual snapshot. Who restores from it already does so to the end."""
        found = self._region.snapshots.find(parameters["DBSnapshotIdentifier"])
        if found.kind is not SnapshotKind.MANUAL:
            text = f"Only manual snapshots may be deleted: {found.identifier} is {found.kind}."
            raise AwsError("InvalidDBSnapshotState", text)
        deleted = self._region.snapshots.remove(found.identifier)
        tell_snapshot(self._region, deleted, "RDS-EVENT-0041", "Deleted user snapshot", "deletion")
        return {"DBSnapshot": describe_snapshot(deleted)}


def _not_available(instance: str) -> AwsError:
    text = f"Cannot create a snapshot because the database instance {instance} is not currently in the available state."
    return AwsError("InvalidDBInstanceState", text)


def _read_question(parameters: Parameters) -> Callable[[SnapshotRecord], bool]:
    """Return what says whether a snapshot is asked for; raises what AWS raises for a wrong question."""
    kind = parameters.get("SnapshotType")
    if kind is not None and kind not in _KINDS:
        raise AwsError("InvalidParameterValue", f"Invalid snapshot type: {kind}")
    wanted = [
        (one.get("Name", ""), {value.lower() for value in one.get("Values", [])})
        for one in parameters.get("Filters", [])
    ]
    for name, parameter in (("db-instance-id", "DBInstanceIdentifier"), ("dbi-resource-id", "DbiResourceId")):
        if parameters.get(parameter):
            wanted.append((name, {parameters[parameter].lower()}))
    for name, _ in wanted:
        if name not in _FILTERS:
            raise AwsError("InvalidParameterValue", f"Unrecognized filter name: {name}")
    return lambda one: (
        kind in (None, one.kind) and all(values & set(_FILTERS[name](one)) for name, values in wanted)
    )
