"""Draws calls of RDS: the operations that the mirror has, with parameters that mostly fit, now and then an odd one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.model import ListShape, ServiceModel, Shape, StructureShape
from hypothesis import strategies as st

from drdrill.aws.protocol import load_model
from tests.properties.rds_world import ARN, AWAY, HOME

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MODEL: ServiceModel = load_model("rds")
_ODD = st.one_of(
    st.sampled_from([
        "", " ", "-", "a--b", "x" * 300, "ünïcode", "a\x00b", "a\x0bb", "\ud7ff￿", "arn:aws:rds::::", "http://[",
        "1e999",
        "9" * 5000, "-1", "0", "NaN", "true", "null", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00", "<a>&b;",
    ]),
    st.text(max_size=12).filter(lambda text: not any(0xD800 <= ord(letter) <= 0xDFFF for letter in text)),
)  # fmt: skip
_INSTANCES = (
    "orders",
    "reader",
    "small",
    "plain",
    "Orders",
    ARN.format(HOME, "db", "orders"),
    "nobody",
    "new-1",
)
_SNAPSHOTS = (
    "snap-0",
    "snap-1",
    "snap-2",
    "rds:orders-day",
    ARN.format(HOME, "snapshot", "snap-0"),
    "gone",
    "final-1",
)
_GROUPS = ("tuned", "unused", "default.postgres18", "nowhere", "two", "more")
# What members whose names end so are likely to be.
_LIKELY: tuple[tuple[str, tuple[object, ...]], ...] = (
    ("ResourceName", tuple(ARN.format(HOME, kind, name) for kind, name in (
        ("db", "orders"), ("db", "nobody"), ("snapshot", "snap-0"), ("snapshot", "rds:orders-day"), ("pg", "tuned"),
        ("subgrp", "two"), ("pg", "default.postgres18"), ("cluster", "c")))),
    ("TargetDBSnapshotIdentifier", ("final-1", "final-2", "snap-0")),
    ("FinalDBSnapshotIdentifier", ("final-1", "final-2", "snap-0")),
    ("NewDBInstanceIdentifier", ("new-1", "new-2", "orders", "small")),
    ("TargetDBInstanceIdentifier", ("new-1", "new-2", "orders")),
    ("SnapshotIdentifier", _SNAPSHOTS),
    ("InstanceIdentifier", _INSTANCES),
    ("SourceIdentifier", _INSTANCES),
    ("ResourceIdentifier", _INSTANCES),
    ("DbiResourceId", ("db-ORDERS", "db-orders", "db-NOBODY")),
    ("InstanceClass", ("db.r6g.large", "db.t3.micro", "db.r6g.large", "large")),
    ("GroupName", _GROUPS),
    ("Engine", ("postgres", "postgres", "postgres", "mysql")),
    ("EngineVersion", ("18", "17", "18.1")),
    ("GroupFamily", ("postgres18", "mysql8.0", "other")),
    ("MasterUsername", ("somebody", "somebody", "rdsadmin", "1")),
    ("MasterUserPassword", ("long-enough", "long-enough", "short")),
    ("AvailabilityZone", ("eu-west-1a", "eu-west-1b", "mars-1a")),
    ("SubnetIds", ("subnet-00000001", "subnet-00000002", "subnet-00000003", "vpc-1")),
    ("Url", ("http://[", f"https://rds.{HOME}.amazonaws.com/?Action=CreateDBInstanceReadReplica", "x")),
    ("KmsKeyId", ("alias/aws/rds", f"arn:aws:kms:{AWAY}:000000000000:key/11111111-2222-3333-4444-555555555555")),
    ("Window", ("sun:05:00-sun:06:00", "sun:05:00-sun:05:01", "05:00-06:00")),
    ("AllocatedStorage", (20, 100, 101, 200, 10**6)),
    ("RetentionPeriod", (0, 1, 7, 35, 36)),
    ("Port", (5432, 5433)),
    ("MaxRecords", (20, 100, 19)),
    ("StorageType", ("gp3", "io1")),
    ("ParameterName", ("work_mem", "max_connections", "wal_level", "rds.force_ssl", "none")),
    ("ParameterValue", ("1000", "-1", "many")),
    ("ApplyMethod", ("immediate", "pending-reboot")),
    ("SourceRegion", (HOME, AWAY)),
    ("SnapshotType", ("manual", "automated", "private")),
    ("SourceType", ("db-instance", "db-snapshot", "moon")),
    ("Name", ("db-instance-id", "engine", "snapshot-type", "moon")),
    ("Key", ("team", "cost", "aws:x")),
)  # fmt: skip
_TIMES = st.sampled_from(
    ["2026-11-28T10:00:00Z", "2026-11-28", "1764324000", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"]
) | st.datetimes().map(datetime.isoformat)


def _values(name: str, shape: Shape) -> st.SearchStrategy[Any]:
    """Return what draws a value of a member: mostly one that fits."""
    if isinstance(shape, ListShape):
        return st.lists(_values(name, shape.member), max_size=3)
    if isinstance(shape, StructureShape):
        return _structures(shape)
    likely = next((values for end, values in _LIKELY if name.endswith(end)), None)
    if likely is not None:
        return st.sampled_from([str(value) for value in likely])
    known = {
        "boolean": st.sampled_from(["true", "false"]),
        "integer": st.integers(-2, 120).map(str),
        "long": st.integers(-2, 120).map(str),
        "timestamp": _TIMES,
    }
    words = st.sampled_from([*getattr(shape, "enum", ()), "some", "other"])
    return known.get(shape.type_name, words)


# Of the operations that refuse most of what is drawn at random: what is mostly there, and what may be beside it.
_FITTING: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "CreateDBInstance": (
        ("MasterUsername", "MasterUserPassword"),
        ("AllocatedStorage", "MultiAZ", "BackupRetentionPeriod", "DBSubnetGroupName", "DBParameterGroupName", "Tags",
         "StorageEncrypted", "KmsKeyId", "DeletionProtection", "PreferredMaintenanceWindow", "EngineVersion"),
    ),
    "CreateDBInstanceReadReplica": (
        ("SourceDBInstanceIdentifier",),
        ("DBInstanceClass", "AvailabilityZone", "KmsKeyId", "DBParameterGroupName", "Tags", "PreSignedUrl"),
    ),
    "RestoreDBInstanceFromDBSnapshot": (
        ("DBSnapshotIdentifier",), ("DBInstanceClass", "MultiAZ", "AllocatedStorage", "BackupRetentionPeriod", "Tags"),
    ),
    "RestoreDBInstanceToPointInTime": (
        ("UseLatestRestorableTime",), ("SourceDBInstanceIdentifier", "SourceDbiResourceId", "RestoreTime", "MultiAZ"),
    ),
    "CopyDBSnapshot": ((), ("KmsKeyId", "Tags", "CopyTags", "SourceRegion", "PreSignedUrl")),
    "DeleteDBInstance": (("SkipFinalSnapshot",), ("FinalDBSnapshotIdentifier", "DeleteAutomatedBackups")),
    "ModifyDBInstance": (
        ("ApplyImmediately",),
        ("DBInstanceClass", "AllocatedStorage", "MultiAZ", "BackupRetentionPeriod", "NewDBInstanceIdentifier",
         "MasterUserPassword", "DBParameterGroupName", "DeletionProtection", "PreferredMaintenanceWindow"),
    ),
    "PromoteReadReplica": ((), ("BackupRetentionPeriod",)),
    "RebootDBInstance": ((), ("ForceFailover",)),
    "StartDBInstance": ((), ()),
    "StopDBInstance": ((), ()),
    "DescribeEvents": ((), ("SourceType", "SourceIdentifier", "StartTime", "EndTime", "Duration", "MaxRecords")),
    "DeleteDBInstanceAutomatedBackup": (("DbiResourceId",), ()),
}  # fmt: skip


def _structures(shape: StructureShape, operation: str = "") -> st.SearchStrategy[dict[str, Any]]:
    members = {name: _values(name, member) for name, member in shape.members.items()}
    mostly, beside = _FITTING.get(operation, ((), tuple(members.keys() - set(shape.required_members))))
    always = {name: members[name] for name in (*shape.required_members, *mostly)}
    # Few at a time: what is refused hides what would come after it.
    fitting = _few(always, {name: members[name] for name in beside})
    rest = {name: one for name, one in members.items() if name not in shape.required_members}
    anything = _few({name: members[name] for name in shape.required_members}, rest)
    return _now_and_then(anything, else_=fitting)


def _now_and_then(this: st.SearchStrategy[Any], *, else_: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Draw one time in eight from this: the alternatives of `one_of` have no weights."""
    return st.integers(0, 7).flatmap(lambda number: this if number == 7 else else_)


