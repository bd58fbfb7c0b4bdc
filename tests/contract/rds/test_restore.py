"""Automated backups, restores to a point in time and from snapshots, as AWS documents them.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIT.html
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithAutomatedBackups.html
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.core.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.rds.conftest import NewInstance, Query

pytestmark = pytest.mark.drill
Described = dict[str, Any]
SOURCE = "contract-source"
_WITHIN = timedelta(minutes=12)  # AWS stores the log every 5 minutes
_EVERY = timedelta(milliseconds=500)


@pytest.fixture(scope="module")
def source(rds: Any, new_instance: NewInstance, query: Query) -> Described:
    """Return an instance with automated backups and a table."""
    made = new_instance(rds, DBInstanceIdentifier=SOURCE, BackupRetentionPeriod=7)
    query(made["Endpoint"]["Address"], "create table said (word text not null)")
    return made


@pytest.fixture(scope="module")
def say(source: Described, query: Query) -> Callable[[str], datetime]:
    """Return what writes a word into the source; it returns a time right after the commit, by the server's clock."""

    def write(word: str) -> datetime:
        endpoint = source["Endpoint"]["Address"]
        query(endpoint, f"insert into said values ('{word}')")  # noqa: S608  (a word of ours)
        at = query(
            endpoint, "select to_char(clock_timestamp() at time zone 'utc', 'YYYY-MM-DD HH24:MI:SS.US')"
        )
        return datetime.fromisoformat(at).replace(tzinfo=UTC)

    return write


@pytest.fixture(scope="module")
def restorable(rds: Any) -> Callable[[datetime], datetime]:
    """Return what waits until the source can be restored to a time, and returns the latest one to which it can be."""

    def wait(at: datetime) -> datetime:
        def look() -> datetime | None:
            (described,) = rds.describe_db_instances(DBInstanceIdentifier=SOURCE)["DBInstances"]
            latest: datetime | None = described.get("LatestRestorableTime")
            return latest if latest and latest >= at else None

        latest = wait_until(look, what=f"a LatestRestorableTime after {at}", within=_WITHIN, every=_EVERY)
        assert latest is not None
        return latest

    return wait


@pytest.fixture(scope="module")
def restored(rds: Any, patience: dict[str, int]) -> Callable[[str], Described]:
    """Return what waits for a new instance and describes it."""

    def wait(identifier: str) -> Described:
        rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier=identifier, WaiterConfig=patience)
        described: Described = rds.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"][0]
        return described

    return wait


def test_an_automated_backup_is_taken_at_once(
    rds: Any, source: Described, restorable: Callable[[datetime], datetime]
) -> None:
    """With a retention there is an automated snapshot from the beginning, and a window of times to restore to.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBInstanceAutomatedBackups.html
    """
    latest = restorable(source["InstanceCreateTime"])
    assert source["BackupRetentionPeriod"] == 7
    (snapshot,) = rds.describe_db_snapshots(DBInstanceIdentifier=SOURCE, SnapshotType="automated")[
        "DBSnapshots"
    ]
    assert snapshot["DBSnapshotIdentifier"].startswith(f"rds:{SOURCE}-")
    assert snapshot["Status"] == "available"
    (backup,) = rds.describe_db_instance_automated_backups(DBInstanceIdentifier=SOURCE)[
        "DBInstanceAutomatedBackups"
    ]
    assert (backup["Status"], backup["DbiResourceId"]) == ("active", source["DbiResourceId"])
    window = backup["RestoreWindow"]
    assert source["InstanceCreateTime"] <= window["EarliestTime"] <= latest <= window["LatestTime"]


def test_to_a_point_in_time(
    rds: Any,
    say: Callable[[str], datetime],
    restorable: Callable[[datetime], datetime],
    restored: Callable[[str], Described],
    query: Query,
) -> None:
    """What was committed before the time is there, what came after is not; name, endpoint and server are new ones.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_RestoreDBInstanceToPointInTime.html
    """
    wanted = say("before")
    restorable(say("after"))
    rds.restore_db_instance_to_point_in_time(
        SourceDBInstanceIdentifier=SOURCE, TargetDBInstanceIdentifier="contract-earlier", RestoreTime=wanted
    )
    made = restored("contract-earlier")
    endpoint = made["Endpoint"]["Address"]
    words = query(endpoint, "select word from said").splitlines()
    assert "before" in words
    assert "after" not in words
    query(endpoint, "insert into said values ('in the restored one')")
    assert (made["MultiAZ"], made["MasterUsername"]) == (False, "owner")
    (now,) = rds.describe_db_instances(DBInstanceIdentifier=SOURCE)["DBInstances"]
    assert now["Endpoint"]["Address"] != endpoint
    assert query(now["Endpoint"]["Address"], "select count(*) from said where word like 'in the%'") == "0"


