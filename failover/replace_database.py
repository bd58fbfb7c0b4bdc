"""Put a restored database in the place of the damaged one: `python -m failover.replace_database payments --to TIME`.

It takes the name, and the endpoint follows the name: clients find it where they always did. Run again it goes on. What
is in place was restored once: whether that was for this damage, `--to`, the moment that it was restored to, decides.
"""

from __future__ import annotations

import argparse
import sys
from datetime import datetime
from typing import Any

import boto3

from failover._instances import FROM, TO, becomes, read_all, read_tag
from failover._telling import StoppedError, run
from failover._waiters import await_renamed


def main() -> None:
    """Give the restored database the name, and say which one has it."""
    parser = argparse.ArgumentParser(description="Give NAME-restored the name NAME.")
    parser.add_argument("name", help="the DB instance that was set aside")
    parser.add_argument(
        "--to", type=datetime.fromisoformat, help="the moment that it was restored to, with its offset"
    )
    asked = parser.parse_args()
    if asked.to is not None and asked.to.tzinfo is None:
        parser.error("--to has to be a moment with its offset, such as 2026-11-28T19:05:00+00:00")
    sys.stdout.write(replace(boto3.client("rds"), asked.name, asked.to) + "\n")


def replace(rds: Any, name: str, to: datetime | None = None) -> str:
    """Give the restored database the name, unless it has it; wait until it is available under it; say what it is."""
    restored = f"{name}-restored"
    there = read_all(rds)
    holder, heir = there.get(name), there.get(restored)
    if heir is not None and holder is not None:
        raise StoppedError(
            f"{name} exists, so {restored} cannot have its name: nothing was touched.\n"
            f"What to do: `python -m failover.restore_database {name} --to TIME` sets a damaged database aside."
        )
    if heir is not None:
        _require(heir, restored, to)
        if not becomes(heir, name):
            rds.modify_db_instance(
                DBInstanceIdentifier=restored, NewDBInstanceIdentifier=name, ApplyImmediately=True
            )
        await_renamed(rds, name)
        return f"{name} is in place, {_origin(heir)}"
    if holder is None or read_tag(holder, FROM) is None:
        raise StoppedError(
            f"There is no {restored}: nothing was touched.\n"
            f"What to do: run `python -m failover.restore_database {name} --to TIME` first."
        )
    _require(holder, name, to)
    later = [one for one in sorted(there) if one.startswith(f"{name}-damaged-") and one > _tag(holder, FROM)]
    if later:
        raise StoppedError(
            f"{name} is {_origin(holder)}, and {later[-1]} was set aside after that: nothing was touched.\n"
            f"What to do: run `python -m failover.restore_database {name} --to TIME` to its end first."
        )
    await_renamed(rds, name)
    return f"{name} was in place already, {_origin(holder)}"


def _require(instance: dict[str, Any], name: str, to: datetime | None) -> None:
    """Stop when an instance was restored to another moment than the one that is wanted."""
    moment = _tag(instance, TO)
    if to is not None and (not moment or datetime.fromisoformat(moment) != to):
        raise StoppedError(
            f"{name} is {_origin(instance)}, and not to {to.isoformat()}: nothing was touched.\n"
            f"What to do: check the moment, or run `python -m failover.restore_database` with it first."
        )


def _origin(instance: dict[str, Any]) -> str:
    moment = _tag(instance, TO)
    return f"restored from {_tag(instance, FROM)}" + (f" to {moment}" if moment else "")


def _tag(instance: dict[str, Any], key: str) -> str:
    return read_tag(instance, key) or ""


if __name__ == "__main__":
    run(main)
