"""Snapshots, archived logs and keys of a region, without a server behind them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from drdrill.aws.errors import AwsError
from drdrill.aws.rds.backups_log import ArchivedLog
from drdrill.aws.rds.backups_operations import AutomatedBackupOperations
from drdrill.aws.rds.deletion import read_deletion
from drdrill.aws.rds.keys import name_key, read_key
from drdrill.aws.rds.model import InstanceRecord, RdsSettings, Status
from drdrill.aws.rds.region import RdsRegion
from drdrill.aws.rds.restore_point import find_restore_point
from drdrill.aws.rds.snapshots import SnapshotKind, SnapshotRecord, SnapshotStatus, begin_snapshot
from drdrill.aws.rds.snapshots_copy import SnapshotCopyOperations
from drdrill.aws.rds.snapshots_operations import SnapshotOperations
from drdrill.core.clock import SystemClock
from drdrill.mirror.backup_store import FolderStore
from tests.aws.places import AllGroups, AllKeys, FewSubnets

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.aws.ports import Fleet, Names
    from drdrill.aws.rds.reconciler import Reconciler

HOME, AWAY = "eu-west-1", "eu-central-1"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
RECORD = InstanceRecord(
    identifier="orders", resource_id="db-ABC", region=HOME, instance_class="db.r6g.large",
    allocated_storage=20, engine_version="18.1", master_username="somebody", database=None, multi_az=False,
    publicly_accessible=False, deletion_protection=False, endpoint="e", status=Status.AVAILABLE,
    backup_retention_days=7,
)  # fmt: skip


@dataclass
class Machines:
    """A fleet of no machines, with a store of backups."""

    backups: FolderStore
    region: str = HOME
    zones: tuple[str, ...] = ("a", "b")


@dataclass
class Instance:
    """A reconciler without servers."""

    record: InstanceRecord = RECORD
    taken: list[str] = field(default_factory=list)


@pytest.fixture
def region(tmp_path: Path) -> RdsRegion:
    """Return a region in which `orders` is, beside one without anything."""
    made = {
        name: RdsRegion(
            cast("Fleet", Machines(FolderStore(tmp_path / name), name)),
            cast("Names", None),
            RdsSettings(timedelta(seconds=2), fencing=True, asynchronous_delay=None, disk_bytes=1),
            SystemClock(),
            tmp_path,
            subnets=FewSubnets(),
            keys=AllKeys(name),
            security_groups=AllGroups(),
        )
        for name in (HOME, AWAY)
    }
    for one in made.values():
        one.elsewhere = made
    made[HOME].add("orders", lambda: cast("Reconciler", Instance()))
    return made[HOME]


def _take(
    region: RdsRegion, name: str, kind: SnapshotKind = SnapshotKind.MANUAL, **changes: Any
) -> SnapshotRecord:
    begin_snapshot(region, RECORD, name, kind)
    whole = {"status": SnapshotStatus.AVAILABLE, "finished_at": NOON, "created_at": NOON}
    return region.snapshots.change(name, **{**whole, **changes})


def _code(caught: pytest.ExceptionInfo[AwsError]) -> str:
    return caught.value.code


def test_a_page_of_snapshots(region: RdsRegion) -> None:
    """A page holds as many as are asked for, and its marker leads to the rest."""
    names = [f"s{number:02}" for number in range(25)]
    for name in names:
        _take(region, name)
    operations = SnapshotOperations(region)
    first = operations.describe_db_snapshots({"MaxRecords": 20})
    second = operations.describe_db_snapshots({"MaxRecords": 20, "Marker": first["Marker"]})
    listed = [one["DBSnapshotIdentifier"] for one in (*first["DBSnapshots"], *second["DBSnapshots"])]
    assert listed == names
    assert "Marker" not in second


def test_automated_snapshots_are_not_deleted_by_hand(region: RdsRegion) -> None:
    """An automated snapshot goes with its retention, not by DeleteDBSnapshot; one that is being taken, neither."""
    _take(region, "rds:orders-1", SnapshotKind.AUTOMATED)
    _take(region, "unfinished", status=SnapshotStatus.CREATING)
    for name in ("rds:orders-1", "unfinished"):
        with pytest.raises(AwsError) as caught:
            SnapshotOperations(region).delete_db_snapshot({"DBSnapshotIdentifier": name})
        assert _code(caught) == "InvalidDBSnapshotState"
        assert region.snapshots.find(name)


def test_a_snapshot_that_is_read_stays_until_it_was_read(region: RdsRegion) -> None:
    """The bytes of a deleted snapshot go when its last reader has done; nobody begins to read it any more."""
    snapshot = _take(region, "read")
    assert snapshot.folder.hold()
    region.snapshots.remove("read")
    assert snapshot.folder.path.exists()
    assert not snapshot.folder.hold()
    snapshot.folder.let_go()
    assert not snapshot.folder.path.exists()


def test_a_busy_instance_gives_no_snapshot(region: RdsRegion) -> None:
    """Nothing is entered when the instance is not available."""
    instance = cast("Instance", region.find("orders"))
    instance.record = replace(RECORD, status=Status.REBOOTING)
    with pytest.raises(AwsError) as caught:
        SnapshotOperations(region).create_db_snapshot(
            {"DBInstanceIdentifier": "orders", "DBSnapshotIdentifier": "never"}
        )
    assert _code(caught) == "InvalidDBInstanceState"
    assert region.snapshots.all() == ()


@pytest.mark.parametrize(
    ("changes", "asked", "code"),
    [
        ({"status": SnapshotStatus.CREATING}, {}, "InvalidDBSnapshotState"),
        ({}, {"SourceDBSnapshotIdentifier": "arn:aws:rds:us-west-2:0:snapshot:it"}, "DBSnapshotNotFound"),
        ({}, {"SourceDBSnapshotIdentifier": "arn:nonsense"}, "DBSnapshotNotFound"),
        ({}, {"TargetDBSnapshotIdentifier": "it"}, "DBSnapshotAlreadyExists"),
        ({}, {"TargetDBSnapshotIdentifier": "rds:it"}, "InvalidParameterValue"),
        ({}, {"OptionGroupName": "some"}, "NotImplemented"),
        ({}, {"KmsKeyId": "no key"}, "KMSKeyNotAccessibleFault"),
    ],
)
def test_copies_that_cannot_be(
    region: RdsRegion, changes: dict[str, Any], asked: dict[str, Any], code: str
) -> None:
    """A copy of what is not whole or not there, under a wrong name or key, is refused; nothing is left of it."""
    _take(region, "it", **changes)
    wanted = {"SourceDBSnapshotIdentifier": "it", "TargetDBSnapshotIdentifier": "copy", **asked}
    with pytest.raises(AwsError) as caught:
        SnapshotCopyOperations(region).copy_db_snapshot(wanted)
    assert _code(caught) == code
    assert [one.identifier for one in region.snapshots.all()] == ["it"]


def test_a_key_for_another_region(region: RdsRegion) -> None:
    """An encrypted snapshot without a key of the region where it is to go fails in AWS's words."""
    source = _take(region, "secret", kms_key=name_key("alias/mine", region))
    away = SnapshotCopyOperations(region.elsewhere[AWAY])
    wanted = {"SourceDBSnapshotIdentifier": source.arn, "TargetDBSnapshotIdentifier": "copy"}
    with pytest.raises(AwsError, match="Must specify new KMS key for cross region") as caught:
        away.copy_db_snapshot(wanted)
    assert _code(caught) == "InvalidParameterValue"
    with pytest.raises(AwsError) as caught:
        away.copy_db_snapshot({**wanted, "KmsKeyId": source.kms_key})
    assert _code(caught) == "KMSKeyNotAccessibleFault"


