"""How an old primary is kept from taking writes: a parameter group in which transactions are read-only, and a restart.

One that did not answer then may be back while the failover runs, as its region comes and goes, or returns in the
middle: it is fenced once more before anything is promoted beside it.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
    WaiterError,
)

from failover._telling import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from failover._old_primary import Finding

GROUP = "meqenet-fenced"
_READ_ONLY = {
    "ParameterName": "default_transaction_read_only", "ParameterValue": "1", "ApplyMethod": "immediate",
}  # fmt: skip
# A Multi-AZ instance restarts within two minutes (assumption); longer, and the look says how it stands.
_RESTART = {"Delay": 2, "MaxAttempts": 90}
_IS_BACK = {"Delay": 2, "MaxAttempts": 60}  # with its power back, a database starts first
# What a region without power looks like. A certificate, a proxy or credentials that are wrong are our own trouble.
_UNHEARD = (ConnectTimeoutError, ReadTimeoutError, EndpointConnectionError, ConnectionClosedError)
_ATTEMPTS = 3  # a region that comes and goes may be away again before it is done


def try_to_fence(rds: Any, database: str) -> bool:
    """Fence a database, and say what became of it; False: it is not fenced, and its region's API is not gone."""
    try:
        fence(rds, database)
    except _UNHEARD as error:
        say("not reachable: it could not be fenced", database=database, reason=str(error))
        return True
    except ClientError as error:
        said = error.response["Error"]
        say("not fenced", database=database, reason=f"{said['Code']}: {said.get('Message', '')}")
    except WaiterError as error:
        say("fencing was asked for, and not seen to be done", database=database, reason=str(error))
    except BotoCoreError as error:
        say("not fenced", database=database, reason=str(error))
    else:
        return True
    return False


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


def fence_returned(rds: Any, database: str) -> bool:
    """Fence a database of a region that may be back, once it has started; tell as `try_to_fence` does."""
    with contextlib.suppress(BotoCoreError, ClientError):  # what keeps it from being fenced is said then
        rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier=database, WaiterConfig=_IS_BACK)
    return try_to_fence(rds, database)


def fence_again(look: Callable[[], list[Finding]], fence: Callable[[str], object] | None) -> list[Finding]:
    """Look at old primaries, and `fence` those that may take writes, until none may; return what was found last.

    What does not let itself be fenced is found as it is. None: there is nobody to fence it.
    """
    findings = look()
    for _ in range(_ATTEMPTS):
        databases = sorted({one.database for one in findings if not one.safe})
        if not databases or fence is None:
            break
        for database in databases:
            say("it may take writes: it is fenced once more", database=database)
            fence(database)
        findings = look()
    return findings
