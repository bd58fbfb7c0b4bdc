"""Keep the primary region's databases from taking writes, as far as that region can still be reached.

    python -m failover.fence_primary [--look] [--although-primary-writes REASON]

Each gets a parameter group in which transactions are read-only, and is restarted, which ends the sessions that were
open. That is not replicated, and goes away with the group: a password would be another one in the recovery region, too,
a stop is refused to what has a replica, and a security group's rule does not end what is connected.

Then each is asked, by PostgreSQL's own protocol, whether it still takes writes. It ends with 0 when none does. When one
does and cannot be fenced, a person may say why the failover goes on: that is noted for six hours, and what promotes
the replicas reads it.

The only program that calls the primary region. It gives up soon there.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError, WaiterError  # noqa: A004

from failover._looking import conclude, make_parser
from failover._notes import open_notes
from failover._old_primary import OVERRIDE, OVERRIDE_VALID, Writes, find_hosts, observe_writes
from failover._places import DATABASES, INTERNAL, reach, reach_lost
from failover._telling import run, say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from failover._notes import Notes
    from failover._old_primary import Finding

GROUP = "meqenet-fenced"
TRIED = "fencing-tried"  # the note of when the primary region was asked to fence
_READ_ONLY = {
    "ParameterName": "default_transaction_read_only", "ParameterValue": "1", "ApplyMethod": "immediate",
}  # fmt: skip
_TRIED_VALID = timedelta(hours=1)  # tried again it does no harm, and the region may answer by then
# A Multi-AZ instance restarts within two minutes (assumption); longer, and the look says how it stands.
_RESTART = {"Delay": 2, "MaxAttempts": 90}
_UNHEARD = (ConnectionError, HTTPClientError)


def fence_all(rds: Any) -> None:
    """Fence each database, and say of each what became of it."""
    for database in DATABASES:
        try:
            fence(rds, database)
        except _UNHEARD as error:
            say("not reachable: nothing could be fenced", database=database, reason=str(error))
            return  # the region's API is one: it does not answer for the next one, either
        except ClientError as error:
            said = error.response["Error"]
            say("not fenced", database=database, reason=f"{said['Code']}: {said.get('Message', '')}")
        except WaiterError as error:
            say("fencing was asked for, and not seen to be done", database=database, reason=str(error))


def fence(rds: Any, database: str) -> None:
    """Make a database read-only and end its sessions, as far as that was not done before."""
    (instance,) = rds.describe_db_instances(DBInstanceIdentifier=database)["DBInstances"]
    groups = {one["DBParameterGroupName"]: one for one in instance.get("DBParameterGroups", ())}
    if groups.get(GROUP, {}).get("ParameterApplyStatus") == "in-sync":
        say("fenced before", database=database)
        return
    if GROUP not in groups:
        _make_group(rds, instance["EngineVersion"].partition(".")[0])
        rds.modify_db_instance(
            DBInstanceIdentifier=database, DBParameterGroupName=GROUP, ApplyImmediately=True
        )
    waiter = rds.get_waiter("db_instance_available")
    waiter.wait(DBInstanceIdentifier=database, WaiterConfig=_RESTART)
    rds.reboot_db_instance(DBInstanceIdentifier=database)
    waiter.wait(DBInstanceIdentifier=database, WaiterConfig=_RESTART)
    say("fenced", database=database, group=GROUP)


def _make_group(rds: Any, version: str) -> None:
    try:
        rds.create_db_parameter_group(
            DBParameterGroupName=GROUP,
            DBParameterGroupFamily=f"postgres{version}",
            Description="Read-only: fenced by a failover",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "DBParameterGroupAlreadyExists":
            raise
    rds.modify_db_parameter_group(DBParameterGroupName=GROUP, Parameters=[_READ_ONLY])


def look_at_all(route53: Any, heirs: Sequence[str], look: Callable[[str, str], Finding]) -> list[Finding]:
    """Look at every old primary by the names that lead to it; `heirs` are hosts that are none."""
    return [
        look(database, host)
        for database in DATABASES
        for host in find_hosts(route53, f"{database}-database.{INTERNAL}")
        if host not in heirs
    ]


def observe(findings: Sequence[Finding], notes: Notes) -> list[str]:
    """Print what was found, and return which old primary may take writes; nothing once a person said why to go on.

    One that does not answer here may answer its own region's services: so somebody has to have tried to fence it.
    """
    for finding in findings:
        finding.tell()
    unsafe = [f"{one.host} may take writes: {one.said}." for one in findings if not one.safe]
    if notes.read(TRIED, valid=_TRIED_VALID) is None:
        unsafe += [
            f"{one.host} does not answer here, and nobody has tried to fence it yet."
            for one in findings
            if one.writes is Writes.UNREACHABLE
        ]
    noted = notes.read(OVERRIDE, valid=OVERRIDE_VALID)
    if unsafe and noted is not None:
        say("although the old primary may take writes", reason=noted.text, noted=noted.at.isoformat())
        return []
    return unsafe


def read_heirs(rds: Any) -> list[str]:
    """Return the hosts of the recovery region's databases: after a promotion, names lead to them."""
    pages = rds.get_paginator("describe_db_instances").paginate()
    return [
        one["Endpoint"]["Address"] for page in pages for one in page["DBInstances"] if one.get("Endpoint")
    ]


def main() -> None:
    """Fence, look, and end with 0 only when no old primary takes writes."""
    parser = make_parser(
        "Keep the primary region's databases from taking writes, as far as it can be reached."
    )
    parser.add_argument(
        "--although-primary-writes", metavar="REASON", default="",
        help="note why the failover goes on although one may take writes (for six hours)",
    )  # fmt: skip
    asked, notes = parser.parse_args(), open_notes()
    route53, heirs = reach("route53"), read_heirs(reach("rds"))
    if not asked.look:
        if asked.although_primary_writes:
            notes.write(OVERRIDE, asked.although_primary_writes)
        fence_all(reach_lost("rds"))
        notes.write(TRIED, "every database of the primary region")
    findings = look_at_all(route53, heirs, observe_writes)
    missing = observe(findings, notes)
    if missing and not asked.look:
        missing.append(
            "What to do: end it by another way (its network, its hosts), and run this again. Only when no user reaches "
            "it: --although-primary-writes REASON."
        )
    unseen = sum(one.writes is Writes.UNREACHABLE for one in findings)
    conclude(missing, f"no old primary is seen to take writes ({unseen} of {len(findings)} do not answer)")


if __name__ == "__main__":
    run(main)
