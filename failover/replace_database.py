"""Put a restored database in the place of the damaged one: `python -m failover.replace_database payments`.

It takes the name, and the endpoint follows the name: clients find it where they always did.
"""

from __future__ import annotations

import argparse

import boto3

from failover._waiters import await_renamed


def main() -> None:
    """Give the restored database the name."""
    parser = argparse.ArgumentParser(description="Give NAME-restored the name NAME.")
    parser.add_argument("name", help="the DB instance that was set aside")
    name = parser.parse_args().name
    rds = boto3.client("rds")
    rds.modify_db_instance(
        DBInstanceIdentifier=f"{name}-restored", NewDBInstanceIdentifier=name, ApplyImmediately=True
    )
    await_renamed(rds, name)


if __name__ == "__main__":
    main()
