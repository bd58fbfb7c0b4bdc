"""Build all that the harbour's services stand on: the database, and one cluster in the primary region alone."""

from __future__ import annotations

import runpy
from pathlib import Path

import boto3

REGION, CLUSTER = "us-east-2", "harbour"
ROLE = "arn:aws:iam::000000000000:role/eks"
PATIENCE = {"Delay": 1, "MaxAttempts": 600}


def main() -> None:
    """Create it, and wait until it is there."""
    eks, ec2 = boto3.client("eks", REGION), boto3.client("ec2", REGION)
    subnets = [one["SubnetId"] for one in ec2.describe_subnets()["Subnets"]]
    eks.create_cluster(name=CLUSTER, roleArn=ROLE, resourcesVpcConfig={"subnetIds": subnets})
    runpy.run_path(str(Path(__file__).with_name("build.py")), run_name="__main__")
    eks.get_waiter("cluster_active").wait(name=CLUSTER, WaiterConfig=PATIENCE)
    workers = {"clusterName": CLUSTER, "nodegroupName": "workers"}
    sizes = {"minSize": 2, "maxSize": 2, "desiredSize": 2}
    eks.create_nodegroup(**workers, subnets=subnets, nodeRole=ROLE, scalingConfig=sizes)
    eks.get_waiter("nodegroup_active").wait(**workers, WaiterConfig=PATIENCE)


if __name__ == "__main__":
    main()
