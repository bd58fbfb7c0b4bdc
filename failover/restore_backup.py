"""Restore the newest snapshot of a database beside it, as a test: `python -m failover.restore_backup payments`.

With `--end`, what was restored is removed again. Run again, both go on.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import boto3

from failover._instances import FROM, read_all, read_tag
from failover._telling import StoppedError, run
from failover._waiters import PATIENCE, await_available


def main() -> None:
    """Restore it and wait until it is available, or remove it and wait until it is gone."""
    parser = argparse.ArgumentParser(
        description="Restore the newest snapshot of a database as NAME-restore-test."
    )
    parser.add_argument("name", help="the DB instance")
    parser.add_argument("--end", action="store_true", help="remove what was restored")
    asked = parser.parse_args()
    rds = boto3.client("rds")
    if asked.end:
        remove(rds, asked.name)
    else:
        snapshot = restore(rds, asked.name)
        sys.stdout.write(f"{asked.name}-restore-test: {snapshot}\n")


def restore(rds: Any, name: str) -> str:
    """Restore the newest snapshot, unless that was asked for before, and wait for it; return which one it is."""
    restored, snapshot = f"{name}-restore-test", _find_newest(rds, name)
    there = read_all(rds).get(restored)
    if there is None:
        (described,) = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
        rds.restore_db_instance_from_db_snapshot(
            DBSnapshotIdentifier=snapshot,
            DBInstanceIdentifier=restored,
            PubliclyAccessible=described["PubliclyAccessible"],
            Tags=[{"Key": FROM, "Value": snapshot}],
        )
    elif read_tag(there, FROM) != snapshot:
        raise StoppedError(
            f"{restored} exists, and is not {snapshot}, the newest snapshot.\n"
            f"What to do: remove it with `python -m failover.restore_backup {name} --end`, and run this again."
        )
    await_available(rds, restored)
    return snapshot


def remove(rds: Any, name: str) -> None:
    """Remove what was restored, if it is there, and wait until it is gone."""
    restored = f"{name}-restore-test"
    there = read_all(rds).get(restored)
    if there is None:
        return
    if there["DBInstanceStatus"] != "deleting":
        rds.delete_db_instance(
            DBInstanceIdentifier=restored, SkipFinalSnapshot=True, DeleteAutomatedBackups=True
        )
    waiter = rds.get_waiter("db_instance_deleted")
    waiter.wait(DBInstanceIdentifier=restored, WaiterConfig=PATIENCE)


def _find_newest(rds: Any, name: str) -> str:
    pages = rds.get_paginator("describe_db_snapshots").paginate(
        DBInstanceIdentifier=name, SnapshotType="manual"
    )
    taken = [one for page in pages for one in page["DBSnapshots"] if one["Status"] == "available"]
    if not taken:
        raise StoppedError(
            f"There is no snapshot of {name} to be tested.\n"
            f"What to do: take one with `python -m failover.back_up_database {name}`."
        )
    newest: str = max(taken, key=lambda one: one["SnapshotCreateTime"])["DBSnapshotIdentifier"]
    return newest


if __name__ == "__main__":
    run(main)