def _few(
    always: dict[str, st.SearchStrategy[Any]], beside: dict[str, st.SearchStrategy[Any]]
) -> st.SearchStrategy[dict[str, Any]]:
    chosen = st.lists(st.sampled_from(sorted(beside)), max_size=3, unique=True) if beside else st.just([])
    return chosen.flatmap(
        lambda names: st.fixed_dictionaries({**always, **{name: beside[name] for name in names}})
    )


@dataclass(frozen=True)
class Call:
    """A call as a form; `odd`: (which of its fields, what it says instead; None: nothing)."""

    operation: str
    region: str
    parameters: Mapping[str, Any]
    odd: tuple[int, str | None] | None

    def body(self) -> dict[str, str]:
        """Return the form."""
        body: dict[str, str] = {}
        _flatten(body, self.parameters, MODEL.operation_model(self.operation).input_shape, "")
        fields = sorted(body)
        if self.odd is not None and fields:
            name = fields[self.odd[0] % len(fields)]
            body.pop(name)
            if self.odd[1] is not None:
                body[name] = self.odd[1]
        return {"Action": self.operation, "Version": "2014-10-31", **body}


def _flatten(form: dict[str, str], value: Any, shape: Shape | None, prefix: str) -> None:
    """Write a value as an SDK writes it, whatever it says."""
    if isinstance(shape, StructureShape):
        for name, one in value.items():
            member = shape.members[name]
            key = member.serialization.get("name", name)
            _flatten(form, one, member, f"{prefix}.{key}" if prefix else key)
    elif isinstance(shape, ListShape):
        stem = prefix
        if not shape.serialization.get("flattened"):
            stem = f"{prefix}.{shape.member.serialization.get('name', 'member')}"
        for number, one in enumerate(value, 1):
            _flatten(form, one, shape.member, f"{stem}.{number}")
        if not value:
            form[prefix] = ""
    else:
        form[prefix] = str(value)


def draw_calls(operations: Iterable[str]) -> st.SearchStrategy[Call]:
    """Return what draws a call of one of these operations."""

    def of(operation: str) -> st.SearchStrategy[Call]:
        shape = MODEL.operation_model(operation).input_shape
        assert shape is not None
        odd = _now_and_then(st.tuples(st.integers(0, 20), st.none() | _ODD), else_=st.none())
        return st.builds(
            Call,
            st.just(operation),
            _now_and_then(st.just(AWAY), else_=st.just(HOME)),
            _structures(shape, operation),
            odd,
        )

    return st.one_of([of(operation) for operation in sorted(operations)])
