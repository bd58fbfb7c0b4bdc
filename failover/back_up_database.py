"""Take a snapshot of a database: `python -m failover.back_up_database payments`; its name says when.

Run again it takes another one: a snapshot more does no harm.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime

import boto3

from failover._telling import run
from failover._waiters import PATIENCE


def main() -> None:
    """Take it, wait until it is available, and print its name."""
    parser = argparse.ArgumentParser(description="Take a snapshot of a database.")
    parser.add_argument("name", help="the DB instance")
    name = parser.parse_args().name
    rds = boto3.client("rds")
    snapshot = f"{name}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    rds.create_db_snapshot(DBInstanceIdentifier=name, DBSnapshotIdentifier=snapshot)
    rds.get_waiter("db_snapshot_available").wait(DBSnapshotIdentifier=snapshot, WaiterConfig=PATIENCE)
    sys.stdout.write(f"{snapshot}\n")


if __name__ == "__main__":
    run(main)
