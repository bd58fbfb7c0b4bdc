"""Backups of one DB instance: snapshots of it, and its automated backups, a base backup a day and the archived log.

A thread of its own: a backup takes its time, and the loss of the primary is to be noticed meanwhile.

::

    retention 0 ──▶ archiving ──base backup──▶ restorable ──every `log_upload`──▶ restorable until then
         ◀──────────────── retention set to 0, or the instance deleted ─────────────────┘
"""

from __future__ import annotations

import logging
import threading
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg

from drdrill.aws.errors import AwsError
from drdrill.aws.rds.backups_log import ArchivedLog
from drdrill.aws.rds.model import Status
from drdrill.aws.rds.snapshots import SnapshotKind, SnapshotStatus, begin_snapshot, tell_snapshot
from drdrill.core.errors import DrdrillError
from drdrill.core.waiting import wait_until
from drdrill.dataplane.postgresql_backup import close_segment, verify_backup
from drdrill.dataplane.postgresql_programs import ADMINISTRATOR

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.aws.rds.instance import Instance
    from drdrill.aws.rds.snapshots import SnapshotRecord

_logger = logging.getLogger(__name__)
_BASE_BACKUP_EVERY = timedelta(days=1)
_ARCHIVED_WITHIN = timedelta(seconds=30)  # measured 0.05 s
_POLL = timedelta(milliseconds=20)
_AT_REST = (Status.STOPPING, Status.STOPPED)
_FAILURES = (DrdrillError, psycopg.Error, OSError, AwsError)


