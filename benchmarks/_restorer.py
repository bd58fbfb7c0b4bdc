"""What an operator does in the benchmark of restores, on the operator's host: fills a database, restores, removes it.

Prints one JSON document a call: seconds from the call of the restore until the new instance is available.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import Any

import boto3

from failover._waiters import await_available, await_restorable

USER, DATABASE = "filler", "filled"
_FAST = {"Delay": 0.05, "MaxAttempts": 24000}
_BATCH_ROWS = 40_000
_ROW_BYTES = 1000  # 930 of text and what PostgreSQL adds


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("act", choices=["fill", "restore"])
    parser.add_argument("name")
    parser.add_argument("--megabytes", type=int, default=300)
    asked = parser.parse_args()
    rds = boto3.client("rds")
    said = _fill(rds, asked.name, asked.megabytes) if asked.act == "fill" else _restore(rds, asked.name)
    sys.stdout.write(json.dumps(said) + "\n")


def _fill(rds: Any, name: str, megabytes: int) -> dict[str, object]:
    """Make an instance with so much data, all of it in the archived log."""
    rds.create_db_instance(
        DBInstanceIdentifier=name, DBInstanceClass="db.r6g.large", Engine="postgres", AllocatedStorage=100,
        DBName=DATABASE, MasterUsername=USER, MasterUserPassword=os.environ["PGPASSWORD"], MultiAZ=False,
        PubliclyAccessible=True,
    )  # fmt: skip
    await_available(rds, name)
    endpoint = _describe(rds, name)["Endpoint"]["Address"]
    _ask(endpoint, "create table filler (id bigint, filling text not null)")
    rows = megabytes * 1_000_000 // _ROW_BYTES
    for first in range(0, rows, _BATCH_ROWS):
        last = min(rows, first + _BATCH_ROWS) - 1
        filling = "(select string_agg(md5(random()::text), '') from generate_series(1, 29 + g % 2))"
        _ask(endpoint, f"insert into filler select g, {filling} from generate_series({first}, {last}) g")  # noqa: S608
    await_restorable(rds, name, datetime.now(UTC))
    size = _ask(endpoint, f"select pg_database_size('{DATABASE}')")
    return {"rows": rows, "bytes": int(size)}


def _restore(rds: Any, name: str) -> dict[str, object]:
    """Restore to the latest restorable time, count the rows, and remove what was restored."""
    target = f"{name}-again"
    began = time.perf_counter()
    rds.restore_db_instance_to_point_in_time(
        SourceDBInstanceIdentifier=name, TargetDBInstanceIdentifier=target, UseLatestRestorableTime=True,
        PubliclyAccessible=True, BackupRetentionPeriod=0,
    )  # fmt: skip
    rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier=target, WaiterConfig=_FAST)
    seconds = time.perf_counter() - began
    rows = _ask(_describe(rds, target)["Endpoint"]["Address"], "select count(*) from filler")
    rds.delete_db_instance(DBInstanceIdentifier=target, SkipFinalSnapshot=True)
    rds.get_waiter("db_instance_deleted").wait(DBInstanceIdentifier=target, WaiterConfig=_FAST)
    return {"seconds": seconds, "rows": int(rows)}


def _describe(rds: Any, name: str) -> dict[str, Any]:
    described: dict[str, Any] = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
    return described


def _ask(endpoint: str, statement: str) -> str:
    command = [
        "psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1",
        "--host", endpoint, "--username", USER, "--dbname", DATABASE, "--command", statement,
    ]  # fmt: skip
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    main()
