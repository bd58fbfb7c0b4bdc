"""Operations on DB instances themselves: create, describe, reboot, delete."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from drdrill.aws.errors import AwsError
from drdrill.aws.rds.creation import check_create
from drdrill.aws.rds.deletion import read_deletion
from drdrill.aws.rds.description import describe
from drdrill.aws.rds.keys import read_key
from drdrill.aws.rds.listing import read_filters, select_page
from drdrill.aws.rds.maintenance import choose_window
from drdrill.aws.rds.model import InstanceRecord, Status, name_endpoint
from drdrill.aws.rds.reconciler import Reconciler
from drdrill.aws.rds.security_groups import read_security_groups
from drdrill.aws.rds.snapshots import SnapshotKind, begin_snapshot
from drdrill.aws.rds.tags import read_tags

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.protocol import Parameters
    from drdrill.aws.rds.region import RdsRegion
    from drdrill.dataplane.postgresql import PostgresServer

_REBOOTABLE = (Status.AVAILABLE, Status.INCOMPATIBLE_PARAMETERS)
_DELETABLE = (
    *_REBOOTABLE, Status.FAILED, Status.STORAGE_FULL, Status.STOPPED, Status.INCOMPATIBLE_RESTORE,
)  # fmt: skip


class InstanceOperations:
    """The operations on the instances of one region."""

    def __init__(self, region: RdsRegion) -> None:
        self._region = region

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {
            "CreateDBInstance": self.create_db_instance,
            "DescribeDBInstances": self.describe_db_instances,
            "RebootDBInstance": self.reboot_db_instance,
            "DeleteDBInstance": self.delete_db_instance,
        }

    def create_db_instance(self, parameters: Parameters) -> Mapping[str, Any]:
        """Start to create an instance; it is `creating` until its primary accepts writes and its standby is in sync."""
        check_create(parameters, self._region.engine_version)
        identifier = str(parameters["DBInstanceIdentifier"]).lower()
        resource_id = "db-" + secrets.token_hex(13).upper()
        record = InstanceRecord(
            identifier=identifier,
            resource_id=resource_id,
            region=self._region.name,
            instance_class=parameters["DBInstanceClass"],
            allocated_storage=parameters.get("AllocatedStorage", 20),
            engine_version=self._region.engine_version,
            master_username=parameters["MasterUsername"],
            database=parameters.get("DBName"),
            multi_az=parameters.get("MultiAZ", False),
            publicly_accessible=parameters.get("PubliclyAccessible", False),
            deletion_protection=parameters.get("DeletionProtection", False),
            endpoint=name_endpoint(identifier, self._region.name),
            backup_retention_days=parameters.get("BackupRetentionPeriod", 1),  # AWS's default
            kms_key=read_key(parameters, self._region),
            tags=read_tags(parameters),
            maintenance_window=parameters.get("PreferredMaintenanceWindow", "").lower()
            or choose_window(resource_id),
            auto_minor_version_upgrade=parameters.get("AutoMinorVersionUpgrade", True),
            parameter_group=self._region.parameter_groups.find(
                parameters.get("DBParameterGroupName", "")
            ).name,
            subnet_group=self._find_subnet_group(parameters),
            security_groups=read_security_groups(parameters, self._region),
        )
        password = str(parameters["MasterUserPassword"])

        def fill(server: PostgresServer) -> None:
            server.initialise()
            server.start()
            server.create_roles(
                master_user=record.master_username, master_password=password, database=record.database
            )

        self._region.add(identifier, lambda: make_instance(record, self._region, origin=fill))
        return {"DBInstance": describe(record, self._region)}

    def _find_subnet_group(self, parameters: Parameters) -> str | None:
        wanted = parameters.get("DBSubnetGroupName")
        return self._region.subnet_groups.find(wanted).name if wanted else None

    def describe_db_instances(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe one instance, or all that pass the filters, as they are now."""
        wanted = parameters.get("DBInstanceIdentifier")
        passes = read_filters(parameters)
        found = (self._region.find(wanted),) if wanted else self._region.instances()
        records = (record for reconciler in found if passes(record := reconciler.record))
        page, more = select_page(records, parameters, key=lambda record: record.identifier)
        return {"DBInstances": [describe(record, self._region) for record in page], **more}

    def reboot_db_instance(self, parameters: Parameters) -> Mapping[str, Any]:
        """Restart an instance, or fail it over to its standby."""
        reconciler = self._region.find(parameters["DBInstanceIdentifier"])
        record = reconciler.record
        if record.status not in _REBOOTABLE:
            raise not_available(record)
        forced = parameters.get("ForceFailover", False)
        if forced and not record.multi_az:
            raise AwsError(
                "InvalidParameterCombination",
                "Cannot specify ForceFailover: the DB instance is not a Multi-AZ deployment.",
            )
        if forced and not reconciler.can_fail_over:
            raise AwsError(
                "InvalidDBInstanceState",
                f"Cannot fail over {record.identifier}: its standby is being made, and has not all rows yet.",
            )
        if not reconciler.request("fail over" if forced else "reboot", allowed=_REBOOTABLE):
            raise not_available(reconciler.record)
        return {"DBInstance": describe(reconciler.record, self._region)}

    def delete_db_instance(self, parameters: Parameters) -> Mapping[str, Any]:
        """Delete an instance; with a final snapshot only when that is whole."""
        reconciler = self._region.find(parameters["DBInstanceIdentifier"])
        final = read_deletion(parameters, reconciler.record)
        reconciler.backups.retain_automated = not parameters.get("DeleteAutomatedBackups", True)
        if final is None:
            if not reconciler.request("delete", allowed=_DELETABLE):
                raise not_available(reconciler.record)
            return {"DBInstance": describe(reconciler.record, self._region)}
        snapshot = begin_snapshot(self._region, reconciler.record, final, SnapshotKind.MANUAL)

        def delete() -> None:
            reconciler.request("delete", allowed=(Status.DELETING,))

        if not reconciler.backups.take(snapshot, meanwhile=Status.DELETING, then=delete):
            self._region.snapshots.withdraw(final)
            raise not_available(reconciler.record)
        return {"DBInstance": describe(reconciler.record, self._region)}


def make_instance(
    record: InstanceRecord, region: RdsRegion, *, origin: Callable[[PostgresServer], None] | Reconciler
) -> Reconciler:
    """Return the reconciler of a new instance, which begins at once; see `Reconciler` for its `origin`."""
    return Reconciler(
        record,
        region,
        origin=origin,
        on_reading=lambda *reading: region.on_reading(record.resource_id, *reading),
    )


def not_available(record: InstanceRecord) -> AwsError:
    """Return AWS's error for an instance that is busy or failed."""
    return AwsError(
        "InvalidDBInstanceState",
        f"Database instance is not in available state: {record.identifier} is {record.status}.",
    )