def test_names_of_keys(region: RdsRegion) -> None:
    """A key is named by ARN, id or alias; without one, it is the region's own; it has to be one of the region's."""
    away = region.elsewhere[AWAY]
    key = "1234abcd-12ab-34cd-56ef-1234567890ab"
    arn = f"arn:aws:kms:{HOME}:000000000000:key/{key}"
    assert name_key(key, region) == name_key(arn, region) == arn
    assert name_key("alias/a", region) == name_key(f"arn:aws:kms:{HOME}:000000000000:alias/a", region)
    assert name_key("alias/a", region) != name_key("alias/a", away)
    assert read_key({}, region) is None
    assert read_key({"StorageEncrypted": True}, region) == name_key("alias/aws/rds", region)
    with pytest.raises(AwsError) as caught:
        read_key({"KmsKeyId": key}, region)
    assert _code(caught) == "InvalidParameterCombination"
    region.keys = AllKeys(HOME, missing=frozenset({key}))
    for wrong in (key, f"arn:aws:kms:{AWAY}:000000000000:key/{key}", "no key"):
        with pytest.raises(AwsError) as caught:
            name_key(wrong, region)
        assert _code(caught) == "KMSKeyNotAccessibleFault"


@pytest.mark.parametrize(
    ("changes", "asked", "code"),
    [
        ({"deletion_protection": True}, {"SkipFinalSnapshot": True}, "InvalidParameterCombination"),
        ({}, {}, "InvalidParameterCombination"),
        (
            {},
            {"SkipFinalSnapshot": True, "FinalDBSnapshotIdentifier": "last"},
            "InvalidParameterCombination",
        ),
        ({}, {"FinalDBSnapshotIdentifier": "not--one"}, "InvalidParameterValue"),
        ({"source_arn": "a"}, {"FinalDBSnapshotIdentifier": "last"}, "InvalidParameterCombination"),
    ],
)
def test_deletions_that_cannot_be(changes: dict[str, Any], asked: dict[str, Any], code: str) -> None:
    """A final snapshot is named or skipped, not both and not neither; a protected instance stays."""
    with pytest.raises(AwsError) as caught:
        read_deletion(asked, replace(RECORD, **changes))
    assert _code(caught) == code


