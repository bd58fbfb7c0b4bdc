"""Snapshots of DB instances, as AWS documents them: taken, copied in a region and across regions, restored, deleted.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_CreateSnapshot.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.rds.conftest import NewInstance, Query

pytestmark = pytest.mark.drill
Described = dict[str, Any]
SOURCE, SNAPSHOT = "contract-orders", "contract-first"


@pytest.fixture(scope="module")
def source(rds: Any, new_instance: NewInstance, query: Query) -> Described:
    """Return an instance without automated backups that holds one row."""
    made = new_instance(rds, DBInstanceIdentifier=SOURCE, BackupRetentionPeriod=0)
    query(made["Endpoint"]["Address"], "create table orders (id int); insert into orders values (1)")
    return made


@pytest.fixture(scope="module")
def completed(patience: dict[str, int]) -> Callable[[Any, str], Described]:
    """Return what waits for a snapshot with both of botocore's waiters, and describes it."""

    def wait(rds: Any, identifier: str) -> Described:
        for waiter in ("db_snapshot_available", "db_snapshot_completed"):
            rds.get_waiter(waiter).wait(DBSnapshotIdentifier=identifier, WaiterConfig=patience)
        described: Described = rds.describe_db_snapshots(DBSnapshotIdentifier=identifier)["DBSnapshots"][0]
        return described

    return wait


@pytest.fixture(scope="module")
def snapshot(rds: Any, source: Described, completed: Callable[[Any, str], Described]) -> Described:
    """Return a snapshot of the source, described when it was complete."""
    tags = [{"Key": "purpose", "Value": "contract"}]
    begun = rds.create_db_snapshot(
        DBSnapshotIdentifier=SNAPSHOT, DBInstanceIdentifier=source["DBInstanceIdentifier"], Tags=tags
    )["DBSnapshot"]
    assert begun["Status"] == "creating"
    return completed(rds, SNAPSHOT)


@pytest.fixture(scope="module")
def restored(patience: dict[str, int], query: Query) -> Callable[..., list[str]]:
    """Return what restores a snapshot and returns the rows that are in it, read with the original password."""

    def restore(rds: Any, snapshot: str, identifier: str, **parameters: object) -> list[str]:
        rds.restore_db_instance_from_db_snapshot(
            DBInstanceIdentifier=identifier, DBSnapshotIdentifier=snapshot, **parameters
        )
        named = {"DBInstanceIdentifier": identifier}
        rds.get_waiter("db_instance_available").wait(**named, WaiterConfig=patience)
        (made,) = rds.describe_db_instances(**named)["DBInstances"]
        return query(made["Endpoint"]["Address"], "select id from orders order by id").splitlines()

    return restore


def test_a_manual_snapshot(source: Described, snapshot: Described) -> None:
    """A snapshot says of what it is, and is complete.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBSnapshot.html
    """
    assert snapshot["DBInstanceIdentifier"] == SOURCE
    assert snapshot["DbiResourceId"] == source["DbiResourceId"]
    assert (snapshot["SnapshotType"], snapshot["Status"]) == ("manual", "available")
    assert (snapshot["PercentProgress"], snapshot["Encrypted"]) == (100, False)
    assert snapshot["DBSnapshotArn"].endswith(f":snapshot:{SNAPSHOT}")
    assert snapshot["SnapshotCreateTime"] >= source["InstanceCreateTime"]
    assert snapshot["TagList"] == [{"Key": "purpose", "Value": "contract"}]


def test_the_instance_serves_again(rds: Any, snapshot: Described, patience: dict[str, int]) -> None:
    """After the snapshot the instance is available, and events tell of both.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Events.Messages.html
    """
    assert snapshot["Status"] == "available"
    rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier=SOURCE, WaiterConfig=patience)
    events = rds.describe_events(SourceType="db-snapshot", SourceIdentifier=SNAPSHOT)["Events"]
    assert [one["Message"] for one in events] == ["Creating manual snapshot", "Manual snapshot created"]
    assert {one["SourceType"] for one in events} == {"db-snapshot"}


