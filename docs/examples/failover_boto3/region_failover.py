"""Lambda function: fail over to another region. `event.json` says what and where to.

Databases and nodes come first, side by side; then services, then traffic. Can be called again.
"""
# ruff: noqa: INP001

from __future__ import annotations

import json
import logging
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

logger = logging.getLogger()
logger.setLevel(logging.INFO)
logging.getLogger("botocore").setLevel(logging.WARNING)

CONFIG = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "max_attempts": 5})
EVERY = {"Delay": 5, "MaxAttempts": 160}
DEPLOY_SECONDS = 600
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Meqenet status</title></head>
<body><h1>Meqenet status</h1><p>{text}</p><p>{at} UTC</p></body></html>
"""
LOST = "One of our two regions is lost, and we are moving everything to the other one."
BACK = "Payments and log-ins work again. If a payment of the last hours is missing, please tell us."


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Fail over, and return what was done."""
    region = event["region"]
    clients = {
        name: boto3.client(name, region, config=CONFIG) for name in ("rds", "eks", "elbv2", "route53", "s3")
    }
    tell_users(clients["s3"], event["status_bucket"], region, LOST)
    name_writer(event["writer"]["copies"], region)
    time.sleep(event["writer"]["lease_seconds"])
    with ThreadPoolExecutor() as pool:
        nodes = pool.submit(scale, clients["eks"], event["cluster"], event["nodegroup"], event["nodes"])
        promotions = [
            pool.submit(promote, clients["rds"], clients["route53"], replica, name)
            for replica, name in event["databases"].items()
        ]
        endpoints = [one.result() for one in promotions]
        nodes.result()
    logger.info("%d s are left", context.get_remaining_time_in_millis() / 1000)
    deploy(clients["elbv2"], event)
    switch(clients["route53"], event["public_name"])
    tell_users(clients["s3"], event["status_bucket"], region, BACK)
    for replica in event["databases"]:
        protect(clients["rds"], replica)
    return {"region": region, "databases": endpoints, "services": event["services"]}


def tell_users(s3: Any, bucket: str, region: str, text: str) -> None:
    """Put a notice on the status page, which everybody may read."""
    open_bucket(s3, bucket, region)
    page = PAGE.format(text=text, at=f"{datetime.now(UTC):%Y-%m-%d %H:%M}")
    s3.put_object(
        Bucket=bucket,
        Key="index.html",
        Body=page.encode(),
        ContentType="text/html; charset=utf-8",
        CacheControl="max-age=15",
    )


def name_writer(copies: dict[str, str], region: str) -> None:
    """Write where services of both regions read it that a region is the one that writes."""
    said = {"region": region, "since": datetime.now(UTC).isoformat(timespec="seconds")}
    for bucket, place in copies.items():
        s3 = boto3.client("s3", place, config=CONFIG)
        open_bucket(s3, bucket, place)
        s3.put_object(
            Bucket=bucket,
            Key="writer",
            Body=json.dumps(said).encode(),
            ContentType="application/json",
            CacheControl="no-store",
        )
    logger.info("%s is named as the region that writes", region)


def open_bucket(s3: Any, bucket: str, region: str) -> None:
    """Have a bucket that everybody may read."""
    # us-east-1 is where a bucket is made that names no region, and must not be named.
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        s3.create_bucket(Bucket=bucket, **where)
    except ClientError as error:
        if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
            raise
    s3.put_public_access_block(
        Bucket=bucket,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": False,
            "RestrictPublicBuckets": False,
        },
    )
    everybody = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    s3.put_bucket_policy(
        Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [everybody]})
    )


def promote(rds: Any, route53: Any, replica: str, name: str) -> str:
    """Promote a replica, let the database's name lead to it, and return where that is."""
    instance = describe(rds, replica)
    if instance.get("ReadReplicaSourceDBInstanceIdentifier"):
        rds.promote_read_replica(DBInstanceIdentifier=replica)
    rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier=replica, WaiterConfig=EVERY)
    endpoint: str = describe(rds, replica)["Endpoint"]["Address"]
    record = {"Name": name, "Type": "CNAME", "TTL": 5, "ResourceRecords": [{"Value": endpoint}]}
    change(route53, name, [record])
    logger.info("%s is promoted, and %s leads to it", replica, name)
    return endpoint


