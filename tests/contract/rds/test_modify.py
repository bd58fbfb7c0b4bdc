"""`ModifyDBInstance`: what it changes is changed in the database that clients reach, and nothing is said before.

https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.DBInstance.Modifying.html
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.core.errors import CommandFailedError
from drdrill.core.waiting import wait_until

if TYPE_CHECKING:
    from tests.contract.rds.conftest import NewInstance, Query

pytestmark = pytest.mark.drill
_WITHIN = timedelta(seconds=90)  # measured 1 to 5 s
_EVERY = timedelta(milliseconds=100)
ANOTHER = "another-long-one"


@pytest.fixture(scope="module")
def instance(rds: Any, new_instance: NewInstance) -> str:
    """Return the name of an instance in one zone."""
    return str(new_instance(rds)["DBInstanceIdentifier"])


def _describe(rds: Any, instance: str) -> dict[str, Any]:
    described: dict[str, Any] = rds.describe_db_instances(DBInstanceIdentifier=instance)["DBInstances"][0]
    return described


def _modify(rds: Any, instance: str, *, immediately: bool = True, **changes: object) -> dict[str, Any]:
    modified: dict[str, Any] = rds.modify_db_instance(
        DBInstanceIdentifier=instance, ApplyImmediately=immediately, **changes
    )["DBInstance"]
    return modified


def _await_available(rds: Any, instance: str) -> dict[str, Any]:
    return _await_status(rds, instance, "available")


def _await_status(rds: Any, instance: str, status: str) -> dict[str, Any]:
    def said() -> dict[str, Any] | None:
        described = _describe(rds, instance)
        return described if described["DBInstanceStatus"] == status else None

    described = wait_until(said, what=f"{instance} {status}", within=_WITHIN, every=_EVERY)
    assert described is not None
    return described


def _refused(rds: Any, instance: str, **changes: Any) -> str:
    with pytest.raises(rds.exceptions.ClientError) as caught:
        _modify(rds, instance, **changes)
    return str(caught.value.response["Error"]["Code"])


def test_to_multi_az_and_back(rds: Any, instance: str, query: Query) -> None:
    """A standby is in another zone when the instance is available again, and gone when it is one of one zone again.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.MultiAZ.Migrating.html
    """
    asked = _modify(rds, instance, MultiAZ=True)
    assert (asked["DBInstanceStatus"], asked["MultiAZ"]) == ("modifying", False)
    assert asked["PendingModifiedValues"] == {"MultiAZ": True}
    query(asked["Endpoint"]["Address"], "create table kept (id int); insert into kept values (1)")
    there = _await_available(rds, instance)
    assert (there["MultiAZ"], there["PendingModifiedValues"]) == (True, {})
    assert there["SecondaryAvailabilityZone"] not in (None, there["AvailabilityZone"])

    rds.reboot_db_instance(DBInstanceIdentifier=instance, ForceFailover=True)
    after = _await_available(rds, instance)
    assert after["AvailabilityZone"] == there["SecondaryAvailabilityZone"]
    assert query(after["Endpoint"]["Address"], "select id from kept") == "1"
    wait_until(
        lambda: "SecondaryAvailabilityZone" in _describe(rds, instance),
        what="a new standby",
        within=_WITHIN,
        every=_EVERY,
    )

    assert _modify(rds, instance, MultiAZ=False)["DBInstanceStatus"] == "modifying"
    back = _await_available(rds, instance)
    assert (back["MultiAZ"], "SecondaryAvailabilityZone" in back) == (False, False)
    assert query(back["Endpoint"]["Address"], "insert into kept values (2) returning id") == "2"
    with pytest.raises(rds.exceptions.ClientError, match="not a Multi-AZ"):
        rds.reboot_db_instance(DBInstanceIdentifier=instance, ForceFailover=True)


def test_another_class(rds: Any, instance: str, query: Query) -> None:
    """The class is pending until the outage that another one takes is over.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.DBInstance.Modifying.html
    """
    endpoint = _describe(rds, instance)["Endpoint"]["Address"]
    started = query(endpoint, "select pg_postmaster_start_time()")
    asked = _modify(rds, instance, DBInstanceClass="db.r6g.xlarge")
    assert asked["PendingModifiedValues"] == {"DBInstanceClass": "db.r6g.xlarge"}
    assert asked["DBInstanceClass"] == "db.r6g.large"
    assert _await_available(rds, instance)["DBInstanceClass"] == "db.r6g.xlarge"
    assert query(endpoint, "select pg_postmaster_start_time()") != started


def test_more_storage(rds: Any, instance: str) -> None:
    """Storage grows by at least a tenth, and never shrinks.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html
    """
    _modify(rds, instance, AllocatedStorage=21)
    assert _await_available(rds, instance)["AllocatedStorage"] == 22
    assert _refused(rds, instance, AllocatedStorage=20) == "InvalidParameterCombination"


def test_another_password(rds: Any, instance: str, query: Query) -> None:
    """The new password opens the database and the old one does not; it does not wait for the maintenance window.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.DBInstance.Modifying.Settings.html
    """
    asked = _modify(rds, instance, immediately=False, MasterUserPassword=ANOTHER)
    assert asked["DBInstanceStatus"] == "resetting-master-credentials"
    assert ANOTHER not in str(asked)
    endpoint = _await_available(rds, instance)["Endpoint"]["Address"]
    assert query(endpoint, "select 1", password=ANOTHER) == "1"
    with pytest.raises(CommandFailedError, match="password authentication failed"):
        query(endpoint, "select 1")
    _modify(rds, instance, MasterUserPassword="correct-horse-battery")
    _await_available(rds, instance)
    assert query(endpoint, "select 1") == "1"


def test_another_name(rds: Any, instance: str, query: Query) -> None:
    """The endpoint follows the name: the new one leads to the same rows, the old one to nothing.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_RenameInstance.html
    """
    before = _describe(rds, instance)
    new = f"renamed-{secrets.token_hex(3)}"
    query(before["Endpoint"]["Address"], "create table named (said text); insert into named values ('here')")
    asked = _modify(rds, instance, NewDBInstanceIdentifier=new.upper())
    assert (asked["DBInstanceStatus"], asked["PendingModifiedValues"]) == (
        "renaming",
        {"DBInstanceIdentifier": new},
    )
    wait_until(
        lambda: new in [one["DBInstanceIdentifier"] for one in rds.describe_db_instances()["DBInstances"]],
        what="the new name",
        within=_WITHIN,
        every=_EVERY,
    )
    after = _await_available(rds, new)
    assert after["DbiResourceId"] == before["DbiResourceId"]
    assert after["DBInstanceArn"] == before["DBInstanceArn"].replace(instance, new)
    assert after["Endpoint"]["Address"] == before["Endpoint"]["Address"].replace(instance, new)
    assert query(after["Endpoint"]["Address"], "select said from named") == "here"
    with pytest.raises(rds.exceptions.DBInstanceNotFoundFault):
        _describe(rds, instance)
    with pytest.raises(CommandFailedError, match="could not translate host name"):
        query(before["Endpoint"]["Address"], "select 1")
    _modify(rds, new, NewDBInstanceIdentifier=instance)
    wait_until(
        lambda: (
            instance in [one["DBInstanceIdentifier"] for one in rds.describe_db_instances()["DBInstances"]]
        ),
        what="the old name",
        within=_WITHIN,
        every=_EVERY,
    )
    _await_available(rds, instance)


def _later_window() -> str:
    """Return a maintenance window that is not open for days: one that RDS chooses may be open now."""
    start = datetime.now(UTC) + timedelta(days=3)
    return f"{start:%a:%H:%M}-{start + timedelta(hours=1):%a:%H:%M}"


def test_a_taken_name(rds: Any, instance: str, new_instance: NewInstance) -> None:
    """A name that another instance has, or is going to have, is refused.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html
    """
    other = new_instance(rds, PreferredMaintenanceWindow=_later_window())["DBInstanceIdentifier"]
    assert _refused(rds, instance, NewDBInstanceIdentifier=other) == "DBInstanceAlreadyExists"
    assert _modify(rds, other, immediately=False, NewDBInstanceIdentifier="to-be")[
        "PendingModifiedValues"
    ] == {"DBInstanceIdentifier": "to-be"}
    assert _refused(rds, instance, NewDBInstanceIdentifier="to-be") == "DBInstanceAlreadyExists"
    rds.delete_db_instance(DBInstanceIdentifier=other, SkipFinalSnapshot=True)


def test_pending_until_the_window(rds: Any, instance: str) -> None:
    """What is not applied immediately waits, and is applied when the maintenance window is moved to now.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_UpgradeDBInstance.Maintenance.html
    """
    now, later = datetime.now(UTC), _later_window()
    _modify(rds, instance, PreferredMaintenanceWindow=later)
    asked = _modify(rds, instance, immediately=False, DBInstanceClass="db.r6g.2xlarge", AllocatedStorage=40)
    assert asked["DBInstanceStatus"] == "available"
    pending = {"DBInstanceClass": "db.r6g.2xlarge", "AllocatedStorage": 40}
    assert asked["PendingModifiedValues"] == pending
    rds.reboot_db_instance(DBInstanceIdentifier=instance)
    assert _await_available(rds, instance)["PendingModifiedValues"] == pending
    window = f"{now - timedelta(minutes=5):%a:%H:%M}-{now + timedelta(hours=1):%a:%H:%M}"
    _modify(rds, instance, immediately=False, PreferredMaintenanceWindow=window)
    described = wait_until(
        lambda: (one := _describe(rds, instance))["PendingModifiedValues"] == {} and one,
        what="what was pending",
        within=_WITHIN,
        every=_EVERY,
    )
    assert described
    assert (described["DBInstanceClass"], described["AllocatedStorage"]) == ("db.r6g.2xlarge", 40)
    _modify(rds, instance, PreferredMaintenanceWindow=later)


def test_what_is_true_at_once(rds: Any, instance: str) -> None:
    """Deletion protection and public access are on as soon as the answer is there, and the instance stays available.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.DBInstance.Modifying.Settings.html
    """
    _await_available(rds, instance)
    asked = _modify(rds, instance, immediately=False, DeletionProtection=True, PubliclyAccessible=True)
    assert (asked["DeletionProtection"], asked["PubliclyAccessible"]) == (True, True)
    assert (asked["DBInstanceStatus"], asked["PendingModifiedValues"]) == ("available", {})
    with pytest.raises(rds.exceptions.ClientError, match="deletion protection"):
        rds.delete_db_instance(DBInstanceIdentifier=instance, SkipFinalSnapshot=True)
    _modify(rds, instance, DeletionProtection=False, PubliclyAccessible=False)


def _described_settings(rds: Any, instance: str) -> dict[str, Any]:
    """Describe an instance without the one reading that moves by itself."""
    return {key: value for key, value in _describe(rds, instance).items() if key != "LatestRestorableTime"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"DBInstanceClass": "huge"}, "InvalidParameterValue"),
        ({"AllocatedStorage": 5}, "InvalidParameterCombination"),
        ({"MasterUserPassword": "short"}, "InvalidParameterValue"),
        ({"NewDBInstanceIdentifier": "1st"}, "InvalidParameterValue"),
        ({"BackupRetentionPeriod": 36}, "InvalidParameterValue"),
        ({"PreferredMaintenanceWindow": "sometimes"}, "InvalidParameterValue"),
        ({"PreferredMaintenanceWindow": "sun:05:00-sun:05:10"}, "InvalidParameterValue"),
        ({"EngineVersion": "9.6"}, "InvalidParameterCombination"),
        ({"DBParameterGroupName": "nobodys"}, "DBParameterGroupNotFound"),
    ],
)
def test_wrong_changes(rds: Any, instance: str, changes: dict[str, Any], code: str) -> None:
    """A wrong change gets AWS's error, and nothing changes.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html
    """
    before = _described_settings(rds, instance)
    assert _refused(rds, instance, **changes) == code
    assert _described_settings(rds, instance) == before


def test_a_busy_or_missing_instance(rds: Any, instance: str) -> None:
    """An instance that is being changed takes no further change; one that is not there is not found.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html
    """
    _modify(rds, instance, DBInstanceClass="db.r6g.large")
    assert _refused(rds, instance, AllocatedStorage=100) == "InvalidDBInstanceState"
    _await_available(rds, instance)
    assert _refused(rds, "nobody", AllocatedStorage=100) == "DBInstanceNotFound"


def test_stop_and_start(rds: Any, instance: str, query: Query) -> None:
    """A stopped instance serves nobody and takes no changes; started, it has its rows under the same endpoint.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_StopInstance.html
    """
    _modify(rds, instance, MultiAZ=True)
    endpoint = _await_available(rds, instance)["Endpoint"]["Address"]
    query(endpoint, "create table rested (id int); insert into rested values (1)")
    assert rds.stop_db_instance(DBInstanceIdentifier=instance)["DBInstance"]["DBInstanceStatus"] == "stopping"
    _await_status(rds, instance, "stopped")
    with pytest.raises(CommandFailedError, match="refused"):
        query(endpoint, "select 1")
    assert _refused(rds, instance, MultiAZ=False) == "InvalidDBInstanceState"
    with pytest.raises(rds.exceptions.InvalidDBInstanceStateFault):
        rds.stop_db_instance(DBInstanceIdentifier=instance)
    assert (
        rds.start_db_instance(DBInstanceIdentifier=instance)["DBInstance"]["DBInstanceStatus"] == "starting"
    )
    _await_available(rds, instance)
    assert query(endpoint, "insert into rested values (2); select sum(id) from rested") == "3"
    with pytest.raises(rds.exceptions.InvalidDBInstanceStateFault):
        rds.start_db_instance(DBInstanceIdentifier=instance)
    rds.reboot_db_instance(DBInstanceIdentifier=instance, ForceFailover=True)
    _await_available(rds, instance)
    assert query(endpoint, "select sum(id) from rested") == "3"


def test_more_storage_for_a_full_database(rds: Any, new_instance: NewInstance, query: Query) -> None:
    """An instance whose storage is full says so and takes no rows; with more storage it does, and has all of its own.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html
    """
    made = new_instance(rds, BackupRetentionPeriod=0)
    instance, endpoint = made["DBInstanceIdentifier"], made["Endpoint"]["Address"]
    query(
        endpoint, "create table kept (id int); insert into kept values (1); create table filling (row text)"
    )
    with pytest.raises(CommandFailedError, match=r"No space left on device|server closed the connection"):
        _fill(query, endpoint)
    _await_status(rds, instance, "storage-full")
    assert _refused(rds, instance, DBInstanceClass="db.r6g.xlarge") == "InvalidDBInstanceState"
    _modify(rds, instance, AllocatedStorage=40)
    described = _await_available(rds, instance)
    assert described["AllocatedStorage"] == 40
    assert query(endpoint, "insert into kept values (2); select sum(id) from kept") == "3"
    rds.delete_db_instance(DBInstanceIdentifier=instance, SkipFinalSnapshot=True)


def _fill(query: Query, endpoint: str) -> None:
    """Write rows of a thousand characters until there is no space left."""
    for _ in range(1000):
        query(
            endpoint,
            "insert into filling select repeat(md5(random()::text), 30) from generate_series(1, 50000)",
        )
