"""Any call of RDS, with any parameters, in any state: AWS's typed error, or what was asked for; never anything else.

Calls go through the gate as bytes, so that also what no SDK would send is answered.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import given, note, settings
from hypothesis import strategies as st

from drdrill.aws.rds.api import RdsService
from drdrill.aws.rds.model import Status
from drdrill.aws.rds.snapshots import SnapshotStatus
from tests.properties.rds_calls import MODEL, Call, draw_calls
from tests.properties.rds_world import HOME, World

if TYPE_CHECKING:
    from collections.abc import Mapping

# What the operations that change something of an instance make of its status, and when they may: RDS User Guide,
# "Viewing DB instance status", and the errors of each operation in the API reference.
_ANY_REST = frozenset({
    Status.AVAILABLE, Status.INCOMPATIBLE_PARAMETERS, Status.FAILED, Status.STORAGE_FULL, Status.STOPPED,
    Status.INCOMPATIBLE_RESTORE,
})  # fmt: skip
LEADS_TO: Mapping[str, tuple[frozenset[str], str]] = {
    "DeleteDBInstance": (_ANY_REST, "deleting"),
    "RebootDBInstance": (frozenset({Status.AVAILABLE, Status.INCOMPATIBLE_PARAMETERS}), "rebooting"),
    "StopDBInstance": (frozenset({Status.AVAILABLE}), "stopping"),
    "StartDBInstance": (frozenset({Status.STOPPED}), "starting"),
    "PromoteReadReplica": (frozenset({Status.AVAILABLE}), "modifying"),
}
MADE_BY: Mapping[str, str] = {
    "CreateDBInstance": "DBInstanceIdentifier",
    "CreateDBInstanceReadReplica": "DBInstanceIdentifier",
    "RestoreDBInstanceFromDBSnapshot": "DBInstanceIdentifier",
    "RestoreDBInstanceToPointInTime": "TargetDBInstanceIdentifier",
}
# What any operation may answer, whether its model says so or not: API reference, "Common errors".
COMMON = frozenset({
    "InvalidParameterValue", "InvalidParameterCombination", "MissingParameter", "NotImplemented", "InvalidAction",
    "ValidationError", "MalformedInput",
})  # fmt: skip
PENDING = {
    "DBInstanceClass": "DBInstanceClass", "MultiAZ": "MultiAZ", "BackupRetentionPeriod": "BackupRetentionPeriod",
    "NewDBInstanceIdentifier": "DBInstanceIdentifier",
}  # fmt: skip


def _list_operations() -> tuple[str, ...]:
    """Return the operations that the mirror has."""
    with tempfile.TemporaryDirectory() as folder:
        world = World.make(Path(folder), [Status.AVAILABLE] * 4, [SnapshotStatus.AVAILABLE] * 3)
        return tuple(RdsService(world.regions[HOME]).operations())


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.sampled_from([*[Status.AVAILABLE] * 12, *Status]), min_size=4, max_size=4),
    st.lists(st.sampled_from([SnapshotStatus.AVAILABLE, *SnapshotStatus]), min_size=3, max_size=3),
    st.lists(draw_calls(_list_operations()), min_size=1, max_size=25),
)
def test_any_call_in_any_state(
    statuses: list[Status], snapshots: list[SnapshotStatus], calls: list[Call]
) -> None:
    """Every call is refused by a typed error and changes nothing, or does what it says."""
    with tempfile.TemporaryDirectory() as folder:
        world = World.make(Path(folder), statuses, snapshots)
        try:
            for call in calls:
                _call_and_judge(world, call)
        finally:
            world.close()


def _call_and_judge(world: World, call: Call) -> None:
    body = call.body()
    before, names, stood = (
        world.read(),
        world.read_names(),
        {one.record.identifier: one.record for one in world.standing},
    )
    status, answer = world.call(call.region, body)
    note(f"{status} for {call.region} {body}: {answer.get('Error')}")
    assert world.wire.failures == []
    if status != 200:
        code = answer["Error"]["Code"]
        assert status in (400, 403, 404, 501)
        assert (status == 501) == (code == "NotImplemented")
        assert code in COMMON | _declared(call.operation)
        assert answer["Error"]["Message"]
        assert world.read() == before
        assert world.read_names() <= names
    elif call.operation.startswith(("Describe", "List")):
        assert world.read() == before
    elif call.operation in MADE_BY:
        _judge_made(world, call, body, answer)
    elif call.operation in LEADS_TO:
        allowed, said = LEADS_TO[call.operation]
        described = answer["DBInstance"]
        was = stood.get(described["DBInstanceIdentifier"])
        assert described["DBInstanceStatus"] == said
        assert was is None or was.status in allowed
    elif call.operation == "ModifyDBInstance":
        _judge_modified(body, answer["DBInstance"])


def _declared(operation: str) -> set[str]:
    """Return the codes that an operation may answer by its model."""
    return {
        str(shape.metadata.get("error", {}).get("code", shape.name))
        for shape in MODEL.operation_model(operation).error_shapes
    }


def _judge_made(world: World, call: Call, body: Mapping[str, str], answer: Mapping[str, Any]) -> None:
    made = answer["DBInstance"]
    assert made["DBInstanceIdentifier"] == body[MADE_BY[call.operation]].lower()
    assert made["DBInstanceStatus"] == "creating"
    names = [one.record.identifier for one in world.regions[call.region].instances()]
    assert names.count(made["DBInstanceIdentifier"]) == 1


def _judge_modified(body: Mapping[str, str], described: Mapping[str, Any]) -> None:
    """Whatever was asked for is so, or is pending."""
    for asked, name in PENDING.items():
        if asked in body:
            wanted = body[asked].lower()
            found = {str(described[name]).lower(), str(described["PendingModifiedValues"].get(name)).lower()}
            assert wanted in found
    if "AllocatedStorage" in body:
        pending = described["PendingModifiedValues"].get("AllocatedStorage", 0)
        assert max(described["AllocatedStorage"], pending) >= int(body["AllocatedStorage"])