def test_a_restored_instance(
    rds: Any, source: Described, snapshot: Described, restored: Callable[..., list[str]], query: Query
) -> None:
    """It has the rows of the snapshot, not later ones, an endpoint of its own, and the original password.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_RestoreDBInstanceFromDBSnapshot.html
    """
    query(source["Endpoint"]["Address"], "insert into orders values (2)")
    name = "contract-restored"
    assert restored(rds, snapshot["DBSnapshotIdentifier"], name, BackupRetentionPeriod=0) == ["1"]
    (made,) = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
    assert made["Endpoint"]["Address"] != source["Endpoint"]["Address"]
    assert made["DbiResourceId"] != source["DbiResourceId"]
    assert (made["MultiAZ"], made["DBInstanceClass"]) == (False, source["DBInstanceClass"])
    query(made["Endpoint"]["Address"], "insert into orders values (3)")
    events = rds.describe_events(SourceType="db-instance", SourceIdentifier=name)["Events"]
    assert f"Restored from snapshot {SNAPSHOT}" in [one["Message"] for one in events]


def test_wrong_restores(rds: Any, snapshot: Described) -> None:
    """A snapshot that is not there, a name that is taken, less storage than the source has: AWS's own errors.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_RestoreDBInstanceFromDBSnapshot.html
    """
    restore = rds.restore_db_instance_from_db_snapshot
    name = snapshot["DBSnapshotIdentifier"]
    with pytest.raises(rds.exceptions.DBSnapshotNotFoundFault):
        restore(DBInstanceIdentifier="contract-never", DBSnapshotIdentifier="nothing")
    with pytest.raises(rds.exceptions.DBInstanceAlreadyExistsFault):
        restore(DBInstanceIdentifier=SOURCE, DBSnapshotIdentifier=name)
    with pytest.raises(rds.exceptions.ClientError, match="InvalidParameterValue"):
        restore(DBInstanceIdentifier="contract-never", DBSnapshotIdentifier=name, AllocatedStorage=19)
    with pytest.raises(rds.exceptions.ClientError, match="InvalidParameterValue"):
        restore(DBInstanceIdentifier="1-is-no-letter", DBSnapshotIdentifier=name)


def test_wrong_snapshots(rds: Any, snapshot: Described) -> None:
    """A name that is taken or no name, an instance that is not there: AWS's own errors.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBSnapshot.html
    """
    create = rds.create_db_snapshot
    with pytest.raises(rds.exceptions.DBSnapshotAlreadyExistsFault):
        create(DBSnapshotIdentifier=snapshot["DBSnapshotIdentifier"].upper(), DBInstanceIdentifier=SOURCE)
    with pytest.raises(rds.exceptions.DBInstanceNotFoundFault):
        create(DBSnapshotIdentifier="contract-other", DBInstanceIdentifier="nobody")
    for wrong in ("two--hyphens", "ends-", "1st", "rds:reserved"):
        with pytest.raises(rds.exceptions.ClientError, match="InvalidParameterValue"):
            create(DBSnapshotIdentifier=wrong, DBInstanceIdentifier=SOURCE)


def test_listing(rds: Any, snapshot: Described) -> None:
    """Snapshots are found by instance, by type and by filters, and by nothing else.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBSnapshots.html
    """

    def find(**question: object) -> list[str]:
        listed = rds.describe_db_snapshots(**question)["DBSnapshots"]
        return [one["DBSnapshotIdentifier"] for one in listed]

    def filtered(name: str, *values: str) -> dict[str, object]:
        return {"Filters": [{"Name": name, "Values": list(values)}]}

    assert SNAPSHOT in find()
    assert find(DBInstanceIdentifier=SOURCE) == find(DBSnapshotIdentifier=SNAPSHOT) == [SNAPSHOT]
    assert find(DBInstanceIdentifier=SOURCE, SnapshotType="manual") == [SNAPSHOT]
    assert find(DBInstanceIdentifier=SOURCE, SnapshotType="automated") == []
    assert find(SnapshotType="shared") == find(SnapshotType="public") == []
    assert find(DbiResourceId=snapshot["DbiResourceId"]) == [SNAPSHOT]
    assert find(**filtered("db-instance-id", SOURCE, "nobody")) == [SNAPSHOT]
    assert SNAPSHOT in find(**filtered("snapshot-type", "manual"), MaxRecords=20)
    for wrong in (filtered("colour", "red"), {"MaxRecords": 19}, {"SnapshotType": "of-mine"}):
        with pytest.raises(rds.exceptions.ClientError, match="InvalidParameterValue"):
            find(**wrong)
    with pytest.raises(rds.exceptions.DBSnapshotNotFoundFault):
        find(DBSnapshotIdentifier=SNAPSHOT, SnapshotType="automated")


