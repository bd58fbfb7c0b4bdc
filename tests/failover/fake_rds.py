"""RDS as far as the company's restores ask it: instances that are renamed and restored at once, and a laptop that dies.

A real client of boto3 whose calls are answered here instead of being sent, as botocore's own stub does it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
from botocore.awsrequest import AWSResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

TO = datetime(2026, 11, 28, 19, 5, tzinfo=UTC)


class LaptopDiedError(BaseException):
    """The operator's program ends here, and nobody catches that."""


@dataclass
class FakeRds:
    """What there is, and what was asked for that changes something."""

    instances: dict[str, dict[str, Any]] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)
    refuses: dict[str, tuple[str, str]] = field(default_factory=dict)  # by operation: code and message
    dies_at: int = -1  # at which call the laptop dies
    dies_before: bool = False  # the call was not sent, or its answer was not heard
    calls: int = 0
    slow: bool = False  # a renaming is not seen under the new name until it was looked at once
    _asked: dict[str, Any] = field(default_factory=dict)

    def client(self) -> Any:
        """Return a client of it."""
        client = boto3.client("rds", "eu-west-1", aws_access_key_id="nobody", aws_secret_access_key="nobody")  # noqa: S106
        client.meta.events.register_first("before-parameter-build.rds.*", self._note)
        client.meta.events.register("before-call.rds.*", self._answer)
        return client

    def add(self, name: str, *, status: str = "available", **tags: str) -> None:
        """Have an instance."""
        self.instances[name] = {
            "DBInstanceIdentifier": name,
            "DBInstanceStatus": status,
            "MultiAZ": True,
            "PubliclyAccessible": True,
            "PendingModifiedValues": {},
            "LatestRestorableTime": datetime(2027, 1, 1, tzinfo=UTC),
            "TagList": [{"Key": key.replace("_", "-"), "Value": value} for key, value in tags.items()],
        }

    def tags_of(self, name: str) -> dict[str, str]:
        """Return an instance's tags."""
        return {tag["Key"]: tag["Value"] for tag in self.instances[name]["TagList"]}

    def _note(self, params: dict[str, Any], **_: Any) -> None:
        self._asked = params

    def _answer(self, model: Any, **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        dies = self.calls == self.dies_at
        self.calls += 1
        if dies and self.dies_before:
            raise LaptopDiedError
        code, message = self.refuses.get(model.name, ("", ""))
        parsed: Mapping[str, Any]
        if code:
            parsed = {"Error": {"Code": code, "Message": message}}
        else:
            parsed = getattr(self, f"_{model.name}")(**self._asked)
        if dies:
            raise LaptopDiedError
        status = 400 if "Error" in parsed else 200
        answer = {**parsed, "ResponseMetadata": {"HTTPStatusCode": status}}
        return AWSResponse("https://rds.example.com", status, {}, None), answer

    def _DescribeDBInstances(self, DBInstanceIdentifier: str = "") -> dict[str, Any]:  # noqa: N802, N803
        found = [dict(one) for name, one in self.instances.items() if DBInstanceIdentifier in ("", name)]
        for name, one in list(self.instances.items()):
            if new := one["PendingModifiedValues"].get("DBInstanceIdentifier"):
                self._rename(name, new)
        if DBInstanceIdentifier and not found:
            return _refuse("DBInstanceNotFound", f"DBInstance {DBInstanceIdentifier} not found.")
        return {"DBInstances": found}

    def _DescribeDBSnapshots(self, **_: str) -> dict[str, Any]:  # noqa: N802
        taken = {"DBSnapshotIdentifier": "s-1", "Status": "available", "SnapshotCreateTime": TO}
        return {"DBSnapshots": [taken]}

    def _ModifyDBInstance(self, DBInstanceIdentifier: str, **asked: Any) -> dict[str, Any]:  # noqa: N802, N803
        new = asked["NewDBInstanceIdentifier"]
        if DBInstanceIdentifier not in self.instances:
            return _refuse("DBInstanceNotFound", f"DBInstance {DBInstanceIdentifier} not found.")
        if new in self.instances:
            return _refuse("DBInstanceAlreadyExists", "DB instance already exists")
        self.changes.append(f"rename {DBInstanceIdentifier} {new}")
        self.instances[DBInstanceIdentifier].update(
            DBInstanceStatus="renaming", PendingModifiedValues={"DBInstanceIdentifier": new}
        )
        if not self.slow:
            self._rename(DBInstanceIdentifier, new)
        return {"DBInstance": {}}

    def _rename(self, old: str, new: str) -> None:
        self.instances[new] = self.instances.pop(old)
        self.instances[new].update(
            DBInstanceIdentifier=new, DBInstanceStatus="available", PendingModifiedValues={}
        )

    def _RestoreDBInstanceToPointInTime(self, **asked: Any) -> dict[str, Any]:  # noqa: N802
        return self._restore(asked["TargetDBInstanceIdentifier"], asked["Tags"])

    def _RestoreDBInstanceFromDBSnapshot(self, **asked: Any) -> dict[str, Any]:  # noqa: N802
        return self._restore(asked["DBInstanceIdentifier"], asked["Tags"])

    def _restore(self, name: str, tags: list[dict[str, str]]) -> dict[str, Any]:
        if name in self.instances:
            return _refuse("DBInstanceAlreadyExists", "DB instance already exists")
        self.changes.append(f"restore {name}")
        self.add(name)
        self.instances[name]["TagList"] = tags
        return {"DBInstance": {}}

    def _DeleteDBInstance(self, DBInstanceIdentifier: str, **_: Any) -> dict[str, Any]:  # noqa: N802, N803
        self.changes.append(f"delete {DBInstanceIdentifier}")
        del self.instances[DBInstanceIdentifier]
        return {"DBInstance": {}}


def _refuse(code: str, message: str) -> dict[str, Any]:
    return {"Error": {"Code": code, "Message": message}}
