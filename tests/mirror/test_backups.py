"""Backups in a standing mirror: they outlive their hosts, and nothing that is damaged is restored."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.core.waiting import wait_until
from drdrill.environment.port import FaultRequest, StoreRole
from drdrill.mirror.embedded import Embedded
from drdrill.plan import load_plan
from tests.mirror.standing import EVERY, INSTANCE, WITHIN, Standing, copy_repository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.drill
NEW: dict[str, Any] = {
    "DBInstanceClass": "db.r6g.large",
    "Engine": "postgres",
    "MasterUsername": "somebody",
    "MasterUserPassword": "long-enough",
    "BackupRetentionPeriod": 0,
}


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """Bring a mirror up for this module and take it down, whatever happens."""
    root = copy_repository(tmp_path_factory.mktemp("repository"))
    plan = load_plan(root / "scenarios" / "plan.yaml")
    with Embedded(root, plan) as environment:
        standing = Standing(environment)
        standing.query("create table witness (said text not null)")
        yield standing


def _succeed(answer: dict[str, Any]) -> dict[str, Any]:
    assert "error" not in answer, answer
    return answer


def _status(mirror: Standing, snapshot: str) -> str:
    answer = _succeed(mirror.ask_aws("describe_db_snapshots", DBSnapshotIdentifier=snapshot))
    return str(answer["DBSnapshots"][0]["Status"])


def _take(mirror: Standing, snapshot: str, instance: str = INSTANCE) -> None:
    _succeed(
        mirror.ask_aws("create_db_snapshot", DBSnapshotIdentifier=snapshot, DBInstanceIdentifier=instance)
    )
    wait_until(
        lambda: _status(mirror, snapshot) == "available", what="a snapshot", within=WITHIN, every=EVERY
    )


def _restorable(mirror: Standing) -> datetime:
    return datetime.fromisoformat(mirror.describe()["LatestRestorableTime"])


def _find_folder(mirror: Standing, snapshot: str) -> Path:
    """Return the folder of the only snapshot that is not an automated one's, which are older."""
    store = mirror.environment.world.directory.backups / "eu-west-1"
    folders = [path for path in store.iterdir() if path.name.startswith("snapshot-")]
    assert _status(mirror, snapshot) == "available"
    return max(folders, key=lambda path: path.stat().st_ctime_ns)


def test_a_damaged_snapshot_is_not_restored(mirror: Standing) -> None:
    """Where one byte of a snapshot is another one, a copy of it fails, and so does an instance from it."""
    _take(mirror, "damaged")
    log = next(iter((_find_folder(mirror, "damaged") / "data" / "base").rglob("1259")))  # pg_class
    content = bytearray(log.read_bytes())
    content[len(content) // 2] ^= 1
    log.write_bytes(content)

    _succeed(
        mirror.ask_aws(
            "copy_db_snapshot", SourceDBSnapshotIdentifier="damaged", TargetDBSnapshotIdentifier="worse"
        )
    )
    wait_until(
        lambda: _status(mirror, "worse") != "creating", what="an end of it", within=WITHIN, every=EVERY
    )
    assert _status(mirror, "worse") == "failed"
    _succeed(
        mirror.ask_aws(
            "restore_db_instance_from_db_snapshot",
            DBSnapshotIdentifier="damaged",
            DBInstanceIdentifier="never",
        )
    )
    mirror.await_status("never", "incompatible-restore")
    said = [event.message for event in mirror.store("never").events]
    assert any("the backup is damaged" in message for message in said)


def test_a_snapshot_that_its_host_did_not_survive(mirror: Standing) -> None:
    """A snapshot of an instance whose only host has no power is refused or fails; it is never available."""
    _succeed(mirror.ask_aws("create_db_instance", DBInstanceIdentifier="alone", **NEW))
    mirror.await_status("alone", "available")
    lost = mirror.environment.faults.inject(
        FaultRequest(
            kind="host_power_loss", store="payments-database", resource="alone", role=StoreRole.PRIMARY
        )
    )
    answer = mirror.ask_aws("create_db_snapshot", DBSnapshotIdentifier="late", DBInstanceIdentifier="alone")
    assert answer.get("error") in (None, "InvalidDBInstanceState")
    if "error" not in answer:
        wait_until(
            lambda: _status(mirror, "late") != "creating", what="an end of it", within=WITHIN, every=EVERY
        )
        assert _status(mirror, "late") == "failed"
    mirror.environment.faults.heal(lost)
    # Not by the status: while nobody has noticed the loss yet it is `available`, as in AWS.
    wait_until(lambda: _is_recovered(mirror, "alone"), what="its recovery", within=WITHIN, every=EVERY)
    mirror.await_status("alone", "available")
    _take(mirror, "later", "alone")


def _is_recovered(mirror: Standing, instance: str) -> bool:
    events = mirror.ask_aws(
        "describe_events", SourceIdentifier=instance, SourceType="db-instance", Duration=10
    )
    return any("Recovery of the DB instance is complete" in one["Message"] for one in events["Events"])


def test_all_hosts_are_lost(mirror: Standing) -> None:
    """Without any host of the source, everything until its LatestRestorableTime is restored from the region's store."""
    mirror.await_protected()
    mirror.query("insert into witness values ('archived')")
    written = datetime.fromisoformat(mirror.query("select clock_timestamp()"))
    wait_until(lambda: _restorable(mirror) >= written, what="the archive", within=WITHIN, every=EVERY)
    mirror.query("insert into witness values ('perhaps')")
    endpoint = mirror.store().endpoint
    for role in (StoreRole.PRIMARY, StoreRole.STANDBY):  # the second one before the first is missed
        mirror.cut_power(role)

    _succeed(
        mirror.ask_aws(
            "restore_db_instance_to_point_in_time",
            SourceDBInstanceIdentifier=INSTANCE,
            TargetDBInstanceIdentifier="again",
            UseLatestRestorableTime=True,
        )
    )
    mirror.await_status("again", "available")
    again = mirror.store("again").endpoint
    assert again != endpoint
    command = [
        "psql", "--no-psqlrc", "--tuples-only", "--no-align", "--host", again, "--username", "payments_app",
        "--dbname", INSTANCE, "--command", "select said from witness",
    ]  # fmt: skip
    said = mirror.environment.run_for_operator(command, within=WITHIN).split()
    assert "archived" in said
