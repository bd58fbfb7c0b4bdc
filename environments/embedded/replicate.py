"""Make the read replica of the database in the recovery region, and wait until it replicates.

Production has one all the time; the mirror makes it for the scenarios that need it.
"""

from __future__ import annotations

import boto3

REPLICA = "payments-recovery"


def main() -> None:
    """Create it over the link between the regions; AWS says `available` once it streams."""
    (source,) = boto3.client("rds", "eu-west-1").describe_db_instances(DBInstanceIdentifier="payments")[
        "DBInstances"
    ]
    rds = boto3.client("rds", "eu-central-1")
    rds.create_db_instance_read_replica(
        DBInstanceIdentifier=REPLICA,
        SourceDBInstanceIdentifier=source["DBInstanceArn"],
        SourceRegion="eu-west-1",
        PubliclyAccessible=True,
    )
    waiter = rds.get_waiter("db_instance_available")
    waiter.wait(DBInstanceIdentifier=REPLICA, WaiterConfig={"Delay": 0.2, "MaxAttempts": 1200})


if __name__ == "__main__":
    main()
