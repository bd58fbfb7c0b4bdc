"""Which backups lead to a point in time; refuses, as AWS does, a time that none of them leads to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from drdrill.aws.errors import AwsError
from drdrill.core.errors import DrdrillError

if TYPE_CHECKING:
    from datetime import datetime

    from drdrill.aws.protocol import Parameters
    from drdrill.aws.rds.backups_log import ArchivedLog
    from drdrill.aws.rds.model import InstanceRecord
    from drdrill.aws.rds.region import RdsRegion
    from drdrill.aws.rds.snapshots import SnapshotRecord


class RestoreFailedError(DrdrillError):
    """A backup does not become a database: it is damaged, or leads nowhere. Another try would end no better."""


@dataclass(frozen=True, slots=True)
class RestoredFrom:
    """What an instance was made of, as it was when it was asked for.

    Everything that was committed by `begin` is in it, and nothing that was after `end`; a point in time is both.
    `at_ns`: when it was asked for, on the boot-time clock, at `at` of the wall clock. `latest` and `last_segment`: how
    far the log was archived then.
    """

    source: str
    source_resource_id: str
    kind: str
    base: str
    base_finished: datetime | None
    begin: datetime
    end: datetime
    at_ns: int
    at: datetime
    latest: datetime | None = None
    last_segment: str = ""


@dataclass(frozen=True, slots=True)
class RestorePoint:
    """A time, and what is replayed to get there: a base backup that was finished before it, then the log."""

    at: datetime
    base: SnapshotRecord
    log: ArchivedLog

    @property
    def instance(self) -> InstanceRecord:
        """The source, as it was when its log was last stored."""
        return self.log.instance


def find_restore_point(parameters: Parameters, region: RdsRegion) -> RestorePoint:
    """Return what leads to the time that is asked for; raises what AWS raises."""
    wanted, newest = parameters.get("RestoreTime"), parameters.get("UseLatestRestorableTime", False)
    if (wanted is not None) == newest:
        which = "Only one" if newest else "One"
        text = f"{which} of RestoreTime and UseLatestRestorableTime must be specified."
        raise AwsError("InvalidParameterCombination", text)
    log = _find_log(parameters, region)
    earliest, latest = log.earliest(), log.latest
    if earliest is None or latest is None:
        text = f"{log.instance.identifier} has no restorable time yet: its first automated backup is being taken."
        raise AwsError("InvalidDBInstanceState", text)
    at = latest if newest else wanted
    assert at is not None  # noqa: S101  (one of both was given)
    if not earliest <= at <= latest:
        text = (
            f"The specified time {at.isoformat()} cannot be restored: {log.instance.identifier} can be restored to "
            f"times from {earliest.isoformat()} to {latest.isoformat()}."
        )
        raise AwsError("InvalidParameterValue", text)
    finished = [one for one in log.base_backups() if one.finished_at is not None and one.finished_at <= at]
    return RestorePoint(at, finished[-1], log)


def _find_log(parameters: Parameters, region: RdsRegion) -> ArchivedLog:
    """Return the log of the instance that is named: by its own name while it is there, else by its resource id."""
    name, resource_id = parameters.get("SourceDBInstanceIdentifier"), parameters.get("SourceDbiResourceId")
    if name:
        record = region.find(name).record
        log = region.logs_archived.find(record.resource_id)
        if log is None:
            text = (
                f"Point in time restore is not enabled for {record.identifier}: it has no automated backups."
            )
            raise AwsError("PointInTimeRestoreNotEnabled", text)
        return log
    if not resource_id:
        text = "SourceDBInstanceIdentifier or SourceDbiResourceId must be specified."
        raise AwsError("InvalidParameterCombination", text)
    log = region.logs_archived.find(resource_id)
    if log is None:
        text = f"There is no automated backup of {resource_id}."
        raise AwsError("DBInstanceAutomatedBackupNotFound", text, status=404)
    return log
