"""How an instance's backups are kept, with a server that fails or is not there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from drdrill.aws.rds.backups import BackupKeeper
from drdrill.aws.rds.backups_log import ArchivedLog
from drdrill.aws.rds.model import InstanceRecord, RdsSettings, Status
from drdrill.aws.rds.region import RdsRegion
from drdrill.aws.rds.snapshots import SnapshotKind, SnapshotStatus, begin_snapshot
from drdrill.core.errors import EnvironmentFailedError
from drdrill.core.waiting import wait_until
from drdrill.mirror.backup_store import FolderStore
from tests.aws.places import AllGroups, AllKeys, FewSubnets

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from drdrill.aws.ports import Fleet, Names
    from drdrill.aws.rds.instance import Instance

NOW = datetime(2026, 3, 10, tzinfo=UTC)
DAY = timedelta(days=1)
LABEL = "START WAL LOCATION: 0/{number:X}000028 (file 0000000100000000000000{number:02X})\n"
RECORD = InstanceRecord(
    identifier="orders", resource_id="db-ABC", region="eu-west-1", instance_class="db.r6g.large",
    allocated_storage=20, engine_version="18.1", master_username="somebody", database=None, multi_az=False,
    publicly_accessible=False, deletion_protection=False, endpoint="e", status=Status.AVAILABLE,
    backup_retention_days=7,
)  # fmt: skip


class StandingClock:
    """A clock that stands still."""

    def now_ns(self) -> int:
        """Return a time."""
        return 0

    def utc(self) -> datetime:
        """Return a date."""
        return NOW

    def sleep(self, seconds: float) -> None:
        """Do not."""


@dataclass
class Machines:
    """A fleet of no machines, with a store of backups."""

    backups: FolderStore
    region: str = "eu-west-1"
    zones: tuple[str, ...] = ("a", "b")


class FailingServer:
    """A server whose base backups are not whole."""

    def back_up(self, folder: Path) -> None:
        """Fail after a part of it."""
        folder.mkdir()
        raise EnvironmentFailedError("host orders-1 has no power.")


@dataclass
class Served:
    """An instance without machines: its record changes as a real one's does; `archives` is where its log goes."""

    region: RdsRegion
    record: InstanceRecord = RECORD
    primary: FailingServer = field(default_factory=FailingServer)
    archives: list[Path | None] = field(default_factory=list)

    def set(self, **changes: Any) -> None:
        """Change the record."""
        self.record = replace(self.record, **changes)

    def change_if(
        self, allowed: tuple[Status, ...], change: Callable[[InstanceRecord], InstanceRecord]
    ) -> bool:
        """Change the record if its status is an allowed one."""
        if self.record.status not in allowed:
            return False
        self.record = change(self.record)
        return True

    def archive_to(self, folder: Path | None) -> None:
        """Note where the log goes."""
        self.archives.append(folder)

    def tell(self, *_: str) -> None:
        """Do nothing."""


@pytest.fixture
def instance(tmp_path: Path) -> Served:
    """Return an instance with a failing server."""
    region = RdsRegion(
        cast("Fleet", Machines(FolderStore(tmp_path / "backups"))),
        cast("Names", None),
        RdsSettings(timedelta(seconds=2), fencing=True, asynchronous_delay=None, disk_bytes=1),
        StandingClock(),
        tmp_path,
        subnets=FewSubnets(),
        keys=AllKeys(),
        security_groups=AllGroups(),
    )
    return Served(region)