def test_to_the_latest_restorable_time(
    rds: Any,
    say: Callable[[str], datetime],
    restorable: Callable[[datetime], datetime],
    restored: Callable[[str], Described],
    query: Query,
) -> None:
    """Everything that was committed before LatestRestorableTime is there.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_RestoreDBInstanceToPointInTime.html
    """
    restorable(say("just now"))
    rds.restore_db_instance_to_point_in_time(
        SourceDBInstanceIdentifier=SOURCE,
        TargetDBInstanceIdentifier="contract-latest",
        UseLatestRestorableTime=True,
        MultiAZ=True,
        DBInstanceClass="db.r6g.xlarge",
        BackupRetentionPeriod=0,
    )
    made = restored("contract-latest")
    assert (made["MultiAZ"], made["DBInstanceClass"]) == (True, "db.r6g.xlarge")
    assert made["AvailabilityZone"] != made["SecondaryAvailabilityZone"]
    assert "just now" in query(made["Endpoint"]["Address"], "select word from said").splitlines()
    events = rds.describe_events(SourceType="db-instance", SourceIdentifier="contract-latest")["Events"]
    assert f"Restored from DB instance {SOURCE} to contract-latest" in [one["Message"] for one in events]


def test_times_that_cannot_be(rds: Any, restorable: Callable[[datetime], datetime]) -> None:
    """Before the first backup, after the latest restorable time, none, or both ways of saying it: refused.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_RestoreDBInstanceToPointInTime.html
    """
    latest = restorable(datetime(2020, 1, 1, tzinfo=UTC))
    for wrong, code in (
        ({"RestoreTime": latest - timedelta(days=40)}, "InvalidParameterValue"),
        ({"RestoreTime": latest + timedelta(days=1)}, "InvalidParameterValue"),
        ({}, "InvalidParameterCombination"),
        ({"RestoreTime": latest, "UseLatestRestorableTime": True}, "InvalidParameterCombination"),
    ):
        with pytest.raises(rds.exceptions.ClientError) as caught:
            rds.restore_db_instance_to_point_in_time(
                SourceDBInstanceIdentifier=SOURCE, TargetDBInstanceIdentifier="contract-never", **wrong
            )
        assert caught.value.response["Error"]["Code"] == code, wrong
    with pytest.raises(rds.exceptions.DBInstanceNotFoundFault):
        rds.describe_db_instances(DBInstanceIdentifier="contract-never")


def test_sources_and_targets_that_cannot_be(rds: Any, source: Described) -> None:
    """A source that is not there, one that is not named, a name that is taken: AWS's own errors.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_RestoreDBInstanceToPointInTime.html
    """
    restore = rds.restore_db_instance_to_point_in_time
    latest = {"UseLatestRestorableTime": True}
    with pytest.raises(rds.exceptions.DBInstanceNotFoundFault):
        restore(SourceDBInstanceIdentifier="nobody", TargetDBInstanceIdentifier="contract-never", **latest)
    with pytest.raises(rds.exceptions.DBInstanceAutomatedBackupNotFoundFault):
        restore(SourceDbiResourceId="db-NOBODY", TargetDBInstanceIdentifier="contract-never", **latest)
    with pytest.raises(rds.exceptions.DBInstanceAlreadyExistsFault):
        restore(SourceDbiResourceId=source["DbiResourceId"], TargetDBInstanceIdentifier=SOURCE, **latest)
    with pytest.raises(rds.exceptions.ClientError, match="InvalidParameterCombination"):
        restore(TargetDBInstanceIdentifier="contract-never", **latest)