class BackupKeeper:
    """Takes an instance's backups and removes those that are too old."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._region = instance.region
        self._stopped = threading.Event()
        self._woken = threading.Event()
        self._log: ArchivedLog | None = None
        self._thread = threading.Thread(
            target=self._keep, name=f"backups-{instance.record.identifier}", daemon=True
        )
        self.retain_automated = False  # after the instance's deletion

    # -- snapshots that somebody asks for --------------------------------------------------------------------

    def take(
        self, snapshot: SnapshotRecord, *, meanwhile: Status, then: Callable[[], object] = lambda: None
    ) -> bool:
        """Begin to take a snapshot that was entered, if the instance is available; `then`: when it is whole.

        `meanwhile` is the instance's status until then; if it fails, the instance is available again.
        """
        if not self._instance.change_if(
            (Status.AVAILABLE,), lambda record: replace(record, status=meanwhile)
        ):
            return False

        def write() -> None:
            whole = self._write(snapshot)
            if not (whole and meanwhile is Status.DELETING):
                self._become_available(meanwhile)
            if whole:
                then()

        threading.Thread(target=write, name=f"snapshot-{snapshot.identifier}", daemon=True).start()
        return True

    def _write(self, snapshot: SnapshotRecord) -> bool:
        """Write a base backup of the primary, read it back, and say how it went."""
        region, manual = self._region, snapshot.kind is SnapshotKind.MANUAL
        text = f"Creating {snapshot.kind} snapshot"
        tell_snapshot(region, snapshot, "RDS-EVENT-0040" if manual else "RDS-EVENT-0090", text, "creation")
        try:
            primary = self._instance.primary
            if primary is None:
                raise AwsError("InvalidDBInstanceState", "The instance has no server now.")
            primary.back_up(snapshot.data)
            verify_backup(snapshot.data)
        except _FAILURES as error:
            _logger.warning("the snapshot %s was not taken: %s", snapshot.identifier, error)
            region.snapshots.change(snapshot.identifier, status=SnapshotStatus.FAILED)
            tell_snapshot(region, snapshot, "MIRROR-SNAPSHOT-FAILED", f"Snapshot failed: {error}", "failure")
            return False
        finished = region.clock.utc()
        region.snapshots.change(snapshot.identifier, status=SnapshotStatus.AVAILABLE, finished_at=finished)
        text = f"{snapshot.kind.capitalize()} snapshot created"
        tell_snapshot(region, snapshot, "RDS-EVENT-0042" if manual else "RDS-EVENT-0091", text, "creation")
        return True

    def _become_available(self, meanwhile: Status) -> None:
        self._instance.change_if((meanwhile,), lambda record: replace(record, status=Status.AVAILABLE))

    # -- automated backups -----------------------------------------------------------------------------------

    @property
    def wanted(self) -> bool:
        """Whether the instance is to have automated backups. A read replica begins when it is promoted."""
        record = self._instance.record
        return record.backup_retention_days > 0 and record.source_arn is None

    def apply_retention(self) -> None:
        """Begin or end to archive the log, as the instance's retention says. On the reconciler's thread alone.

        Raises psycopg's error when a server does not answer: then it has to be called again.
        """
        if self.wanted and self._log is None:
            log = ArchivedLog(self._region, self._instance.record)
            try:
                self._instance.archive_to(log.folder.path)
            except psycopg.Error:
                log.folder.discard()
                raise
            self._region.logs_archived.add(log)
            self._log = log
            self._woken.set()
        elif not self.wanted and self._log is not None:
            self._instance.archive_to(None)
            self._instance.set(latest_restorable=None)
            self._log.discard()
            self._log = None

    def start(self) -> None:
        """Begin to keep automated backups, as far as the instance's retention asks for them."""
        self._thread.start()

    def end(self) -> None:
        """Stop: the instance is being deleted. What was archived goes with it, or is retained."""
        self._stopped.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._log is not None and self.retain_automated:
            self._log.retained = True
        elif self._log is not None:
            self._log.discard()

    def _keep(self) -> None:
        every = self._region.settings.log_upload.total_seconds()
        while not self._stopped.is_set():
            try:
                self._look()
            except _FAILURES as error:  # the primary is away: the next look finds it, or its successor
                _logger.warning("no backup of %s now: %s", self._instance.record.identifier, error)
            self._woken.wait(every)
            self._woken.clear()

    def _look(self) -> None:
        """Look once at what is to be backed up, and do it."""
        log = self._log
        if log is None or not self.wanted or self._instance.record.status in _AT_REST:
            return
        newest = next(reversed(log.base_backups()), None)
        if newest is None or self._region.clock.utc() - newest.created_at > _BASE_BACKUP_EVERY:
            self._take_base_backup(log, first=newest is None)
        if log.base_backups():
            self._store_log(log)

    def _take_base_backup(self, log: ArchivedLog, *, first: bool) -> None:
        """Take the day's base backup and remove what is too old; not while something else is done."""
        instance, region = self._instance, self._region
        allowed = (Status.AVAILABLE, Status.BACKING_UP) if first else (Status.AVAILABLE,)
        if not instance.change_if(allowed, lambda record: replace(record, status=Status.BACKING_UP)):
            return
        try:
            instance.tell("RDS-EVENT-0001", "Backing up DB instance", "backup")
            name = self._name_base_backup()
            snapshot = begin_snapshot(region, instance.record, name, SnapshotKind.AUTOMATED)
            if not self._write(snapshot):
                region.snapshots.remove(name)
                return
            instance.tell("RDS-EVENT-0002", "Finished DB Instance backup", "backup")
            days = timedelta(days=instance.record.backup_retention_days)
            log.remove_older_than(region.clock.utc() - days)
        finally:
            self._become_available(Status.BACKING_UP)

    def _name_base_backup(self) -> str:
        """Return a name as AWS gives it; another one where an instance that had this name before has taken it."""
        now = self._region.clock.utc()
        name = f"rds:{self._instance.record.identifier}-{now:%Y-%m-%d-%H-%M}"
        taken = any(one.identifier == name for one in self._region.snapshots.all())
        return f"{name}-{now:%S}" if taken else name

    def _store_log(self, log: ArchivedLog) -> None:
        """Close the log's open segment, wait until it is archived, and say until when one can restore now."""
        primary = self._instance.primary
        if primary is None:
            return
        with closing(primary.connect(ADMINISTRATOR)) as connection:
            connection.execute("set synchronous_commit = local")
            at, segment = close_segment(connection)
        path = log.folder.path / segment
        what = f"the segment {segment} in the archive"
        wait_until(
            lambda: path.exists() or self._stopped.is_set(), what=what, within=_ARCHIVED_WITHIN, every=_POLL
        )
        if path.exists():
            self._instance.set(latest_restorable=at)
            log.note(at, self._instance.record)
