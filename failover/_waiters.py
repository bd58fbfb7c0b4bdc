"""What the SDK has no waiter for, as waiters of the SDK: its own loop polls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.waiter import Waiter, WaiterModel, create_waiter_with_client

if TYPE_CHECKING:
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


def _model(operation: str, acceptors: list[dict[str, Any]]) -> WaiterModel:
    wanted = {
        "operation": operation,
        "delay": _DELAY_SECONDS,
        "maxAttempts": _ATTEMPTS,
        "acceptors": acceptors,
    }
    return WaiterModel({"version": 2, "waiters": {"Wanted": wanted}})
