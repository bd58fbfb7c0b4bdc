"""What an operator does in the benchmark of promotions, on the operator's host: makes a replica, promotes it.

Prints one JSON document a call. Moments are of the boot-time clock, which all hosts of a machine share.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any

import boto3

from drdrill.core.clock import SystemClock

_FAST = {"Delay": 0.02, "MaxAttempts": 6000}
_CLOCK = SystemClock()


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("act", choices=["source", "replica", "promote", "remove"])
    parser.add_argument("--source-region", default="eu-west-1")
    parser.add_argument("--region", default="eu-central-1")
    parser.add_argument("name")
    parser.add_argument("--source", default="", help="of which it is a replica")
    parser.add_argument("--user", default="")
    parser.add_argument("--database", default="")
    asked = parser.parse_args()
    source, rds = boto3.client("rds", asked.source_region), boto3.client("rds", asked.region)
    said: dict[str, object] = {}
    match asked.act:
        case "source":
            said = _make_source(source, asked.name, asked.user, asked.database)
        case "replica":
            said = _make_replica(source, rds, asked)
        case "promote":
            said = _promote(rds, asked.name)
        case "remove":
            rds.delete_db_instance(DBInstanceIdentifier=asked.name, SkipFinalSnapshot=True)
            rds.get_waiter("db_instance_deleted").wait(DBInstanceIdentifier=asked.name, WaiterConfig=_FAST)
    sys.stdout.write(json.dumps(said) + "\n")


def _make_source(rds: Any, name: str, user: str, database: str) -> dict[str, object]:
    """Make an instance that nothing takes over when its machine is lost."""
    rds.create_db_instance(
        DBInstanceIdentifier=name, DBInstanceClass="db.r6g.large", Engine="postgres", AllocatedStorage=100,
        DBName=database, MasterUsername=user, MasterUserPassword=os.environ["PGPASSWORD"], MultiAZ=False,
        PubliclyAccessible=True,
    )  # fmt: skip
    return {"endpoint": _await_available(rds, name)}


def _make_replica(source: Any, rds: Any, asked: argparse.Namespace) -> dict[str, object]:
    (described,) = source.describe_db_instances(DBInstanceIdentifier=asked.source)["DBInstances"]
    rds.create_db_instance_read_replica(
        DBInstanceIdentifier=asked.name, SourceDBInstanceIdentifier=described["DBInstanceArn"],
        SourceRegion=asked.source_region, PubliclyAccessible=True,
    )  # fmt: skip
    return {"endpoint": _await_available(rds, asked.name)}


def _promote(rds: Any, name: str) -> dict[str, object]:
    """Promote, over a connection that is open, and wait until AWS says that the instance is available."""
    rds.describe_db_instances(DBInstanceIdentifier=name)
    called_ns = _CLOCK.now_ns()
    rds.promote_read_replica(DBInstanceIdentifier=name)
    answered_ns = _CLOCK.now_ns()
    _await_available(rds, name)
    return {"called_ns": called_ns, "answered_ns": answered_ns, "available_ns": _CLOCK.now_ns()}


def _await_available(rds: Any, name: str) -> str:
    """Wait, and return the endpoint's address."""
    rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier=name, WaiterConfig=_FAST)
    (described,) = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
    return str(described["Endpoint"]["Address"])


if __name__ == "__main__":
    main()
