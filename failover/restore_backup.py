"""Restore the newest snapshot of a database beside it, as a test: `python -m failover.restore_backup payments`.

With `--end`, what was restored is removed again.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import boto3

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
    restored = f"{asked.name}-restore-test"
    if asked.end:
        rds.delete_db_instance(
            DBInstanceIdentifier=restored, SkipFinalSnapshot=True, DeleteAutomatedBackups=True
        )
        waiter = rds.get_waiter("db_instance_deleted")
        waiter.wait(DBInstanceIdentifier=restored, WaiterConfig=PATIENCE)
        return
    snapshot = _find_newest(rds, asked.name)
    (described,) = rds.describe_db_instances(DBInstanceIdentifier=asked.name)["DBInstances"]
    rds.restore_db_instance_from_db_snapshot(
        DBSnapshotIdentifier=snapshot,
        DBInstanceIdentifier=restored,
        PubliclyAccessible=described["PubliclyAccessible"],
    )
    await_available(rds, restored)
    sys.stdout.write(f"{restored}: {snapshot}\n")


def _find_newest(rds: Any, name: str) -> str:
    pages = rds.get_paginator("describe_db_snapshots").paginate(
        DBInstanceIdentifier=name, SnapshotType="manual"
    )
    taken = [one for page in pages for one in page["DBSnapshots"] if one["Status"] == "available"]
    if not taken:
        sys.exit(f"there is no snapshot of {name} to be tested")
    newest: str = max(taken, key=lambda one: one["SnapshotCreateTime"])["DBSnapshotIdentifier"]
    return newest


if __name__ == "__main__":
    main()
