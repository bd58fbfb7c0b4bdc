"""Hosted zones and their records: what a batch of changes makes of them, or why it is refused as a whole.

Simple records of the types A and CNAME. A record stands for a name once the DNS server answers with it.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drdrill.aws.errors import AwsError, NotImplementedInMirrorError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drdrill.aws.ports import AliasNames

TYPES = ("A", "CNAME")


@dataclass(frozen=True, slots=True)
class Record:
    """A resource record set: its name with a dot at the end, its type, and what it leads to."""

    name: str
    type: str
    ttl_seconds: int
    values: tuple[str, ...]

    @property
    def key(self) -> tuple[str, str]:
        """Return what there is one record for."""
        return self.name, self.type


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a batch: `CREATE`, `UPSERT` or `DELETE`, and the record."""

    action: str
    record: Record


class HostedZone:
    """One zone. Thread-safe."""

    def __init__(self, identifier: str, name: str, reference: str, names: AliasNames) -> None:
        self.identifier = identifier
        self.name = name
        self.reference = reference
        self._names = names
        self._lock = threading.Lock()
        self._records: dict[tuple[str, str], Record] = {}

    def __repr__(self) -> str:
        return f"HostedZone({self.identifier}, {self.name})"

    def records(self) -> tuple[Record, ...]:
        """Return all records in the order in which AWS lists them: by the labels of their names, the last one first."""
        with self._lock:
            found = list(self._records.values())
        return tuple(sorted(found, key=lambda one: (one.name.split(".")[::-1], one.type)))

    def change(self, batch: Sequence[Change]) -> None:
        """Make all changes or none; answers use them when this returns. Raises AWS's `InvalidChangeBatch`."""
        with self._lock:
            after = dict(self._records)
            problems = [problem for one in batch if (problem := self._apply(one, after))]
            problems += self._find_conflicts(after)
            if problems:
                raise AwsError("InvalidChangeBatch", f"[{', '.join(problems)}]")
            before, self._records = self._records, after
            for key in before.keys() - after.keys():
                self._names.withdraw(key[0].rstrip("."))
            for key, record in after.items():
                if before.get(key) != record:
                    self._publish(record)

    def _apply(self, change: Change, records: dict[tuple[str, str], Record]) -> str:
        """Make one change, and return why it cannot be made, `` if it was."""
        record = change.record
        problem = self._find_misplaced(record) or _find_mismatch(change, records.get(record.key))
        if problem:
            return problem
        if change.action == "DELETE":
            del records[record.key]
        else:
            records[record.key] = record
        return ""

    def _find_misplaced(self, record: Record) -> str:
        if record.name != self.name and not record.name.endswith(f".{self.name}"):
            return f"RRSet with DNS name {record.name} is not permitted in zone {self.name}"
        if record.type == "CNAME" and record.name == self.name:
            return f"RRSet of type CNAME with DNS name {record.name} is not permitted at apex in zone {self.name}"
        return ""

    @staticmethod
    def _find_conflicts(records: dict[tuple[str, str], Record]) -> list[str]:
        return [
            f"RRSet of type CNAME with DNS name {name} is not permitted as it conflicts with other records with "
            "the same DNS name"
            for name, kind in records
            if kind == "CNAME" and any(other == name and of != kind for other, of in records)
        ]

    def _publish(self, record: Record) -> None:
        name = record.name.rstrip(".")
        if record.type == "CNAME":
            self._names.publish_alias(name, record.values[0].rstrip("."), ttl_seconds=record.ttl_seconds)
        else:
            self._names.publish(name, record.values, ttl_seconds=record.ttl_seconds)


def _find_mismatch(change: Change, there: Record | None) -> str:
    record = change.record
    told = f"resource record set [name='{record.name}', type='{record.type}']"
    if change.action == "CREATE" and there is not None:
        return f"Tried to create {told} but it already exists"
    if change.action == "DELETE" and there is None:
        return f"Tried to delete {told} but it was not found"
    if change.action == "DELETE" and there != record:
        return f"Tried to delete {told} but the values provided do not match the current values"
    return ""


def check_type(kind: str) -> None:
    """Raise `NotImplementedInMirrorError` for a type of records that the mirror's DNS server does not answer."""
    if kind not in TYPES:
        raise NotImplementedInMirrorError(f"A record of the type {kind} in route53:ChangeResourceRecordSets")
