"""Build the company's databases through AWS's API, as an operator would: no endpoint setting, only SDK waiters.

Runs on the operator's host. The password of the master user comes from the environment, never from a file here.
"""

from __future__ import annotations

import os

import boto3


def main() -> None:
    """Create what the plan's stores stand on, all at once, and wait until AWS says that they are available."""
    rds = boto3.client("rds", region_name="eu-west-1")
    rds.create_db_instance(
        DBInstanceIdentifier="payments",
        DBInstanceClass="db.r6g.large",
        Engine="postgres",
        AllocatedStorage=100,
        DBName="payments",
        MasterUsername="payments_app",
        MasterUserPassword=os.environ["PGPASSWORD"],
        MultiAZ=True,
        PubliclyAccessible=True,  # until the services run in the mirror, users reach the database themselves
        Tags=[{"Key": "data-class", "Value": "core_financial"}],
    )
    waiter = rds.get_waiter("db_instance_available")
    waiter.wait(DBInstanceIdentifier="payments", WaiterConfig={"Delay": 0.05, "MaxAttempts": 4800})
    (instance,) = rds.describe_db_instances(DBInstanceIdentifier="payments")["DBInstances"]
    name_database(instance["Endpoint"]["Address"])


def name_database(endpoint: str) -> None:
    """Give the database the name by which the services know it, whichever instance it is."""
    route53 = boto3.client("route53")
    zone = route53.create_hosted_zone(Name="meqenet.internal", CallerReference="build")["HostedZone"]["Id"]
    record = {
        "Name": "payments-database.meqenet.internal",
        "Type": "CNAME",
        "TTL": 5,  # as that of the endpoint behind it: resolvers that keep both apart keep neither longer
        "ResourceRecords": [{"Value": endpoint}],
    }
    change = {"Action": "UPSERT", "ResourceRecordSet": record}
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [change]})


if __name__ == "__main__":
    main()