def describe(rds: Any, instance: str) -> dict[str, Any]:
    """Return what RDS says of an instance."""
    described: dict[str, Any] = rds.describe_db_instances(DBInstanceIdentifier=instance)["DBInstances"][0]
    return described


def protect(rds: Any, instance: str) -> None:
    """Ask for a standby in another zone; users do not wait for it."""
    for last in (False, False, True):
        rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier=instance, WaiterConfig=EVERY)
        try:
            rds.modify_db_instance(DBInstanceIdentifier=instance, MultiAZ=True, ApplyImmediately=True)
        except rds.exceptions.InvalidDBInstanceStateFault:  # its first backup may just have begun
            if last:
                raise
        else:
            return


def scale(eks: Any, cluster: str, nodegroup: str, nodes: dict[str, int]) -> None:
    """Give the cluster production's nodes."""
    eks.update_nodegroup_config(clusterName=cluster, nodegroupName=nodegroup, scalingConfig=nodes)
    waiter = eks.get_waiter("nodegroup_active")
    waiter.wait(clusterName=cluster, nodegroupName=nodegroup, WaiterConfig=EVERY)
    logger.info("%s has %d nodes", nodegroup, nodes["desiredSize"])


def deploy(elbv2: Any, event: dict[str, Any]) -> None:
    """Have the CI deploy the services, and wait until the load balancer has healthy targets of each."""
    wanted = {
        "repository": event["deploy"]["repository"],
        "revision": "main",
        "path": event["deploy"]["path"],
        "cluster": f"{event['cluster']}.{event['region']}",
        "within_seconds": DEPLOY_SECONDS,
    }
    request = urllib.request.Request(  # noqa: S310 (the company's own machine)
        event["deploy"]["address"], json.dumps(wanted).encode(), method="POST"
    )
    with urllib.request.urlopen(request, timeout=DEPLOY_SECONDS + 60) as answer:  # noqa: S310 (likewise)
        answer.read()
    for group in elbv2.describe_target_groups(Names=event["services"])["TargetGroups"]:
        waiter = elbv2.get_waiter("target_in_service")
        waiter.wait(TargetGroupArn=group["TargetGroupArn"], WaiterConfig=EVERY)
        logger.info("%s serves", group["TargetGroupName"])


def switch(route53: Any, name: str) -> None:
    """Give the recovery region all the weight of the public name, and the lost one none."""
    records = route53.list_resource_record_sets(
        HostedZoneId=find_zone(route53, name), StartRecordName=name, StartRecordType="A"
    )["ResourceRecordSets"]
    weighted = [one for one in records if (one["Name"], one["Type"]) == (f"{name}.", "A")]
    change(
        route53,
        name,
        [{**one, "Weight": 100 if one["SetIdentifier"] == "recovery" else 0} for one in weighted],
    )
    logger.info("%s leads to the recovery region", name)


def change(route53: Any, name: str, records: list[dict[str, Any]]) -> None:
    """Change records of the zone that a name is in, and wait until they are everywhere."""
    batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record} for record in records]}
    changed = route53.change_resource_record_sets(HostedZoneId=find_zone(route53, name), ChangeBatch=batch)
    route53.get_waiter("resource_record_sets_changed").wait(
        Id=changed["ChangeInfo"]["Id"], WaiterConfig=EVERY
    )


def find_zone(route53: Any, name: str) -> str:
    """Return the id of the hosted zone that a name is in."""
    domain = name.partition(".")[2]
    for zone in route53.list_hosted_zones_by_name(DNSName=domain)["HostedZones"]:
        if zone["Name"] == f"{domain}.":
            found: str = zone["Id"]
            return found
    raise LookupError(f"there is no hosted zone {domain}")
