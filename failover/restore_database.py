"""Restore a database to a moment, after a bad statement: `python -m failover.restore_database payments --to TIME`.

1. The damaged database is set aside: renamed, so that its endpoint's name leads nowhere, and with a password that
   nobody knows, so that nothing writes to it any more. The renaming restarts it, which ends what was connected.
2. Its log has to be stored up to that moment.
3. A new one is restored beside it. Nobody is put on it: `replace_database` does that, when it was looked at.

Run again it goes on: what was set aside stays so, and what was asked for is waited for. The name of the damaged one and
the tags of the restored one say which moment it was for.

Whoever wants to look into the damaged one sets another password (`aws rds modify-db-instance`). What is restored has
the password of that moment: the one that clients have, as long as the moment lies before the first step.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
from datetime import UTC, datetime
from typing import Any

import boto3

from failover._instances import FROM, TO, becomes, read_all, read_tag
from failover._telling import StoppedError, run
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
    done = restore(boto3.client("rds"), asked.name, asked.to)
    sys.stdout.write(json.dumps(done) + "\n")


def restore(rds: Any, name: str, to: datetime) -> dict[str, str]:
    """Set the damaged database aside and restore it, as far as that was not done yet; return what was done."""
    damaged, restored = f"{name}-damaged-{to.astimezone(UTC):%Y%m%d-%H%M%S}", f"{name}-restored"
    there = read_all(rds)
    holder, aside, copy = there.get(name), there.get(damaged), there.get(restored)
    origin = {FROM: damaged, TO: to.isoformat()}
    if holder is not None and _comes_from(holder, origin):  # it was put in its place before
        return {"restored": name, "damaged": damaged, "to": to.isoformat()}
    if copy is not None and not _comes_from(copy, origin):
        raise StoppedError(
            f"{restored} exists, and is not {damaged} restored to {to.isoformat()}: nothing was touched.\n"
            f"What to do: delete it if nobody needs it, or run `python -m failover.replace_database {name}` if it is "
            "the right one."
        )
    if aside is not None and holder is not None:
        raise StoppedError(
            f"{damaged} was set aside, and there is a {name} that was not restored from it: nothing was touched.\n"
            "What to do: find out who made it, and rename one of the two."
        )
    if aside is None and holder is None:
        others = sorted(one for one in there if one.startswith(f"{name}-damaged-"))
        known = f" There is {', '.join(others)}: was it set aside for another moment?" if others else ""
        raise StoppedError(
            f"There is neither {name} nor {damaged}.{known}\n"
            "What to do: check the name, the region (AWS_REGION) and the moment."
        )
    if holder is not None and not becomes(holder, damaged):
        _set_aside(rds, name, damaged)
    await_renamed(rds, damaged)
    latest = await_restorable(rds, damaged, to)
    if copy is None:
        _ask_for(rds, damaged, restored, to, origin)
    await_available(rds, restored)
    return {
        "restored": restored,
        "damaged": damaged,
        "to": to.isoformat(),
        "stored_until": latest.isoformat(),
    }


def _comes_from(instance: dict[str, Any], origin: dict[str, str]) -> bool:
    return all(read_tag(instance, key) == value for key, value in origin.items())


def _set_aside(rds: Any, name: str, damaged: str) -> None:
    """Have the damaged database take another name, and another password."""
    rds.modify_db_instance(
        DBInstanceIdentifier=name,
        NewDBInstanceIdentifier=damaged,
        MasterUserPassword=secrets.token_urlsafe(24),
        ApplyImmediately=True,
    )


def _ask_for(rds: Any, damaged: str, restored: str, to: datetime, origin: dict[str, str]) -> None:
    """Ask for the restored database: as the damaged one is, and tagged with where it comes from."""
    (described,) = rds.describe_db_instances(DBInstanceIdentifier=damaged)["DBInstances"]
    tags = {tag["Key"]: tag["Value"] for tag in described.get("TagList", [])} | origin
    rds.restore_db_instance_to_point_in_time(
        SourceDBInstanceIdentifier=damaged,
        TargetDBInstanceIdentifier=restored,
        RestoreTime=to,
        MultiAZ=described["MultiAZ"],
        PubliclyAccessible=described["PubliclyAccessible"],
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
    )


if __name__ == "__main__":
    run(main)