@pytest.mark.parametrize("meanwhile", [Status.BACKING_UP, Status.DELETING])
def test_a_snapshot_that_fails(instance: Served, meanwhile: Status) -> None:
    """The snapshot is `failed`; the instance is available again, and what was to follow the snapshot does not."""
    keeper = BackupKeeper(cast("Instance", instance))
    snapshot = begin_snapshot(instance.region, RECORD, "last", SnapshotKind.MANUAL)
    done: list[str] = []
    assert keeper.take(snapshot, meanwhile=meanwhile, then=lambda: done.append("deleted"))
    wait_until(
        lambda: instance.record.status is Status.AVAILABLE,
        what="the end of the attempt",
        within=timedelta(seconds=10),
        every=timedelta(milliseconds=5),
    )
    assert instance.region.snapshots.find("last").status is SnapshotStatus.FAILED
    assert done == []
    said = [event.message for event in instance.region.events()]
    assert said == ["Creating manual snapshot", "Snapshot failed: host orders-1 has no power."]


def test_a_busy_instance(instance: Served) -> None:
    """An instance that is not available is left as it is."""
    keeper = BackupKeeper(cast("Instance", instance))
    snapshot = begin_snapshot(instance.region, RECORD, "never", SnapshotKind.MANUAL)
    instance.set(status=Status.REBOOTING)
    assert not keeper.take(snapshot, meanwhile=Status.BACKING_UP)
    assert instance.record.status is Status.REBOOTING


@pytest.mark.parametrize("retained", [False, True])
def test_the_end_of_an_instance(instance: Served, retained: bool) -> None:
    """Archived log and base backups go with the instance, or are retained for who asks for them by resource id."""
    keeper = BackupKeeper(cast("Instance", instance))
    keeper.apply_retention()
    (log,) = instance.region.logs_archived.all()
    assert instance.archives == [log.folder.path]
    keeper.retain_automated = retained
    keeper.end()
    assert [one.retained for one in instance.region.logs_archived.all()] == [True] * retained
    assert log.folder.path.exists() is retained


def test_a_name_that_an_earlier_instance_has_taken(instance: Served) -> None:
    """The backup of a new instance is begun at once, also in the minute of one that had its name before."""
    begin_snapshot(instance.region, RECORD, "rds:orders-2026-03-10-00-00", SnapshotKind.AUTOMATED)
    keeper = BackupKeeper(cast("Instance", instance))
    keeper.apply_retention()
    keeper.start()
    try:
        wait_until(
            lambda: [one for one in instance.region.events() if one.source_type == "db-snapshot"],
            what="a backup", within=timedelta(seconds=10), every=timedelta(milliseconds=5),
        )  # fmt: skip
    finally:
        keeper.end()
    assert instance.region.events()[0].identifier == "rds:orders-2026-03-10-00-00-00"


def test_a_retention_that_ends(instance: Served) -> None:
    """With a retention of 0 the log is archived nowhere, and nothing says that it could be restored."""
    keeper = BackupKeeper(cast("Instance", instance))
    keeper.apply_retention()
    instance.set(backup_retention_days=0, latest_restorable=NOW)
    keeper.apply_retention()
    assert instance.archives[-1] is None
    assert instance.record.latest_restorable is None
    assert instance.region.logs_archived.all() == ()


def test_what_is_older_than_the_retention(instance: Served) -> None:
    """The base backups of the retention's days stay, and the one before them, with the log from there on."""
    region = instance.region
    log = ArchivedLog(region, RECORD)
    for days in range(12):
        name = f"rds:orders-{days}"
        snapshot = begin_snapshot(region, RECORD, name, SnapshotKind.AUTOMATED)
        snapshot.data.mkdir()
        (snapshot.data / "backup_label").write_text(LABEL.format(number=20 - days), encoding="utf-8")
        at = NOW - days * DAY
        region.snapshots.change(
            name, status=SnapshotStatus.AVAILABLE, created_at=at - DAY / 2, finished_at=at - DAY / 2
        )
        (log.folder.path / f"0000000100000000000000{20 - days:02X}").touch()

    log.remove_older_than(NOW - 7 * DAY)

    assert [one.identifier for one in log.base_backups()] == [
        f"rds:orders-{days}" for days in range(7, -1, -1)
    ]
    assert min(path.name for path in log.folder.path.iterdir()) == "00000001000000000000000D"
