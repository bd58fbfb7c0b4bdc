"""What the SDK has no waiter for, as waiters of the SDK: its own loop polls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import WaiterError
from botocore.waiter import Waiter, WaiterModel, create_waiter_with_client

from failover._telling import StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

_DELAY_SECONDS = 1
_ATTEMPTS = 3600
PATIENCE = {"Delay": _DELAY_SECONDS, "MaxAttempts": _ATTEMPTS}


def await_renamed(rds: Any, identifier: str) -> None:
    """Wait until an instance is found under its new name, and is available."""
    status = "DBInstances[].DBInstanceStatus"
    acceptors = [
        {"matcher": "pathAll", "argument": status, "expected": "available", "state": "success"},
        {"matcher": "error", "expected": "DBInstanceNotFound", "state": "retry"},
        {"matcher": "pathAny", "argument": status, "expected": "failed", "state": "failure"},
    ]
    model = _model("DescribeDBInstances", acceptors)
    create_waiter_with_client("Wanted", model, rds).wait(DBInstanceIdentifier=identifier)


def await_restorable(rds: Any, identifier: str, at: datetime) -> datetime:
    """Wait until the log of an instance is stored up to a time; return until when it is."""

    def look() -> dict[str, Any]:
        (instance,) = rds.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"]
        latest = instance.get("LatestRestorableTime")
        return {"Reached": latest is not None and latest >= at, "Latest": latest}

    acceptors = [{"matcher": "path", "argument": "Reached", "expected": True, "state": "success"}]
    waiter = Waiter("Wanted", _model("DescribeDBInstances", acceptors).get_waiter("Wanted"), look)
    waiter.wait()
    latest: datetime = look()["Latest"]
    return latest


def await_available(rds: Any, identifier: str) -> None:
    """Wait until an instance is available."""
    rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier=identifier, WaiterConfig=PATIENCE)


def await_seen(
    look: Callable[[], Sequence[str]],
    *,
    advice: str,
    delay: int = _DELAY_SECONDS,
    attempts: int = _ATTEMPTS,
) -> None:
    """Wait until a look finds nothing that is not so yet; raises `StoppedError` with what is not so at the end.

    `advice`: what to do then; `delay`: seconds from one look to the next.
    """

    def ask() -> dict[str, Any]:
        return {"Missing": "\n".join(look())}

    acceptors = [{"matcher": "path", "argument": "Missing", "expected": "", "state": "success"}]
    model = _model("Look", acceptors, delay=delay, attempts=attempts)
    try:
        Waiter("Look", model.get_waiter("Wanted"), ask).wait()
    except WaiterError as error:
        raise StoppedError(
            f"{error.last_response['Missing']}\nWhat to do: {advice} Then run the same command again: it goes on."
        ) from error


def _model(
    operation: str, acceptors: list[dict[str, Any]], *, delay: int = _DELAY_SECONDS, attempts: int = _ATTEMPTS
) -> WaiterModel:
    wanted = {
        "operation": operation,
        "delay": delay,
        "maxAttempts": attempts,
        "acceptors": acceptors,
    }
    return WaiterModel({"version": 2, "waiters": {"Wanted": wanted}})
