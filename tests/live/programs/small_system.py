"""Build a little of everything with plain boto3, as a company's script would: what is kept and made again in a test."""

from __future__ import annotations

import sys

import boto3

HOME, AWAY = "eu-west-1", "eu-central-1"
QUICK = {"Delay": 1, "MaxAttempts": 120}


def main() -> None:
    """Build it; every waiter is botocore's own."""
    s3 = boto3.client("s3", HOME)
    s3.create_bucket(Bucket="papers", CreateBucketConfiguration={"LocationConstraint": HOME})
    s3.put_object(Bucket="papers", Key="first", Body=b"kept")
    key = boto3.client("kms", HOME).create_key()["KeyMetadata"]["Arn"]
    rds = boto3.client("rds", HOME)
    rds.create_db_parameter_group(
        DBParameterGroupName="stock", DBParameterGroupFamily="postgres18", Description="stock"
    )
    rds.create_db_instance(
        DBInstanceIdentifier="stock", DBInstanceClass="db.r6g.large", Engine="postgres", AllocatedStorage=20,
        MasterUsername="keeper", MasterUserPassword="correct-horse", StorageEncrypted=True, KmsKeyId=key,
        DBParameterGroupName="stock",
    )  # fmt: skip
    subnets = boto3.client("ec2", HOME).describe_subnets()["Subnets"]
    elb = boto3.client("elbv2", HOME)
    balancer = elb.create_load_balancer(Name="door", Subnets=[one["SubnetId"] for one in subnets[:2]])[
        "LoadBalancers"
    ][0]
    elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTP", Port=80,
        DefaultActions=[
            {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "MessageBody": "open"}}
        ],
    )  # fmt: skip
    caches = boto3.client("elasticache", HOME)
    caches.create_replication_group(
        ReplicationGroupId="sessions", ReplicationGroupDescription="sessions", Engine="valkey",
        CacheNodeType="cache.t4g.small", NumCacheClusters=1,
    )  # fmt: skip
    role = "arn:aws:iam::000000000000:role/anybody"
    eks = boto3.client("eks", HOME)
    eks.create_cluster(
        name="shop", roleArn=role, resourcesVpcConfig={"subnetIds": [one["SubnetId"] for one in subnets]}
    )
    eks.get_waiter("cluster_active").wait(name="shop", WaiterConfig=QUICK)
    eks.create_nodegroup(
        clusterName="shop", nodegroupName="few", nodeRole=role, subnets=[subnets[0]["SubnetId"]],
        scalingConfig={"minSize": 1, "maxSize": 1, "desiredSize": 1},
    )  # fmt: skip
    rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier="stock", WaiterConfig=QUICK)
    caches.get_waiter("replication_group_available").wait(ReplicationGroupId="sessions", WaiterConfig=QUICK)
    elb.get_waiter("load_balancer_available").wait(
        LoadBalancerArns=[balancer["LoadBalancerArn"]], WaiterConfig=QUICK
    )
    eks.get_waiter("nodegroup_active").wait(clusterName="shop", nodegroupName="few", WaiterConfig=QUICK)
    route53 = boto3.client("route53")
    zone = route53.create_hosted_zone(Name="shop.example", CallerReference="1")["HostedZone"]["Id"]
    alias = {
        "DNSName": balancer["DNSName"],
        "HostedZoneId": balancer["CanonicalHostedZoneId"],
        "EvaluateTargetHealth": False,
    }
    record = {"Name": "www.shop.example", "Type": "A", "AliasTarget": alias}
    route53.change_resource_record_sets(
        HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    )
    sys.stdout.write("built\n")


if __name__ == "__main__":
    main()
