"""The failover to the recovery region as a plain script: one thing after the other, with the SDK's waiters.

What somebody would write first, and what `failover/runbook.yaml` is compared with. Runs on the operator's host:
`python _sequential_failover.py [--delay SECONDS]`; without `--delay` every waiter asks as seldom as the SDK has it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import boto3

_ROOT = Path(__file__).resolve().parents[1]
_REGION, _CLUSTER, _GROUP = "eu-central-1", "meqenet", "services"
_NAME = "api.meqenet.et."
_SERVICES = ("auth", "users", "payments", "documents", "notifications")


def promote(database: str, patience: dict[str, int]) -> None:
    """Promote a database's replica, and have its name lead to it."""
    rds, replica = boto3.client("rds", _REGION), f"{database}-recovery"
    rds.promote_read_replica(DBInstanceIdentifier=replica)
    rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier=replica, WaiterConfig=patience)
    (instance,) = rds.describe_db_instances(DBInstanceIdentifier=replica)["DBInstances"]
    record = {
        "Name": f"{database}-database.meqenet.internal",
        "Type": "CNAME",
        "TTL": 5,
        "ResourceRecords": [{"Value": instance["Endpoint"]["Address"]}],
    }
    change("meqenet.internal.", [{"Action": "UPSERT", "ResourceRecordSet": record}], patience)


def change(zone_name: str, changes: list[dict[str, Any]], patience: dict[str, int]) -> None:
    """Change records of a zone, and wait until all name servers have them."""
    route53 = boto3.client("route53")
    (zone,) = [
        one
        for one in route53.list_hosted_zones_by_name(DNSName=zone_name)["HostedZones"]
        if one["Name"] == zone_name
    ]
    changed = route53.change_resource_record_sets(HostedZoneId=zone["Id"], ChangeBatch={"Changes": changes})
    waiter = route53.get_waiter("resource_record_sets_changed")
    waiter.wait(Id=changed["ChangeInfo"]["Id"], WaiterConfig=patience)


def scale(patience: dict[str, int]) -> None:
    """Give the region production's nodes."""
    eks = boto3.client("eks", _REGION)
    eks.update_nodegroup_config(
        clusterName=_CLUSTER,
        nodegroupName=_GROUP,
        scalingConfig={"minSize": 3, "desiredSize": 3, "maxSize": 9},
    )
    waiter = eks.get_waiter("nodegroup_active")
    waiter.wait(clusterName=_CLUSTER, nodegroupName=_GROUP, WaiterConfig=patience)


def apply() -> None:
    """Give the region the rest of production's size by Terraform."""
    roots = _ROOT / "system" / "terraform" / "roots.py"
    command = [sys.executable, str(roots), "apply", "platform/recovery", "--set", "capacity=production"]
    subprocess.run(command, check=True)


def deploy(patience: dict[str, int]) -> None:
    """Have the CI deploy everything, and wait until the load balancer has healthy targets."""
    wanted = {
        "repository": "system", "revision": "main", "path": "overlays/recovery-production",
        "cluster": f"{_CLUSTER}.{_REGION}", "within_seconds": 600,
    }  # fmt: skip
    request = urllib.request.Request("http://ci.internal/deploy", json.dumps(wanted).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=660) as answer:  # noqa: S310 (likewise)
        answer.read()
    elbv2 = boto3.client("elbv2", _REGION)
    groups = elbv2.describe_target_groups(Names=list(_SERVICES))["TargetGroups"]
    for group in groups:
        waiter = elbv2.get_waiter("target_in_service")
        waiter.wait(TargetGroupArn=group["TargetGroupArn"], WaiterConfig=patience)


def switch(patience: dict[str, int]) -> None:
    """Give the recovery region all the weight."""
    route53 = boto3.client("route53")
    (zone,) = [
        one
        for one in route53.list_hosted_zones_by_name(DNSName=_NAME.partition(".")[2])["HostedZones"]
        if one["Name"] == _NAME.partition(".")[2]
    ]
    records = route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
    changes = [
        {
            "Action": "UPSERT",
            "ResourceRecordSet": {**one, "Weight": 100 if one["SetIdentifier"] == "recovery" else 0},
        }
        for one in records
        if one["Name"] == _NAME and one["Type"] == "A"
    ]
    change(zone["Name"], changes, patience)


def main() -> None:
    """Do it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--delay", type=int, help="seconds between two looks of every waiter")
    delay = parser.parse_args().delay
    patience = {"MaxAttempts": 600} if delay is None else {"MaxAttempts": 600, "Delay": delay}
    scale(patience)
    for database in ("payments", "users"):
        promote(database, patience)
    apply()
    deploy(patience)
    subprocess.run(
        [sys.executable, "-m", "failover.validate", "--services", "critical", "--target", "recovery"],
        check=True,
        cwd=_ROOT,
    )
    switch(patience)


if __name__ == "__main__":
    main()
