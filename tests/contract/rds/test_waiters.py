"""Every waiter that botocore has for instances, replicas and snapshots: it ends when AWS's would, and fails so, too.

https://docs.aws.amazon.com/boto3/latest/reference/services/rds.html#waiters
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import WaiterError

if TYPE_CHECKING:
    from tests.contract.rds.conftest import NewInstance, Query

pytestmark = pytest.mark.drill
SOURCE, REPLICA, FIRST, FINAL = "waited-orders", "waited-reader", "waited-first", "waited-final"


@pytest.fixture(scope="module")
def source(rds: Any, new_instance: NewInstance, query: Query) -> str:
    """Return an instance that `db_instance_available` has waited for, with a row in it."""
    made = new_instance(rds, DBInstanceIdentifier=SOURCE, BackupRetentionPeriod=1)
    assert made["DBInstanceStatus"] in ("available", "backing-up")
    query(made["Endpoint"]["Address"], "create table orders (id int); insert into orders values (1)")
    rds.get_waiter("db_instance_available").wait(
        DBInstanceIdentifier=SOURCE, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )
    return SOURCE


def test_which_waiters_there_are(rds: Any) -> None:
    """These are all that botocore has, besides those of clusters and tenant databases: a new one wants a test here."""
    ours = {name for name in rds.waiter_names if not name.startswith(("db_cluster", "tenant"))}
    assert ours == {
        "db_instance_available", "db_instance_deleted", "db_snapshot_available", "db_snapshot_completed",
        "db_snapshot_deleted",
    }  # fmt: skip


@pytest.mark.parametrize("waiter", ["db_snapshot_available", "db_snapshot_completed"])
def test_a_snapshot(rds: Any, source: str, waiter: str, patience: dict[str, int]) -> None:
    """Both waiters end when a snapshot is whole. For one of them one that is gone is complete: botocore says so."""
    name = f"{FIRST}-{waiter.rpartition('_')[2]}"
    rds.create_db_snapshot(DBSnapshotIdentifier=name, DBInstanceIdentifier=source)
    rds.get_waiter(waiter).wait(DBSnapshotIdentifier=name, WaiterConfig=patience)
    (described,) = rds.describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"]
    assert (described["Status"], described["PercentProgress"]) == ("available", 100)
    rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier=source, WaiterConfig=patience)
    rds.delete_db_snapshot(DBSnapshotIdentifier=name)
    rds.get_waiter("db_snapshot_deleted").wait(DBSnapshotIdentifier=name, WaiterConfig=patience)
    if waiter == "db_snapshot_completed":
        rds.get_waiter(waiter).wait(DBSnapshotIdentifier=name, WaiterConfig=patience)
        return
    with pytest.raises(WaiterError, match="DBSnapshotNotFound"):
        rds.get_waiter(waiter).wait(DBSnapshotIdentifier=name, WaiterConfig=patience)


def test_a_replica(rds: Any, source: str, query: Query, patience: dict[str, int]) -> None:
    """`db_instance_available` ends when a replica serves, `db_instance_deleted` when it is gone."""
    rds.create_db_instance_read_replica(DBInstanceIdentifier=REPLICA, SourceDBInstanceIdentifier=source)
    rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier=REPLICA, WaiterConfig=patience)
    (described,) = rds.describe_db_instances(DBInstanceIdentifier=REPLICA)["DBInstances"]
    assert query(described["Endpoint"]["Address"], "select pg_is_in_recovery()") == "t"
    rds.delete_db_instance(DBInstanceIdentifier=REPLICA, SkipFinalSnapshot=True)
    rds.get_waiter("db_instance_deleted").wait(DBInstanceIdentifier=REPLICA, WaiterConfig=patience)
    with pytest.raises(rds.exceptions.DBInstanceNotFoundFault):
        rds.describe_db_instances(DBInstanceIdentifier=REPLICA)


def test_an_instance_that_is_deleted(rds: Any, source: str, patience: dict[str, int]) -> None:
    """Who waits for an instance to be available that is being deleted is told that this will not be."""
    rds.delete_db_instance(DBInstanceIdentifier=source, FinalDBSnapshotIdentifier=FINAL)
    with pytest.raises(WaiterError, match=r"terminal failure state|DBInstanceNotFound"):
        rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier=source, WaiterConfig=patience)
    rds.get_waiter("db_instance_deleted").wait(DBInstanceIdentifier=source, WaiterConfig=patience)
    rds.get_waiter("db_snapshot_completed").wait(DBSnapshotIdentifier=FINAL, WaiterConfig=patience)
    rds.delete_db_snapshot(DBSnapshotIdentifier=FINAL)
    rds.get_waiter("db_snapshot_deleted").wait(DBSnapshotIdentifier=FINAL, WaiterConfig=patience)