def test_nobody_else_may_restore_it(rds: Any, snapshot: Described) -> None:
    """A snapshot is shared with nobody from the beginning.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBSnapshotAttributes.html
    """
    name = snapshot["DBSnapshotIdentifier"]
    answer = rds.describe_db_snapshot_attributes(DBSnapshotIdentifier=name)["DBSnapshotAttributesResult"]
    (shared,) = (one for one in answer["DBSnapshotAttributes"] if one["AttributeName"] == "restore")
    assert shared.get("AttributeValues", []) == []
    with pytest.raises(rds.exceptions.DBSnapshotNotFoundFault):
        rds.describe_db_snapshot_attributes(DBSnapshotIdentifier="nothing")


def test_a_copy_in_the_region(
    rds: Any, snapshot: Described, completed: Callable[[Any, str], Described], patience: dict[str, int]
) -> None:
    """A copy is a manual snapshot of its own that keeps the time of the original; deleted, it is gone.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CopyDBSnapshot.html
    """
    name = "contract-copy"
    rds.copy_db_snapshot(SourceDBSnapshotIdentifier=SNAPSHOT, TargetDBSnapshotIdentifier=name, CopyTags=True)
    copy = completed(rds, name)
    assert (copy["SnapshotType"], copy["TagList"]) == ("manual", snapshot["TagList"])
    assert copy["SourceDBSnapshotIdentifier"] == snapshot["DBSnapshotArn"]
    assert copy["OriginalSnapshotCreateTime"] == snapshot["SnapshotCreateTime"] < copy["SnapshotCreateTime"]
    with pytest.raises(rds.exceptions.DBSnapshotAlreadyExistsFault):
        rds.copy_db_snapshot(SourceDBSnapshotIdentifier=SNAPSHOT, TargetDBSnapshotIdentifier=name)
    with pytest.raises(rds.exceptions.DBSnapshotNotFoundFault):
        rds.copy_db_snapshot(SourceDBSnapshotIdentifier="nothing", TargetDBSnapshotIdentifier="contract-b")
    assert rds.delete_db_snapshot(DBSnapshotIdentifier=name)["DBSnapshot"]["Status"] == "deleted"
    rds.get_waiter("db_snapshot_deleted").wait(DBSnapshotIdentifier=name, WaiterConfig=patience)
    with pytest.raises(rds.exceptions.DBSnapshotNotFoundFault):
        rds.delete_db_snapshot(DBSnapshotIdentifier=name)


def test_a_copy_in_another_region(
    rds: Any,
    rds_recovery: Any,
    snapshot: Described,
    completed: Callable[[Any, str], Described],
    restored: Callable[..., list[str]],
) -> None:
    """A copy by ARN in another region is restored there; the original's region knows nothing of it.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_CopySnapshot.html
    """
    name = "contract-across"
    rds_recovery.copy_db_snapshot(
        SourceDBSnapshotIdentifier=snapshot["DBSnapshotArn"],
        TargetDBSnapshotIdentifier=name,
        SourceRegion=rds.meta.region_name,
    )
    copy = completed(rds_recovery, name)
    assert copy["SourceRegion"] == rds.meta.region_name
    assert f":{rds_recovery.meta.region_name}:" in copy["DBSnapshotArn"]
    with pytest.raises(rds.exceptions.DBSnapshotNotFoundFault):
        rds.describe_db_snapshots(DBSnapshotIdentifier=name)
    with pytest.raises(rds.exceptions.DBSnapshotNotFoundFault):
        rds_recovery.copy_db_snapshot(
            SourceDBSnapshotIdentifier=SNAPSHOT, TargetDBSnapshotIdentifier="contract-by-name"
        )
    assert restored(rds_recovery, name, "contract-elsewhere", BackupRetentionPeriod=0) == ["1"]