def test_a_retention_that_changes(rds: Any, new_instance: NewInstance, patience: dict[str, int]) -> None:
    """With a retention of 0 there are no automated backups; one above 0 begins them, and 0 removes them again.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithAutomatedBackups.Enabling.html
    """
    named = {"DBInstanceIdentifier": "contract-changed"}
    made = new_instance(rds, **named, BackupRetentionPeriod=0)
    assert (made["BackupRetentionPeriod"], "LatestRestorableTime" in made) == (0, False)
    with pytest.raises(rds.exceptions.PointInTimeRestoreNotEnabledFault):
        rds.restore_db_instance_to_point_in_time(
            SourceDBInstanceIdentifier="contract-changed",
            TargetDBInstanceIdentifier="contract-never",
            UseLatestRestorableTime=True,
        )

    def read_status() -> list[str]:
        rds.get_waiter("db_instance_available").wait(**named, WaiterConfig=patience)
        listed = rds.describe_db_instance_automated_backups(**named)["DBInstanceAutomatedBackups"]
        return [one["Status"] for one in listed]

    assert read_status() == []
    for days, expected in ((1, ["active"]), (0, [])):
        rds.modify_db_instance(**named, BackupRetentionPeriod=days, ApplyImmediately=True)
        wait_until(
            lambda expected=expected: read_status() == expected,  # type: ignore[misc]
            what=f"backups that are {expected}",
            within=_WITHIN,
            every=_EVERY,
        )
    assert rds.describe_db_snapshots(**named, SnapshotType="automated")["DBSnapshots"] == []


def test_backups_that_outlive_their_instance(  # noqa: PLR0917  (fixtures have no order)
    rds: Any,
    source: Described,
    say: Callable[[str], datetime],
    restorable: Callable[[datetime], datetime],
    restored: Callable[[str], Described],
    query: Query,
    patience: dict[str, int],
) -> None:
    """Retained automated backups of a deleted instance restore it by its resource id, until they are deleted, too.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithAutomatedBackups.Retaining.html
    """
    restorable(say("at the end"))
    rds.delete_db_instance(DBInstanceIdentifier=SOURCE, SkipFinalSnapshot=True, DeleteAutomatedBackups=False)
    rds.get_waiter("db_instance_deleted").wait(DBInstanceIdentifier=SOURCE, WaiterConfig=patience)
    named = {"DbiResourceId": source["DbiResourceId"]}
    (backup,) = rds.describe_db_instance_automated_backups(**named)["DBInstanceAutomatedBackups"]
    assert backup["Status"] == "retained"
    rds.restore_db_instance_to_point_in_time(
        SourceDbiResourceId=source["DbiResourceId"],
        TargetDBInstanceIdentifier="contract-again",
        UseLatestRestorableTime=True,
    )
    rds.delete_db_instance_automated_backup(**named)  # what was begun goes on
    assert rds.describe_db_instance_automated_backups(**named)["DBInstanceAutomatedBackups"] == []
    endpoint = restored("contract-again")["Endpoint"]["Address"]
    assert "at the end" in query(endpoint, "select word from said").splitlines()


def test_a_restore_across_a_failover(
    rds: Any,
    new_instance: NewInstance,
    restored: Callable[[str], Described],
    query: Query,
    patience: dict[str, int],
) -> None:
    """The archive goes on over a failover: rows from before and from after it are restored.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.MultiAZSingleStandby.html
    """
    name = "contract-failed-over"
    endpoint = new_instance(rds, DBInstanceIdentifier=name, MultiAZ=True)["Endpoint"]["Address"]
    query(endpoint, "create table said (word text not null)")
    query(endpoint, "insert into said values ('by the first')")
    rds.reboot_db_instance(DBInstanceIdentifier=name, ForceFailover=True)
    rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier=name, WaiterConfig=patience)
    query(endpoint, "insert into said values ('by the second')")
    written = datetime.now(UTC)

    def restorable() -> bool:
        (described,) = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
        return bool(described["LatestRestorableTime"] >= written)

    wait_until(restorable, what="a LatestRestorableTime after the failover", within=_WITHIN, every=_EVERY)
    rds.restore_db_instance_to_point_in_time(
        SourceDBInstanceIdentifier=name, TargetDBInstanceIdentifier="contract-both", RestoreTime=written
    )
    made = restored("contract-both")
    words = query(made["Endpoint"]["Address"], "select word from said").splitlines()
    assert words == ["by the first", "by the second"]
