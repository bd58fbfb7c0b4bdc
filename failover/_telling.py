"""How a program of operators ends: what stopped it is told in words, with what to do, and never as a traceback."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError, WaiterError

if TYPE_CHECKING:
    from collections.abc import Callable

_BROKEN_OFF = 130  # the exit status of what Ctrl-C ended, as shells have it
_AGAIN = "Then run the same command again: it goes on where it stopped."
_NOT_THERE = "Check the name and the region (AWS_REGION): AWS knows nothing of that name there."
_BUSY = "Something else is under way with it: wait until AWS says that it is available."
_TAKEN = "Something has that name already: look whether anybody needs it, and rename or delete it."
_NOT_ALLOWED = "Check the credentials (`aws sts get-caller-identity`) and what they are allowed to do."
_TOO_MUCH = "Wait a minute."
_NO_ROOM = "Have the quota raised, or delete what nobody needs."
_WHAT_TO_DO = {
    "DBInstanceNotFound": _NOT_THERE,
    "DBSnapshotNotFound": _NOT_THERE,
    "InvalidDBInstanceState": _BUSY,
    "InvalidDBSnapshotState": _BUSY,
    "DBInstanceAlreadyExists": _TAKEN,
    "DBSnapshotAlreadyExists": _TAKEN,
    "ResourceInUseException": _BUSY,
    "PriorRequestNotComplete": _BUSY,
    "ResourceNotFoundException": _NOT_THERE,
    "ParameterNotFound": _NOT_THERE,
    "NoSuchBucket": _NOT_THERE,
    "TargetGroupNotFound": _NOT_THERE,
    "LoadBalancerNotFound": _NOT_THERE,
    "BucketAlreadyExists": _TAKEN,
    "AccessDenied": _NOT_ALLOWED,
    "AccessDeniedException": _NOT_ALLOWED,
    "ExpiredToken": _NOT_ALLOWED,
    "InvalidClientTokenId": _NOT_ALLOWED,
    "SignatureDoesNotMatch": _NOT_ALLOWED,
    "Throttling": _TOO_MUCH,
    "ThrottlingException": _TOO_MUCH,
    "InstanceQuotaExceeded": _NO_ROOM,
    "SnapshotQuotaExceeded": _NO_ROOM,
    "StorageQuotaExceeded": _NO_ROOM,
    "InsufficientDBInstanceCapacity": "AWS has no machine of that class there: wait, or take another class.",
}
_READ_IT = "Read what AWS says, and put it right."


class StoppedError(Exception):
    """Why nothing more was done. Its text says what to do about it."""


class SaidNoError(StoppedError):
    """It was looked, and going on would be wrong. Not a failure: a runbook tells it by its status (`says_no`)."""

    status = 10


def say(what: str, **facts: object) -> None:
    """Print one line of what was done, for people and for machines."""
    sys.stdout.write(json.dumps({"at": datetime.now(UTC).isoformat(), "what": what, **facts}) + "\n")
    sys.stdout.flush()


def run(main: Callable[[], None]) -> None:
    """Run a program; what stops it is told on standard error, and the exit status is 1 (130: Ctrl-C)."""
    try:
        main()
    except SaidNoError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.status)
    except StoppedError as error:
        sys.exit(str(error))
    except ClientError as error:
        sys.exit(_tell_refusal(error.operation_name, error.response))
    except WaiterError as error:
        sys.exit(_tell_waiting(error))
    except BotoCoreError as error:
        sys.exit(
            f"AWS could not be asked: {error}\nWhat to do: check network, region and credentials. {_AGAIN}"
        )
    except KeyboardInterrupt:
        sys.stderr.write(f"Broken off; what AWS was asked for goes on there. {_AGAIN}\n")
        sys.exit(_BROKEN_OFF)


def _tell_refusal(operation: str, response: Any) -> str:
    said = response.get("Error", {})
    code = said.get("Code", "")
    what_to_do = _WHAT_TO_DO.get(code.removesuffix("Fault"), _READ_IT)
    return (
        f"AWS refused {operation}.\n{code}: {said.get('Message', 'it does not say why')}\n"
        f"What to do: {what_to_do} {_AGAIN}"
    )


def _tell_waiting(error: WaiterError) -> str:
    """Say in which state things were that were waited for in vain; a refusal while waiting is one as any other."""
    last = error.last_response if isinstance(error.last_response, dict) else {}
    if "Error" in last:
        return _tell_refusal(f"to be asked while it was waited for ({error.kwargs.get('name')})", last)
    states = [
        f"{one.get('DBInstanceIdentifier') or one.get('DBSnapshotIdentifier')} is "
        f"{one.get('DBInstanceStatus') or one.get('Status')}"
        for one in (*last.get("DBInstances", ()), *last.get("DBSnapshots", ()))
    ]
    where = "`aws rds describe-events`" if states else "AWS's console"
    if "nodegroup" in last:
        states.append(f"{last['nodegroup']['nodegroupName']} is {last['nodegroup']['status']}")
    if "ChangeInfo" in last:
        states.append(f"The change {last['ChangeInfo']['Id']} is {last['ChangeInfo']['Status']}")
    return (
        f"What was waited for did not come: {error}\n"
        + "".join(f"{state}.\n" for state in states)
        + f"What to do: {where} says what happened. {_AGAIN}"
    )
