"""The RDS API of one region: what each operation checks, changes and answers, in AWS's words."""

from __future__ import annotations

import hashlib
import secrets
import threading
from typing import TYPE_CHECKING, Any

from drdrill.aws.errors import AwsError, NotImplementedInMirrorError
from drdrill.aws.rds.creation import check_create
from drdrill.aws.rds.events import describe_event, read_event_request
from drdrill.aws.rds.listing import read_filters, select_page
from drdrill.aws.rds.model import EventRecord, InstanceRecord, RdsSettings, Status
from drdrill.aws.rds.reconciler import Reconciler
from drdrill.dataplane.postgresql_programs import PORT, read_version

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from drdrill.aws.ports import Fleet, Names
    from drdrill.aws.protocol import Parameters
    from drdrill.core.clock import Clock
    from drdrill.dataplane.postgresql import ReplicationReading

_EVENTS_KEPT = 1000


class RdsService:
    """RDS in one region. Thread-safe: the gate calls from many threads."""

    name = "rds"

    def __init__(self, fleet: Fleet, names: Names, settings: RdsSettings, clock: Clock, logs: Path) -> None:
        self._fleet = fleet
        self._names = names
        self._settings = settings
        self._clock = clock
        self._logs = logs
        self._engine_version = read_version()
        self._lock = threading.Lock()
        self._instances: dict[str, Reconciler] = {}
        self._events: list[EventRecord] = []
        self.on_reading: Callable[[str, str, int, ReplicationReading | None, str | None], None] = lambda *_: (
            None
        )

    def operations(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations that are implemented."""
        return {
            "CreateDBInstance": self.create_db_instance,
            "DescribeDBInstances": self.describe_db_instances,
            "RebootDBInstance": self.reboot_db_instance,
            "DeleteDBInstance": self.delete_db_instance,
            "DescribeEvents": self.describe_events,
        }

    def find(self, identifier: str) -> Reconciler:
        """Return the reconciler of an instance; raises AWS's DBInstanceNotFound."""
        with self._lock:
            reconciler = self._instances.get(identifier.lower())
        if reconciler is None:
            raise AwsError("DBInstanceNotFound", f"DBInstance {identifier} not found.", status=404)
        return reconciler

    def instances(self) -> tuple[Reconciler, ...]:
        """Return the reconcilers of all instances."""
        with self._lock:
            return tuple(self._instances.values())

    def events(self) -> tuple[EventRecord, ...]:
        """Return all events that are kept, oldest first."""
        with self._lock:
            return tuple(self._events)

    # -- operations ------------------------------------------------------------------------------------------

    def create_db_instance(self, parameters: Parameters) -> Mapping[str, Any]:
        """Start to create an instance; it is `creating` until its primary accepts writes and its standby is in sync."""
        check_create(parameters, self._engine_version)
        identifier = str(parameters["DBInstanceIdentifier"]).lower()
        account_hash = hashlib.sha256(self._fleet.region.encode()).hexdigest()[:12]
        record = InstanceRecord(
            identifier=identifier,
            resource_id="db-" + secrets.token_hex(13).upper(),
            region=self._fleet.region,
            instance_class=parameters["DBInstanceClass"],
            allocated_storage=parameters.get("AllocatedStorage", 20),
            engine_version=self._engine_version,
            master_username=parameters["MasterUsername"],
            database=parameters.get("DBName"),
            multi_az=parameters.get("MultiAZ", False),
            publicly_accessible=parameters.get("PubliclyAccessible", False),
            deletion_protection=parameters.get("DeletionProtection", False),
            endpoint=f"{identifier}.{account_hash}.{self._fleet.region}.rds.amazonaws.com",
            tags=tuple((tag["Key"], tag.get("Value", "")) for tag in parameters.get("Tags", [])),
        )
        with self._lock:
            if identifier in self._instances:
                raise AwsError("DBInstanceAlreadyExists", "DB instance already exists")
            reconciler = Reconciler(
                record,
                password=parameters["MasterUserPassword"],
                fleet=self._fleet,
                names=self._names,
                settings=self._settings,
                clock=self._clock,
                logs=self._logs,
                on_event=self._keep_event,
                on_reading=lambda *reading: self.on_reading(record.arn, *reading),
            )
            self._instances[identifier] = reconciler
        return {"DBInstance": describe(record)}

    def describe_db_instances(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe one instance, or all that pass the filters, as they are now."""
        wanted = parameters.get("DBInstanceIdentifier")
        passes = read_filters(parameters)
        found = (self._find_by_name_or_arn(wanted),) if wanted else self.instances()
        records = (record for reconciler in found if passes(record := reconciler.record))
        page, more = select_page(records, parameters, key=lambda record: record.identifier)
        return {"DBInstances": [describe(record) for record in page], **more}

    def _find_by_name_or_arn(self, wanted: str) -> Reconciler:
        for reconciler in self.instances():
            if reconciler.record.arn == wanted.lower():
                return reconciler
        return self.find(wanted)

    def reboot_db_instance(self, parameters: Parameters) -> Mapping[str, Any]:
        """Restart an instance, or fail it over to its standby."""
        reconciler = self.find(parameters["DBInstanceIdentifier"])
        record = reconciler.record
        if record.status is not Status.AVAILABLE:
            raise _not_available(record)
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
        if not reconciler.request("fail over" if forced else "reboot", allowed=(Status.AVAILABLE,)):
            raise _not_available(reconciler.record)
        return {"DBInstance": describe(reconciler.record)}

    def delete_db_instance(self, parameters: Parameters) -> Mapping[str, Any]:
        """Delete an instance; without a final snapshot, which the mirror cannot take yet."""
        reconciler = self.find(parameters["DBInstanceIdentifier"])
        if reconciler.record.deletion_protection:
            raise AwsError(
                "InvalidParameterCombination",
                "Cannot delete protected DB Instance, please disable deletion protection and try again.",
            )
        if not parameters.get("SkipFinalSnapshot", False):
            if not parameters.get("FinalDBSnapshotIdentifier"):
                raise AwsError(
                    "InvalidParameterCombination",
                    "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.",
                )
            raise NotImplementedInMirrorError(
                "The parameter FinalDBSnapshotIdentifier of rds:DeleteDBInstance"
            )
        if not reconciler.request("delete", allowed=(Status.AVAILABLE, Status.FAILED)):
            raise _not_available(reconciler.record)
        return {"DBInstance": describe(reconciler.record)}

    def describe_events(self, parameters: Parameters) -> Mapping[str, Any]:
        """List events of the last hour, or of the time that is asked for."""
        passes = read_event_request(parameters, now=self._clock.utc())
        page, more = select_page(filter(passes, self.events()), parameters, key=lambda event: event.key)
        return {"Events": [describe_event(event) for event in page], **more}

    def _keep_event(self, event: EventRecord) -> None:
        with self._lock:
            self._events = [*self._events[-_EVENTS_KEPT:], event]
            if event.code == "RDS-EVENT-0003":
                self._instances.pop(event.identifier, None)


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


def _not_available(record: InstanceRecord) -> AwsError:
    return AwsError(
        "InvalidDBInstanceState",
        f"Database instance is not in available state: {record.identifier} is {record.status}.",
    )
