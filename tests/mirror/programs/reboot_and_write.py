"""Reboot a DB instance, wait until AWS says `available`, and write at once, a single time, by the endpoint's name.

Arguments: instance, database, `failover` or `plain`. The statuses that were seen on the way go to standard output.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import timedelta

import boto3
import psycopg

from drdrill.core.waiting import wait_until


def reboot_and_write(instance: str, database: str, how: str) -> list[str]:
    """Return the statuses that were seen, one after the other; raises what the write raises."""
    rds = boto3.client("rds")
    before = rds.reboot_db_instance(DBInstanceIdentifier=instance, ForceFailover=how == "failover")[
        "DBInstance"
    ]
    seen = [before["DBInstanceStatus"]]

    def available() -> bool:
        status = rds.describe_db_instances(DBInstanceIdentifier=instance)["DBInstances"][0][
            "DBInstanceStatus"
        ]
        if status != seen[-1]:
            seen.append(status)
        return bool(status == "available")

    wait_until(available, what="available", within=timedelta(seconds=60), every=timedelta(milliseconds=2))
    with psycopg.connect(
        host=before["Endpoint"]["Address"], user=before["MasterUsername"], dbname=database,
        password=os.environ["PGPASSWORD"], autocommit=True, connect_timeout=5,
    ) as connection:  # fmt: skip
        connection.execute("insert into witness values (%s)", (f"after {how}",))
    return seen


if __name__ == "__main__":
    json.dump(reboot_and_write(*sys.argv[1:4]), sys.stdout)
