"""Fail a new Multi-AZ instance over with plain boto3: what anybody would write for AWS."""

import json

import boto3

rds = boto3.client("rds")
created = rds.create_db_instance(
    DBInstanceIdentifier="stock",
    DBInstanceClass="db.r6g.large",
    Engine="postgres",
    AllocatedStorage=20,
    MasterUsername="postgres",
    MasterUserPassword="correct-horse",
    MultiAZ=True,
)
waiter = rds.get_waiter("db_instance_available")
waiter.wait(DBInstanceIdentifier="stock", WaiterConfig={"Delay": 1, "MaxAttempts": 120})
before = rds.describe_db_instances(DBInstanceIdentifier="stock")["DBInstances"][0]
rds.reboot_db_instance(DBInstanceIdentifier="stock", ForceFailover=True)
waiter.wait(DBInstanceIdentifier="stock", WaiterConfig={"Delay": 1, "MaxAttempts": 120})
after = rds.describe_db_instances(DBInstanceIdentifier="stock")["DBInstances"][0]
rds.delete_db_instance(DBInstanceIdentifier="stock", SkipFinalSnapshot=True)
rds.get_waiter("db_instance_deleted").wait(
    DBInstanceIdentifier="stock", WaiterConfig={"Delay": 1, "MaxAttempts": 120}
)
print(json.dumps([created["DBInstance"], before, after], default=str))  # noqa: T201
