"""Put a restored database in the place of the damaged one: `python -m failover.replace_database payments`.

It takes the name, and the endpoint follows the name: clients find it where they always did. Run again it goes on.
"""

from __future__ import annotations

import argparse
from typing import Any

import boto3

from failover._instances import FROM, becomes, read_all, read_tag
from failover._telling import StoppedError, run
from failover._waiters import await_renamed


def main() -> None:
    """Give the restored database the name."""
    parser = argparse.ArgumentParser(description="Give NAME-restored the name NAME.")
    parser.add_argument("name", help="the DB instance that was set aside")
    replace(boto3.client("rds"), parser.parse_args().name)


def replace(rds: Any, name: str) -> None:
    """Give the restored database the name, unless it has it, and wait until it is available under it."""
    restored = f"{name}-restored"
    there = read_all(rds)
    holder, heir = there.get(name), there.get(restored)
    if heir is None and (holder is None or read_tag(holder, FROM) is None):
        raise StoppedError(
            f"There is no {restored}: nothing was touched.\n"
            f"What to do: run `python -m failover.restore_database {name} --to TIME` first."
        )
    if heir is not None and holder is not None:
        raise StoppedError(
            f"{name} exists, so {restored} cannot have its name: nothing was touched.\n"
            f"What to do: `python -m failover.restore_database {name} --to TIME` sets a damaged database aside."
        )
    if heir is not None and not becomes(heir, name):
        rds.modify_db_instance(
            DBInstanceIdentifier=restored, NewDBInstanceIdentifier=name, ApplyImmediately=True
        )
    await_renamed(rds, name)


if __name__ == "__main__":
    run(main)
