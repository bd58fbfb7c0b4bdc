"""Bring a database back in the recovery region: promote its read replica, and point its name at it.

    python -m failover.promote_replica [--replica NAME] [--region REGION] [--name DNS_NAME]

1. note how far the replica lags, as CloudWatch knows it: no data point means that nobody knows
2. promote it, and wait until AWS says that it is available
3. look that it follows nobody any more, and point the database's name at its endpoint
4. ask for a standby in another zone; users need not wait for that one

Run again it goes on: what is promoted stays promoted. Nothing here asks the primary region.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from failover._telling import StoppedError, run
from failover._waiters import PATIENCE, await_available

# An unanswered call is tried again soon: the defaults of the SDK wait for a minute.
CONFIG = Config(connect_timeout=2, read_timeout=10, retries={"mode": "standard", "max_attempts": 5})
_TTL_SECONDS = 5
_LAG_OF_LAST = timedelta(minutes=5)


def promote_replica(replica: str, region: str, name: str) -> None:
    """Promote a replica and have the database's name lead to it. Raises what AWS raises."""
    rds = boto3.client("rds", region, config=CONFIG)
    lag = read_lag(boto3.client("cloudwatch", region, config=CONFIG), replica)
    say("lag", seconds=lag, known=lag is not None)
    promote(rds, replica)
    instance = describe(rds, replica)
    if instance.get("ReadReplicaSourceDBInstanceIdentifier"):
        raise StoppedError(
            f"{replica} still follows {instance['ReadReplicaSourceDBInstanceIdentifier']}: the name was not touched.\n"
            "What to do: `aws rds describe-events` says why it was not promoted. Then run the same command again."
        )
    say("promoted", instance=replica, endpoint=instance["Endpoint"]["Address"])
    point(boto3.client("route53", config=CONFIG), name, instance["Endpoint"]["Address"])
    say("pointed", name=name, endpoint=instance["Endpoint"]["Address"])
    if not instance["MultiAZ"]:
        protect(rds, replica)
        say("standby requested", instance=replica)


def read_lag(cloudwatch: Any, replica: str) -> float | None:
    """Return the last known lag in seconds; None: there was no data point, and the lag is not known."""
    now = datetime.now(UTC)
    answer = cloudwatch.get_metric_statistics(
        Namespace="AWS/RDS",
        MetricName="ReplicaLag",
        Dimensions=[{"Name": "DBInstanceIdentifier", "Value": replica}],
        StartTime=now - _LAG_OF_LAST,
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["Maximum"],
    )
    points = sorted(answer["Datapoints"], key=lambda point: point["Timestamp"])
    return float(points[-1]["Maximum"]) if points and points[-1]["Maximum"] >= 0 else None


def promote(rds: Any, replica: str) -> None:
    """Promote the replica, unless that was done before, and wait until it is available."""
    try:
        rds.promote_read_replica(DBInstanceIdentifier=replica)
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvalidDBInstanceState" or describe(rds, replica).get(
            "ReadReplicaSourceDBInstanceIdentifier"
        ):
            raise
        say("promoted before", instance=replica)
    await_available(rds, replica)


def protect(rds: Any, instance: str) -> None:
    """Make it a Multi-AZ instance. What was just promoted may begin its first backup meanwhile: then once more."""
    for last in (False, False, False, True):
        try:
            rds.modify_db_instance(DBInstanceIdentifier=instance, MultiAZ=True, ApplyImmediately=True)
        except ClientError as error:
            if last or error.response["Error"]["Code"] != "InvalidDBInstanceState":
                raise
            await_available(rds, instance)
        else:
            return


def describe(rds: Any, instance: str) -> dict[str, Any]:
    """Return what AWS says of an instance."""
    described: dict[str, Any] = rds.describe_db_instances(DBInstanceIdentifier=instance)["DBInstances"][0]
    return described


def point(route53: Any, name: str, endpoint: str) -> None:
    """Have a name lead to an endpoint, and wait until all name servers say so."""
    zone_name = name.partition(".")[2]
    zones = route53.list_hosted_zones_by_name(DNSName=zone_name, MaxItems="1")["HostedZones"]
    if not zones or zones[0]["Name"] != f"{zone_name}.":
        raise StoppedError(
            f"There is no hosted zone {zone_name} for the name {name}: the database is promoted, nobody is led to it.\n"
            "What to do: check --name. Then run the same command again: what is promoted stays promoted."
        )
    record = {
        "Name": name,
        "Type": "CNAME",
        "TTL": _TTL_SECONDS,
        "ResourceRecords": [{"Value": endpoint}],
    }
    batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]}
    changed = route53.change_resource_record_sets(HostedZoneId=zones[0]["Id"], ChangeBatch=batch)
    waiter = route53.get_waiter("resource_record_sets_changed")
    waiter.wait(Id=changed["ChangeInfo"]["Id"], WaiterConfig=PATIENCE)


def say(what: str, **facts: object) -> None:
    """Print one line of what was done, for people and for machines."""
    sys.stdout.write(json.dumps({"at": datetime.now(UTC).isoformat(), "what": what, **facts}) + "\n")
    sys.stdout.flush()


def read_arguments(purpose: str) -> argparse.Namespace:
    """Return which replica, in which region, and by which name services know the database."""
    parser = argparse.ArgumentParser(description=purpose)
    parser.add_argument("--replica", default="payments-recovery", help="the replica's identifier")
    parser.add_argument("--region", default="eu-central-1", help="its region")
    parser.add_argument(
        "--name",
        default="payments-database.meqenet.internal",
        help="the DNS name by which services know the database",
    )
    return parser.parse_args()


def main() -> None:
    """Read the arguments and do it."""
    arguments = read_arguments("Promote a read replica and point the database's name at it.")
    promote_replica(arguments.replica, arguments.region, arguments.name)


if __name__ == "__main__":
    run(main)
