"""Read replicas: what they hold, how they follow their source, and what becomes of them.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.html
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.XRgn.html
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PostgreSQL.Replication.ReadReplicas.html
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.core.errors import CommandFailedError
from drdrill.core.waiting import wait_until

if TYPE_CHECKING:
    from drdrill.plan.model import Plan
    from tests.contract.rds.conftest import NewInstance, Query

pytestmark = pytest.mark.drill
_WITHIN = timedelta(seconds=90)  # measured 0.1 to 5 s
_EVERY = timedelta(milliseconds=100)


@dataclass(frozen=True)
class Databases:
    """Instances as their users see them, each with the client of its region."""

    query: Query
    patience: dict[str, int]

    def describe(self, rds: Any, name: str) -> dict[str, Any]:
        """Return what AWS says of an instance."""
        described: dict[str, Any] = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
        return described

    def await_available(self, rds: Any, name: str) -> dict[str, Any]:
        """Wait as an SDK's user does."""
        rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier=name, WaiterConfig=self.patience)
        return self.describe(rds, name)

    def replicate(self, rds: Any, source: str, **parameters: object) -> dict[str, Any]:
        """Make a replica and wait until it is available."""
        name = f"replica-{secrets.token_hex(4)}"
        rds.create_db_instance_read_replica(
            DBInstanceIdentifier=name, SourceDBInstanceIdentifier=source, **parameters
        )
        return self.await_available(rds, name)

    def ask(self, instance: dict[str, Any], sql: str) -> str:
        """Run SQL by an instance's endpoint."""
        return self.query(instance["Endpoint"]["Address"], sql)

    def write(self, instance: dict[str, Any]) -> str:
        """Write a row that nobody else writes, and return it."""
        row = secrets.token_hex(8)
        self.ask(instance, f"insert into rows values ('{row}')")  # noqa: S608  (ours)
        return row

    def has(self, instance: dict[str, Any], row: str) -> bool:
        """Say whether an instance has a row."""
        return self.ask(instance, f"select count(*) from rows where row = '{row}'") == "1"  # noqa: S608  (ours)

    def await_row(self, instance: dict[str, Any], row: str) -> None:
        """Wait until an instance has a row."""
        wait_until(lambda: self.has(instance, row), what=f"the row {row}", within=_WITHIN, every=_EVERY)


@pytest.fixture(scope="module")
def databases(query: Query, patience: dict[str, int]) -> Databases:
    """Return how instances are looked at."""
    return Databases(query, patience)


@pytest.fixture(scope="module")
def source(rds: Any, new_instance: NewInstance, databases: Databases) -> dict[str, Any]:
    """Return a Multi-AZ instance with automated backups and a table."""
    described = new_instance(rds, MultiAZ=True, BackupRetentionPeriod=1)
    databases.ask(described, "create table rows (row text primary key)")
    return described


@pytest.fixture(scope="module")
def near(rds: Any, source: dict[str, Any], databases: Databases) -> dict[str, Any]:
    """Return a replica in the source's region."""
    return databases.replicate(rds, source["DBInstanceIdentifier"])


@pytest.fixture(scope="module")
def far(rds_recovery: Any, source: dict[str, Any], databases: Databases, plan: Plan) -> dict[str, Any]:
    """Return a replica in the other region."""
    region = plan.regions.primary.name
    return databases.replicate(rds_recovery, source["DBInstanceArn"], SourceRegion=region)