def test_encrypted_snapshots(
    rds: Any,
    rds_recovery: Any,
    client: Callable[..., Any],
    new_instance: NewInstance,
    completed: Callable[[Any, str], Described],
) -> None:
    """An encrypted snapshot leaves its region only under a key that is there in the region where it goes.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_CopySnapshot.html#USER_CopySnapshot.Encryption
    """
    home, away = rds.meta.region_name, rds_recovery.meta.region_name
    here, there = client(home, "kms"), client(away, "kms")
    key, other = (kms.create_key()["KeyMetadata"]["Arn"] for kms in (here, there))
    here.create_alias(AliasName="alias/databases", TargetKeyId=key)
    made = new_instance(
        rds,
        DBInstanceIdentifier="contract-encrypted",
        StorageEncrypted=True,
        KmsKeyId="alias/databases",
        BackupRetentionPeriod=0,
    )
    assert (made["StorageEncrypted"], made["KmsKeyId"]) == (True, key)
    rds.create_db_snapshot(DBSnapshotIdentifier="contract-secret", DBInstanceIdentifier="contract-encrypted")
    secret = completed(rds, "contract-secret")
    assert (secret["Encrypted"], secret["KmsKeyId"]) == (True, made["KmsKeyId"])
    copy = {
        "SourceDBSnapshotIdentifier": secret["DBSnapshotArn"],
        "TargetDBSnapshotIdentifier": "contract-secret-copy",
        "SourceRegion": home,
    }
    with pytest.raises(rds.exceptions.ClientError, match="InvalidParameterValue"):
        rds_recovery.copy_db_snapshot(**copy)
    disabled = there.create_key()["KeyMetadata"]["Arn"]
    there.disable_key(KeyId=disabled)
    missing = f"arn:aws:kms:{away}:000000000000:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    for wrong in (key, missing, disabled, "alias/databases"):
        with pytest.raises(rds_recovery.exceptions.KMSKeyNotAccessibleFault):
            rds_recovery.copy_db_snapshot(**copy, KmsKeyId=wrong)
    rds_recovery.copy_db_snapshot(**copy, KmsKeyId=other)
    assert completed(rds_recovery, "contract-secret-copy")["KmsKeyId"] == other
    with pytest.raises(rds.exceptions.KMSKeyNotAccessibleFault):
        new_instance(rds, DBInstanceIdentifier="contract-never", StorageEncrypted=True, KmsKeyId=other)


def test_a_final_snapshot(  # noqa: PLR0917  (fixtures have no order)
    rds: Any,
    source: Described,
    snapshot: Described,
    completed: Callable[[Any, str], Described],
    restored: Callable[..., list[str]],
    patience: dict[str, int],
) -> None:
    """A deleted instance leaves its final snapshot and its manual ones, and they restore all of its rows.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DeleteDBInstance.html
    """
    named = {"DBInstanceIdentifier": source["DBInstanceIdentifier"]}
    with pytest.raises(rds.exceptions.DBSnapshotAlreadyExistsFault):
        rds.delete_db_instance(**named, FinalDBSnapshotIdentifier=snapshot["DBSnapshotIdentifier"])
    for wrong in ({}, {"SkipFinalSnapshot": True, "FinalDBSnapshotIdentifier": "contract-final"}):
        with pytest.raises(rds.exceptions.ClientError, match="InvalidParameterCombination"):
            rds.delete_db_instance(**named, **wrong)
    deleted = rds.delete_db_instance(**named, FinalDBSnapshotIdentifier="contract-final")
    assert deleted["DBInstance"]["DBInstanceStatus"] == "deleting"
    rds.get_waiter("db_instance_deleted").wait(**named, WaiterConfig=patience)
    assert completed(rds, "contract-final")["SnapshotType"] == "manual"
    assert "1" in restored(rds, "contract-final", SOURCE, BackupRetentionPeriod=0)
    assert completed(rds, SNAPSHOT)["Status"] == "available"
