"""Look whether a database is back in the recovery region: promoted, available, and its name leads to it.

    python -m failover.replica_is_promoted [--replica NAME] [--region REGION] [--name DNS_NAME]

It changes nothing. Exit status 0: so it is; 1: what is not so is printed. Nothing here asks the primary region.
"""

from __future__ import annotations

import sys
from typing import Any

import boto3

from failover._telling import StoppedError, run
from failover.promote_replica import CONFIG, describe, read_arguments


def observe(rds: Any, route53: Any, replica: str, name: str) -> None:
    """Return when all of it is so. Raises `StoppedError` for the first thing that is not."""
    instance = describe(rds, replica)
    if source := instance.get("ReadReplicaSourceDBInstanceIdentifier"):
        raise StoppedError(f"{replica} still follows {source}.")
    if instance["DBInstanceStatus"] != "available":
        raise StoppedError(f"{replica} is {instance['DBInstanceStatus']}.")
    endpoint = instance["Endpoint"]["Address"]
    if (led := read_record(route53, name)) != endpoint:
        raise StoppedError(f"{name} leads to {led or 'nothing'}, not to {endpoint}.")


def read_record(route53: Any, name: str) -> str | None:
    """Return what a name is an alias of, None if it is none."""
    zone_name = f"{name.partition('.')[2]}."
    zones = route53.list_hosted_zones_by_name(DNSName=zone_name, MaxItems="1")["HostedZones"]
    if not zones or zones[0]["Name"] != zone_name:
        return None
    records = route53.list_resource_record_sets(
        HostedZoneId=zones[0]["Id"], StartRecordName=name, StartRecordType="CNAME", MaxItems="1"
    )["ResourceRecordSets"]
    if not records or records[0]["Name"] != f"{name}." or records[0]["Type"] != "CNAME":
        return None
    value: str = records[0]["ResourceRecords"][0]["Value"]
    return value.rstrip(".")


def main() -> None:
    """Look, and say what is so."""
    asked = read_arguments("Look whether a read replica is promoted and the database's name leads to it.")
    rds, route53 = boto3.client("rds", asked.region, config=CONFIG), boto3.client("route53", config=CONFIG)
    observe(rds, route53, asked.replica, asked.name)
    sys.stdout.write(f"{asked.replica} is promoted, and {asked.name} leads to it\n")


if __name__ == "__main__":
    run(main)
