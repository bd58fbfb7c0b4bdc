"""Restore a database to a moment, after a bad statement: `python -m failover.restore_database payments --to TIME`.

1. The damaged database is set aside: renamed, so that its endpoint's name leads nowhere, and with a password that
   nobody knows, so that nothing writes to it any more. The renaming restarts it, which ends what was connected.
2. Its log has to be stored up to that moment.
3. A new one is restored beside it. Nobody is put on it: `replace_database` does that, when it was looked at.

Whoever wants to look into the damaged one sets another password (`aws rds modify-db-instance`). What is restored has
the password of that moment: the one that clients have, as long as the moment lies before the first step.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
from datetime import UTC, datetime

import boto3

from failover._waiters import await_available, await_renamed, await_restorable


def main() -> None:
    """Restore as the command line says, and print what was done as JSON."""
    parser = argparse.ArgumentParser(description="Restore a database to a moment, beside the damaged one.")
    parser.add_argument("name", help="the DB instance")
    parser.add_argument(
        "--to", required=True, type=datetime.fromisoformat, help="the moment, with its offset"
    )
    asked = parser.parse_args()
    if asked.to.tzinfo is None or asked.to >= datetime.now(UTC):
        parser.error(
            "--to has to be a moment in the past, with its offset, such as 2026-11-28T19:05:00+00:00"
        )
    rds = boto3.client("rds")
    damaged = f"{asked.name}-damaged-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    restored = f"{asked.name}-restored"
    (described,) = rds.describe_db_instances(DBInstanceIdentifier=asked.name)["DBInstances"]
    rds.modify_db_instance(
        DBInstanceIdentifier=asked.name,
        NewDBInstanceIdentifier=damaged,
        MasterUserPassword=secrets.token_urlsafe(24),
        ApplyImmediately=True,
    )
    await_renamed(rds, damaged)
    latest = await_restorable(rds, damaged, asked.to)
    rds.restore_db_instance_to_point_in_time(
        SourceDBInstanceIdentifier=damaged,
        TargetDBInstanceIdentifier=restored,
        RestoreTime=asked.to,
        MultiAZ=described["MultiAZ"],
        PubliclyAccessible=described["PubliclyAccessible"],
        Tags=described.get("TagList", []),
    )
    await_available(rds, restored)
    done = {
        "restored": restored,
        "damaged": damaged,
        "to": asked.to.isoformat(),
        "stored_until": latest.isoformat(),
    }
    sys.stdout.write(json.dumps(done) + "\n")


if __name__ == "__main__":
    main()
