"""Say what there is of the small system, as one JSON document: what AWS says of it, and what it answers itself."""

from __future__ import annotations

import json
import sys
import urllib.request
from typing import Any

import boto3
import psycopg

HOME = "eu-west-1"


def main() -> None:
    """Look at it."""
    rds, eks = boto3.client("rds", HOME), boto3.client("eks", HOME)
    database = rds.describe_db_instances(DBInstanceIdentifier="stock")["DBInstances"][0]
    (balancer,) = boto3.client("elbv2", HOME).describe_load_balancers()["LoadBalancers"]
    (cache,) = boto3.client("elasticache", HOME).describe_replication_groups()["ReplicationGroups"]
    nodes = eks.describe_nodegroup(clusterName="shop", nodegroupName="few")["nodegroup"]
    cluster = eks.describe_cluster(name="shop")["cluster"]
    (zone,) = boto3.client("route53").list_hosted_zones()["HostedZones"]
    document: dict[str, Any] = {
        "object": boto3.client("s3", HOME).get_object(Bucket="papers", Key="first")["Body"].read().decode(),
        "key": database["KmsKeyId"],
        "database": [database[name] for name in ("DbiResourceId", "DBInstanceStatus", "InstanceCreateTime")],
        "group": database["DBParameterGroups"][0]["DBParameterGroupName"],
        "rows": _read_rows(database["Endpoint"]["Address"], "--write" in sys.argv),
        "balancer": [balancer["LoadBalancerArn"], balancer["DNSName"], balancer["State"]["Code"]],
        "cache": [cache["Status"], cache["NodeGroups"][0]["PrimaryEndpoint"]["Address"]],
        "cluster": [cluster["arn"], cluster["status"], cluster["endpoint"]],
        "nodes": [nodes["nodegroupArn"], nodes["status"], nodes["resources"]["autoScalingGroups"][0]["name"]],
        "zone": zone["Id"],
        "door": urllib.request.urlopen("http://www.shop.example/", timeout=10).read().decode(),
    }
    sys.stdout.write(json.dumps(document, default=str))


def _read_rows(endpoint: str, write: bool) -> int:
    with psycopg.connect(
        host=endpoint,
        user="keeper",
        password="correct-horse",  # noqa: S106 (of the test alone)
        dbname="postgres",
        autocommit=True,
    ) as connection:
        if write:
            connection.execute("create table if not exists seen (at timestamptz default now())")
            connection.execute("insert into seen default values")
        there = connection.execute("select to_regclass('seen') is not null").fetchone()
        if there != (True,):
            return 0
        counted = connection.execute("select count(*) from seen").fetchone()
        return int(counted[0]) if counted else 0


if __name__ == "__main__":
    main()