@pytest.fixture
def replicas(near: dict[str, Any], far: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return both replicas."""
    return near, far


def test_a_replica_is_read_only(
    source: dict[str, Any], replicas: tuple[dict[str, Any], ...], databases: Databases
) -> None:
    """What is committed at the source is read at its replicas, and they accept no write themselves.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.html
    """
    row = databases.write(source)
    for replica in replicas:
        databases.await_row(replica, row)
        with pytest.raises(CommandFailedError, match="read-only"):
            databases.write(replica)


def test_source_and_replicas_name_each_other(
    rds: Any,
    rds_recovery: Any,
    source: dict[str, Any],
    replicas: tuple[dict[str, Any], dict[str, Any]],
    databases: Databases,
) -> None:
    """Instances of one region name each other by identifier, those of two by ARN; a replica says that it replicates.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBInstance.html
    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBInstanceStatusInfo.html
    """
    name, arn = source["DBInstanceIdentifier"], source["DBInstanceArn"]
    near, far = replicas
    assert near["ReadReplicaSourceDBInstanceIdentifier"] == name
    assert far["ReadReplicaSourceDBInstanceIdentifier"] == arn
    listed = databases.describe(rds, name)["ReadReplicaDBInstanceIdentifiers"]
    assert set(listed) >= {near["DBInstanceIdentifier"], far["DBInstanceArn"]}
    for client, replica in ((rds, near), (rds_recovery, far)):
        (status,) = databases.describe(client, replica["DBInstanceIdentifier"])["StatusInfos"]
        assert status["StatusType"] == "read replication"
        assert status["Status"] == "replicating"
        assert status["Normal"] is True
    assert "ReadReplicaSourceDBInstanceIdentifier" not in databases.describe(rds, name)


def test_a_replica_is_as_its_source_but_without_backups(source: dict[str, Any], far: dict[str, Any]) -> None:
    """What is not said of a replica is as its source's; its backups are disabled.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstanceReadReplica.html
    """
    for name in ("DBInstanceClass", "AllocatedStorage", "EngineVersion", "MasterUsername"):
        assert far[name] == source[name]
    assert far["BackupRetentionPeriod"] == 0
    assert far["MultiAZ"] is False


@pytest.mark.parametrize("how", [{}, {"ForceFailover": True}])
def test_replicas_follow_a_source_that_is_rebooted(
    rds: Any,
    source: dict[str, Any],
    replicas: tuple[dict[str, Any], ...],
    databases: Databases,
    how: dict[str, bool],
) -> None:
    """What is committed after a reboot or a failover of the source reaches its replicas, by the endpoints they had.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.MultiAZSingleStandby.html
    """
    name = source["DBInstanceIdentifier"]

    def protected() -> bool:
        described = databases.describe(rds, name)
        return described["DBInstanceStatus"] == "available" and "SecondaryAvailabilityZone" in described

    wait_until(protected, what="a standby", within=_WITHIN, every=_EVERY)
    rds.reboot_db_instance(DBInstanceIdentifier=name, **how)
    databases.await_available(rds, name)
    row = databases.write(source)
    for replica in replicas:
        databases.await_row(replica, row)


def test_a_source_that_fails_over_while_it_is_copied(
    rds: Any, rds_recovery: Any, source: dict[str, Any], databases: Databases
) -> None:
    """A replica whose source fails over while it is being made comes to be nevertheless, and follows.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.Create.html
    """
    name, source_name = f"replica-{secrets.token_hex(4)}", source["DBInstanceIdentifier"]

    def protected() -> bool:
        described = databases.describe(rds, source_name)
        return described["DBInstanceStatus"] == "available" and "SecondaryAvailabilityZone" in described

    wait_until(protected, what="a standby", within=_WITHIN, every=_EVERY)
    rds_recovery.create_db_instance_read_replica(
        DBInstanceIdentifier=name, SourceDBInstanceIdentifier=source["DBInstanceArn"]
    )
    rds.reboot_db_instance(DBInstanceIdentifier=source_name, ForceFailover=True)
    replica = databases.await_available(rds_recovery, name)
    databases.await_available(rds, source_name)
    databases.await_row(replica, databases.write(source))
    rds_recovery.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)


def test_a_replica_that_is_rebooted_is_a_replica_again(
    rds: Any, source: dict[str, Any], near: dict[str, Any], databases: Databases
) -> None:
    """After its reboot a replica is read-only still, and has what was committed meanwhile.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_RebootInstance.html
    """
    rds.reboot_db_instance(DBInstanceIdentifier=near["DBInstanceIdentifier"])
    row = databases.write(source)
    databases.await_available(rds, near["DBInstanceIdentifier"])
    databases.await_row(near, row)
    with pytest.raises(CommandFailedError, match="read-only"):
        databases.write(near)


def test_promotion(rds: Any, rds_recovery: Any, source: dict[str, Any], databases: Databases) -> None:
    """A promoted replica keeps its rows, accepts writes, and has no source; neither writes into the other any more.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.Promote.html
    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_PromoteReadReplica.html
    """
    replica = databases.replicate(rds_recovery, source["DBInstanceArn"])
    name = replica["DBInstanceIdentifier"]
    before = databases.write(source)
    databases.await_row(replica, before)
    rds_recovery.promote_read_replica(DBInstanceIdentifier=name)
    promoted = databases.await_available(rds_recovery, name)
    assert promoted["Endpoint"] == replica["Endpoint"]
    assert "ReadReplicaSourceDBInstanceIdentifier" not in promoted
    assert promoted["StatusInfos"] == []
    assert promoted["BackupRetentionPeriod"] == 1
    listed = databases.describe(rds, source["DBInstanceIdentifier"])["ReadReplicaDBInstanceIdentifiers"]
    assert replica["DBInstanceArn"] not in listed
    of_source, of_promoted = databases.write(source), databases.write(promoted)
    assert databases.has(promoted, before)
    assert databases.has(promoted, of_promoted)
    assert not databases.has(promoted, of_source)
    assert not databases.has(source, of_promoted)
    with pytest.raises(rds_recovery.exceptions.InvalidDBInstanceStateFault):
        rds_recovery.promote_read_replica(DBInstanceIdentifier=name)


def test_what_cannot_be_promoted(rds: Any, source: dict[str, Any]) -> None:
    """An instance that is no replica is in the wrong state for a promotion; one that is not there is not found.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_PromoteReadReplica.html
    """
    with pytest.raises(rds.exceptions.InvalidDBInstanceStateFault):
        rds.promote_read_replica(DBInstanceIdentifier=source["DBInstanceIdentifier"])
    with pytest.raises(rds.exceptions.DBInstanceNotFoundFault):
        rds.promote_read_replica(DBInstanceIdentifier="nobody")


def test_a_replica_that_is_being_made_cannot_be_promoted(
    rds: Any, source: dict[str, Any], databases: Databases
) -> None:
    """A promotion waits for nothing: while the replica is not available it is refused, and the replica comes to be.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_PromoteReadReplica.html
    """
    name = f"replica-{secrets.token_hex(4)}"
    rds.create_db_instance_read_replica(
        DBInstanceIdentifier=name, SourceDBInstanceIdentifier=source["DBInstanceIdentifier"]
    )
    with pytest.raises(rds.exceptions.InvalidDBInstanceStateFault):
        rds.promote_read_replica(DBInstanceIdentifier=name)
    assert databases.await_available(rds, name)["StatusInfos"][0]["Status"] == "replicating"
    rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"SourceDBInstanceIdentifier": "nobody"}, "DBInstanceNotFound"),
        ({"SourceDBInstanceIdentifier": "-"}, "InvalidParameterValue"),
        ({"DBInstanceIdentifier": "two--hyphens"}, "InvalidParameterValue"),
        ({"DBInstanceClass": "large"}, "InvalidParameterValue"),
        ({"AvailabilityZone": "moon-1a"}, "InvalidParameterValue"),
    ],
)
def test_what_no_replica_can_be(rds: Any, source: dict[str, Any], changes: dict[str, str], code: str) -> None:
    """A wrong call is refused with AWS's own error, and makes nothing.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstanceReadReplica.html
    """
    wanted = {"DBInstanceIdentifier": "wrong", "SourceDBInstanceIdentifier": source["DBInstanceIdentifier"]}
    with pytest.raises(rds.exceptions.ClientError) as caught:
        rds.create_db_instance_read_replica(**{**wanted, **changes})
    assert caught.value.response["Error"]["Code"] == code
    with pytest.raises(rds.exceptions.DBInstanceNotFoundFault):
        rds.describe_db_instances(DBInstanceIdentifier="wrong")


def test_a_name_that_is_taken(rds: Any, source: dict[str, Any], near: dict[str, Any]) -> None:
    """A replica cannot have the name of another instance of its region.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstanceReadReplica.html
    """
    with pytest.raises(rds.exceptions.DBInstanceAlreadyExistsFault):
        rds.create_db_instance_read_replica(
            DBInstanceIdentifier=near["DBInstanceIdentifier"],
            SourceDBInstanceIdentifier=source["DBInstanceIdentifier"],
        )


def test_another_regions_source_is_named_by_its_arn(rds_recovery: Any, source: dict[str, Any]) -> None:
    """By its identifier alone an instance is found in its own region only.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.XRgn.html
    """
    with pytest.raises(rds_recovery.exceptions.DBInstanceNotFoundFault):
        rds_recovery.create_db_instance_read_replica(
            DBInstanceIdentifier="wrong", SourceDBInstanceIdentifier=source["DBInstanceIdentifier"]
        )


def test_a_replica_has_no_final_snapshot(rds: Any, near: dict[str, Any]) -> None:
    """A replica is deleted without a final snapshot, or not at all.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DeleteDBInstance.html
    """
    name = near["DBInstanceIdentifier"]
    with pytest.raises(rds.exceptions.ClientError) as caught:
        rds.delete_db_instance(DBInstanceIdentifier=name, FinalDBSnapshotIdentifier="last")
    assert caught.value.response["Error"]["Code"] == "InvalidParameterCombination"


def test_a_source_without_backups(rds: Any, new_instance: NewInstance) -> None:
    """A source has to have automated backups.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.html
    """
    described = new_instance(rds, BackupRetentionPeriod=0)
    name = described["DBInstanceIdentifier"]
    with pytest.raises(rds.exceptions.InvalidDBInstanceStateFault, match=r"[Bb]ackup"):
        rds.create_db_instance_read_replica(DBInstanceIdentifier="wrong", SourceDBInstanceIdentifier=name)
    rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)


def test_the_replicas_of_a_deleted_source(
    rds: Any, rds_recovery: Any, new_instance: NewInstance, databases: Databases
) -> None:
    """Replicas in its region become instances of their own; one elsewhere stays, terminated, until it is promoted.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.html
    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.XRgn.html
    """
    gone = new_instance(rds, BackupRetentionPeriod=1)
    databases.ask(gone, "create table rows (row text primary key)")
    near = databases.replicate(rds, gone["DBInstanceIdentifier"])
    far = databases.replicate(rds_recovery, gone["DBInstanceArn"])
    databases.await_available(rds, gone["DBInstanceIdentifier"])
    row = databases.write(gone)
    databases.await_row(far, row)
    rds.delete_db_instance(DBInstanceIdentifier=gone["DBInstanceIdentifier"], SkipFinalSnapshot=True)
    rds.get_waiter("db_instance_deleted").wait(
        DBInstanceIdentifier=gone["DBInstanceIdentifier"], WaiterConfig=databases.patience
    )
    described = databases.await_available(rds, near["DBInstanceIdentifier"])
    assert "ReadReplicaSourceDBInstanceIdentifier" not in described
    assert databases.has(near, row)
    databases.write(near)

    def terminated() -> bool:
        (status,) = databases.describe(rds_recovery, far["DBInstanceIdentifier"])["StatusInfos"]
        return (status["Status"], status["Normal"]) == ("terminated", False)

    wait_until(terminated, what="the end of replication", within=_WITHIN, every=_EVERY)
    with pytest.raises(CommandFailedError, match="read-only"):
        databases.write(far)
    rds_recovery.promote_read_replica(DBInstanceIdentifier=far["DBInstanceIdentifier"])
    databases.await_available(rds_recovery, far["DBInstanceIdentifier"])
    assert databases.has(far, row)
    databases.write(far)
