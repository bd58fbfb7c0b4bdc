"""The archived logs of a region's DB instances, also of deleted ones whose automated backups are retained."""

from __future__ import annotations

import secrets
import threading
from typing import TYPE_CHECKING

from drdrill.aws.rds.backups_folder import SharedFolder
from drdrill.aws.rds.snapshots import SnapshotKind, SnapshotStatus
from drdrill.dataplane.postgresql_backup import read_first_segment

if TYPE_CHECKING:
    from datetime import datetime

    from drdrill.aws.rds.model import InstanceRecord
    from drdrill.aws.rds.region import RdsRegion
    from drdrill.aws.rds.snapshots import SnapshotRecord

_SEGMENT_NAME = 24  # timeline and position in hexadecimal digits, 8 of them the timeline's
_TIMELINE = 8
_RANDOM_BYTES = 6


class ArchivedLog:
    """What is archived of one instance's log. `latest`: everything until then is; `instance`: as it was then."""

    def __init__(self, region: RdsRegion, instance: InstanceRecord) -> None:
        self._region = region
        self.instance = instance
        self.folder = SharedFolder(region.fleet.backups, f"log-{secrets.token_hex(_RANDOM_BYTES)}")
        self.latest: datetime | None = None
        self.retained = False

    def __repr__(self) -> str:
        return f"ArchivedLog({self.instance.resource_id}, {self.latest})"

    def base_backups(self) -> list[SnapshotRecord]:
        """Return the automated snapshots from which it can be replayed, oldest first."""
        taken = [
            one
            for one in self._region.snapshots.all()
            if one.instance.resource_id == self.instance.resource_id
            and one.kind is SnapshotKind.AUTOMATED
            and one.status is SnapshotStatus.AVAILABLE
        ]
        return sorted(taken, key=lambda one: one.created_at)

    def earliest(self) -> datetime | None:
        """Return the first time that can be restored; None: none can be yet."""
        return next((one.finished_at for one in self.base_backups()), None)

    def note(self, latest: datetime, instance: InstanceRecord) -> None:
        """Be told until when everything is archived now."""
        self.latest, self.instance = latest, instance

    def remove_older_than(self, begin: datetime) -> None:
        """Keep the base backups since a time, and the one before: the first hours are restored from that."""
        backups = self.base_backups()
        needed = max((one.created_at for one in backups if one.created_at <= begin), default=begin)
        for one in backups:
            if one.created_at < needed:
                self._region.snapshots.remove(one.identifier)
        for first in self.base_backups()[:1]:
            self.drop_before(read_first_segment(first.data))

    def drop_before(self, segment: str) -> None:
        """Remove the segments before one that is the first that is still needed, whatever their timelines."""
        for path in self.folder.path.iterdir():
            name = path.name[:_SEGMENT_NAME]
            if len(name) == _SEGMENT_NAME and name[_TIMELINE:] < segment[_TIMELINE:]:
                path.unlink(missing_ok=True)

    def find_last_segment(self) -> str:
        """Return the name of the last segment that is archived, `` while none is."""
        names = (path.name for path in self.folder.path.iterdir())
        return max((name for name in names if len(name) == _SEGMENT_NAME), default="")

    def discard(self) -> None:
        """Remove it, with its base backups."""
        for snapshot in self.base_backups():
            self._region.snapshots.remove(snapshot.identifier)
        self._region.logs_archived.remove(self)
        self.folder.discard()


class ArchivedLogs:
    """Those of a region by the resource id of their instances. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._logs: dict[str, ArchivedLog] = {}

    def all(self) -> tuple[ArchivedLog, ...]:
        """Return all of them."""
        with self._lock:
            return tuple(self._logs.values())

    def find(self, resource_id: str) -> ArchivedLog | None:
        """Return that of an instance, deleted or not; None: it has no automated backups."""
        with self._lock:
            return self._logs.get(resource_id.upper().replace("DB-", "db-", 1))

    def add(self, log: ArchivedLog) -> None:
        """Enter a new one."""
        with self._lock:
            self._logs[log.instance.resource_id] = log

    def remove(self, log: ArchivedLog) -> None:
        """Take one off the list; harmless when it is not on it."""
        with self._lock:
            self._logs.pop(log.instance.resource_id, None)