@pytest.fixture
def log(region: RdsRegion) -> ArchivedLog:
    """Return the log of `orders`, archived until 15:00, with base backups finished at 12:00 and 14:00."""
    made = ArchivedLog(region, RECORD)
    region.logs_archived.add(made)
    for name, hours in (("rds:orders-a", 0), ("rds:orders-b", 2)):
        at = NOON + hours * HOUR
        _take(region, name, SnapshotKind.AUTOMATED, created_at=at, finished_at=at)
    made.note(NOON + 3 * HOUR, RECORD)
    return made


@pytest.mark.parametrize(
    ("at", "base"),
    [(0, "rds:orders-a"), (1.99, "rds:orders-a"), (2, "rds:orders-b"), (3, "rds:orders-b")],
)
def test_the_base_backup_before_a_time(region: RdsRegion, log: ArchivedLog, at: float, base: str) -> None:
    """A time is reached from the newest base backup that was finished by then."""
    wanted = {"SourceDBInstanceIdentifier": "orders", "RestoreTime": NOON + at * HOUR}
    point = find_restore_point(wanted, region)
    assert (point.base.identifier, point.log) == (base, log)


@pytest.mark.parametrize("hours", [-0.001, 3.001])
def test_a_time_outside_of_the_window(region: RdsRegion, log: ArchivedLog, hours: float) -> None:
    """Before the first base backup's end and after the end of the archived log nothing can be restored."""
    wanted = {"SourceDbiResourceId": log.instance.resource_id, "RestoreTime": NOON + hours * HOUR}
    with pytest.raises(AwsError, match="can be restored to times from 2026-03-01T12:00") as caught:
        find_restore_point(wanted, region)
    assert _code(caught) == "InvalidParameterValue"


def test_before_the_first_base_backup(region: RdsRegion) -> None:
    """An instance whose first base backup is being taken has backups that are `creating`, and no time to restore to."""
    region.logs_archived.add(ArchivedLog(region, RECORD))
    with pytest.raises(AwsError) as caught:
        find_restore_point({"SourceDBInstanceIdentifier": "orders", "UseLatestRestorableTime": True}, region)
    assert _code(caught) == "InvalidDBInstanceState"
    (described,) = AutomatedBackupOperations(region).describe_db_instance_automated_backups({})[
        "DBInstanceAutomatedBackups"
    ]
    assert described["Status"] == "creating"


def test_retained_backups_are_deleted_by_hand(region: RdsRegion, log: ArchivedLog) -> None:
    """Automated backups of an instance that is there are not deleted; retained ones go with their base backups."""
    operations = AutomatedBackupOperations(region)
    named = {"DbiResourceId": log.instance.resource_id.lower()}
    with pytest.raises(AwsError) as caught:
        operations.delete_db_instance_automated_backup(named)
    assert _code(caught) == "InvalidDBInstanceAutomatedBackupState"
    log.retained = True
    operations.delete_db_instance_automated_backup(named)
    assert region.snapshots.all() == ()
    assert not log.folder.path.exists()
    with pytest.raises(AwsError) as caught:
        operations.delete_db_instance_automated_backup(named)
    assert _code(caught) == "DBInstanceAutomatedBackupNotFound"


def test_filters_of_automated_backups(region: RdsRegion, log: ArchivedLog) -> None:
    """They are found by status, by instance and by resource id."""
    describe = AutomatedBackupOperations(region).describe_db_instance_automated_backups

    def find(name: str, value: str) -> int:
        filters = [{"Name": name, "Values": [value]}]
        return len(describe({"Filters": filters})["DBInstanceAutomatedBackups"])

    assert find("status", "active") == find("db-instance-id", "Orders") == 1
    assert find("dbi-resource-id", log.instance.resource_id) == 1
    assert find("status", "retained") == find("db-instance-id", "nobody") == 0
    with pytest.raises(AwsError) as caught:
        find("colour", "red")
    assert _code(caught) == "InvalidParameterValue"


def test_segments_that_nobody_needs_any_more(log: ArchivedLog) -> None:
    """What lies before the first segment of the oldest base backup goes, on every timeline; histories stay."""
    names = (
        "000000010000000000000003", "000000010000000000000004", "000000020000000000000003.partial",
        "000000020000000000000005", "00000002.history",
    )  # fmt: skip
    for name in names:
        (log.folder.path / name).touch()
    log.drop_before("000000010000000000000004")
    left = {path.name for path in log.folder.path.iterdir()}
    assert left == {"00000002.history", "000000010000000000000004", "000000020000000000000005"}
