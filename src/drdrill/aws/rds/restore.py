"""New instances from backups: `RestoreDBInstanceFromDBSnapshot` and `RestoreDBInstanceToPointInTime`.

The backup is read by the new instance's own machine, once, while it is created; nothing leads back to the source.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any

import psycopg

from drdrill.aws.errors import AwsError
from drdrill.aws.rds.backups_folder import hold_all
from drdrill.aws.rds.description import describe
from drdrill.aws.rds.instances import make_instance
from drdrill.aws.rds.model import EventRecord
from drdrill.aws.rds.restore_point import RestoredFrom, RestoreFailedError, find_restore_point
from drdrill.aws.rds.restore_request import read_restored
from drdrill.aws.rds.snapshots import SnapshotStatus
from drdrill.core.errors import DrdrillError
from drdrill.dataplane.postgresql_backup import recovery_settings, verify_backup

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from drdrill.aws.protocol import Parameters
    from drdrill.aws.rds.backups_folder import SharedFolder
    from drdrill.aws.rds.backups_log import ArchivedLog
    from drdrill.aws.rds.model import InstanceRecord
    from drdrill.aws.rds.region import RdsRegion
    from drdrill.aws.rds.snapshots import SnapshotRecord
    from drdrill.dataplane.postgresql import PostgresServer


class RestoreOperations:
    """The operations that make instances of backups."""

    def __init__(self, region: RdsRegion) -> None:
        self._region = region

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {
            "RestoreDBInstanceFromDBSnapshot": self.restore_db_instance_from_db_snapshot,
            "RestoreDBInstanceToPointInTime": self.restore_db_instance_to_point_in_time,
        }

    def restore_db_instance_from_db_snapshot(self, parameters: Parameters) -> Mapping[str, Any]:
        """Start to create an instance with the data of a snapshot."""
        name = parameters.get("DBSnapshotIdentifier")
        if not name:
            raise AwsError("InvalidParameterCombination", "DBSnapshotIdentifier must be specified.")
        snapshot = self._region.snapshots.find(name)
        if snapshot.status is not SnapshotStatus.AVAILABLE:
            text = f"The snapshot {snapshot.identifier} is not in the available state: {snapshot.status}."
            raise AwsError("InvalidDBSnapshotState", text)
        identifier = parameters["DBInstanceIdentifier"]
        source = replace(snapshot.instance, kms_key=snapshot.kms_key)
        record = read_restored(
            parameters, self._region, source, identifier, "RestoreDBInstanceFromDBSnapshot"
        )
        told = ("RDS-EVENT-0043", f"Restored from snapshot {snapshot.identifier}")
        described = self._restore(record, (snapshot.folder,), snapshot.data, None, told)
        self._note(record, snapshot, (snapshot.created_at, snapshot.finished_at or snapshot.created_at))
        return described

    def restore_db_instance_to_point_in_time(self, parameters: Parameters) -> Mapping[str, Any]:
        """Start to create an instance with the data that another one had at a time."""
        point = find_restore_point(parameters, self._region)
        identifier = parameters["TargetDBInstanceIdentifier"]
        record = read_restored(
            parameters, self._region, point.instance, identifier, "RestoreDBInstanceToPointInTime"
        )
        log = point.log.folder
        recovery = recovery_settings(log.path, point.at)
        told = (
            "RDS-EVENT-0019",
            f"Restored from DB instance {point.instance.identifier} to {record.identifier}",
        )
        described = self._restore(record, (point.base.folder, log), point.base.data, recovery, told)
        self._note(record, point.base, (point.at, point.at), point.log)
        return described

    def _note(
        self,
        record: InstanceRecord,
        base: SnapshotRecord,
        span: tuple[datetime, datetime],
        log: ArchivedLog | None = None,
    ) -> None:
        """Keep what an instance is made of, for those who have to prove it."""
        source, clock = log.instance if log else base.instance, self._region.clock
        self._region.restored[record.resource_id] = RestoredFrom(
            source=source.identifier,
            source_resource_id=source.resource_id,
            kind="point_in_time" if log else "snapshot",
            base=base.identifier,
            base_finished=base.finished_at,
            begin=span[0],
            end=span[1],
            at_ns=clock.now_ns(),
            at=clock.utc(),
            latest=log.latest if log else None,
            last_segment=log.find_last_segment() if log else "",
        )

    def _restore(
        self,
        record: InstanceRecord,
        folders: tuple[SharedFolder, ...],
        backup: Path,
        recovery: Mapping[str, str] | None,
        told: tuple[str, str],
    ) -> Mapping[str, Any]:
        """Enter the instance; what it reads stays until it was read, whatever is deleted meanwhile."""
        region = self._region
        if not hold_all(folders):
            raise AwsError("DBSnapshotNotFound", "The backup was deleted just now.", status=404)
        machines = count(1)

        def fill(server: PostgresServer) -> None:
            # What another machine begins with anew may have been deleted since the first one had it.
            if next(machines) > 1 and not hold_all(folders):
                raise RestoreFailedError("the backup was deleted before another machine had read it")
            try:
                verify_backup(backup)
                server.start_from(backup, recovery)
            except (DrdrillError, psycopg.Error, OSError) as error:
                if not server.host.powered:
                    raise
                raise RestoreFailedError(str(error)) from error
            finally:
                for folder in folders:
                    folder.let_go()
            region.keep_event(EventRecord.of(record, *told, "restoration", clock=region.clock))

        try:
            region.add(record.identifier, lambda: make_instance(record, region, origin=fill))
        except AwsError:
            for folder in folders:
                folder.let_go()
            raise
        return {"DBInstance": describe(record, self._region)}
