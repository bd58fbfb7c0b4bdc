"""What a failover called, from the record that the environment kept while operators worked.

Written by the environment, line by line, so its last line may be torn. It must not know what should have been called.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drdrill.core.clock import NANOSECONDS
from drdrill.record.journal import read_journal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from drdrill.measure.facts import Fault
    from drdrill.record.directory import DrillDirectory
    from drdrill.record.journal import Event

FILE = "calls.jsonl"
RECORDED, UNRECORDED = "calls.recorded", "calls.unrecorded"
OK, UNANSWERED = "ok", "unanswered"


@dataclass(frozen=True, slots=True)
class Call:
    """A call that reached an API: `outcome` is `ok`, AWS's code, or `unanswered`; `said`: what it said of an error.

    `target`: which thing it was about, by AWS's names of parameters; `waited_ns`: for how long its caller waited.
    """

    at_ns: int
    caller: str
    region: str
    service: str
    operation: str
    outcome: str
    target: Mapping[str, str]
    said: str
    waited_ns: int

    @property
    def thing(self) -> str:
        """Return which thing it was about, in one text; `` where none is named."""
        return "/".join(self.target.values())


@dataclass(frozen=True, slots=True)
class Connection:
    """An attempt to connect that led to no API: `answered`, `refused` or `unanswered`, and how long that took."""

    at_ns: int
    caller: str
    region: str
    service: str
    name: str
    outcome: str
    waited_ns: int


@dataclass(frozen=True, slots=True)
class Database:
    """A database at a moment; `source`: the ARN of the one that it is a copy of, None: of none."""

    id: str
    identifier: str
    region: str
    source: str | None


@dataclass(frozen=True, slots=True)
class CallRecord:
    """What was called. `problem`: why that is not known; `unwatched`: why connections are not.

    `complete`: the record was kept to the failover's end; `before` and `after`: the databases that there were then,
    None: nobody looked. `origin_ns`: the fault's moment.
    """

    calls: tuple[Call, ...] = ()
    connections: tuple[Connection, ...] = ()
    before: tuple[Database, ...] | None = None
    after: tuple[Database, ...] | None = None
    complete: bool = False
    problem: str = ""
    unwatched: str = ""
    origin_ns: int | None = None


@dataclass(frozen=True, slots=True)
class CallGroup:
    """All calls of one caller for one operation of a region. `things`: what they were about, each once.

    `waited_ns`: in which at least one of those waited that nobody answered.
    """

    caller: str
    region: str
    service: str
    operation: str
    count: int
    failed: Mapping[str, int]
    first_ns: int
    things: tuple[str, ...]
    waited_ns: int


@dataclass(frozen=True, slots=True)
class ConnectionGroup:
    """All attempts to connect to one thing that came to the same. `waited_ns`: in which at least one of them waited."""

    caller: str
    region: str
    service: str
    name: str
    outcome: str
    count: int
    first_ns: int
    waited_ns: int


def read_calls(directory: DrillDirectory, fault: Fault | None) -> CallRecord | None:
    """Read what was called; None: the drill is of a time, or of a kind, in which that is not recorded.

    A record that is not there, or not as it was written, is said and not raised.
    """
    path = directory.evidence / FILE
    told = [one for one in read_journal(directory.journal_path) if one.kind in (RECORDED, UNRECORDED)]
    last = told[-1] if told else None
    if last is None and not path.exists():
        return None
    origin_ns = fault.before_ns if fault else None
    problem = _find_problem(path, last)
    if problem:
        return CallRecord(problem=problem, origin_ns=origin_ns)
    try:
        return _read(path.read_bytes(), told=last is not None, origin_ns=origin_ns)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return CallRecord(problem=f"{FILE} is not as drdrill stores it: {error!r}", origin_ns=origin_ns)


def _find_problem(path: Path, last: Event | None) -> str:
    """Return why a record cannot be believed."""
    if last is not None and last.kind == UNRECORDED:
        return str(last.data["reason"]).rstrip(".")
    if not path.is_file():
        return f"the journal refers to {FILE}, and it is not there"
    if last is not None and hashlib.sha256(path.read_bytes()).hexdigest() != last.data["sha256"]:
        return f"{FILE} is not what was written when the failover ended"
    return ""


def _read(content: bytes, *, told: bool, origin_ns: int | None) -> CallRecord:
    # What stands behind the last line's end was torn off while it was written.
    lines = [json.loads(line) for line in content.split(b"\n")[:-1]]
    databases = {str(one["moment"]): tuple(_databases(one)) for one in _of(lines, "databases")}
    unwatched = [str(one["reason"]) for one in _of(lines, "unwatched")]
    return CallRecord(
        calls=tuple(map(_call, _of(lines, "call"))),
        connections=tuple(map(_connection, _of(lines, "connection"))),
        before=databases.get("begin"),
        after=databases.get("end"),
        complete=told and "end" in databases,  # the last line that an environment writes
        unwatched=unwatched[-1] if unwatched else "",
        origin_ns=origin_ns,
    )


def _of(lines: Iterable[Mapping[str, Any]], kind: str) -> Iterator[Mapping[str, Any]]:
    return (line for line in lines if line["kind"] == kind)


def _call(line: Mapping[str, Any]) -> Call:
    return Call(
        at_ns=int(line["at_ns"]),
        caller=str(line["caller"]),
        region=str(line["region"]),
        service=str(line["service"]),
        operation=str(line["operation"]),
        outcome=str(line["outcome"]),
        target={str(name): str(value) for name, value in line["target"].items()},
        said=str(line.get("said", "")),
        waited_ns=round(float(line["seconds"]) * NANOSECONDS),
    )


def _connection(line: Mapping[str, Any]) -> Connection:
    return Connection(
        at_ns=int(line["at_ns"]),
        caller=str(line["caller"]),
        region=str(line["region"]),
        service=str(line["service"]),
        name=str(line["name"]),
        outcome=str(line["outcome"]),
        waited_ns=round(float(line["seconds"]) * NANOSECONDS),
    )


def _databases(line: Mapping[str, Any]) -> Iterator[Database]:
    for one in line["instances"]:
        source = one["source"]
        yield Database(
            str(one["id"]),
            str(one["identifier"]),
            str(one["region"]),
            None if source is None else str(source),
        )


def group_calls(calls: Sequence[Call]) -> tuple[CallGroup, ...]:
    """Return calls by caller, region, service and operation, in the order of their first ones."""
    grouped: dict[tuple[str, str, str, str], list[Call]] = {}
    for one in calls:
        grouped.setdefault((one.caller, one.region, one.service, one.operation), []).append(one)
    groups = (
        CallGroup(
            *key,
            count=len(ones),
            failed=dict(Counter(one.outcome for one in ones if one.outcome != OK)),
            first_ns=min(one.at_ns for one in ones),
            things=tuple(dict.fromkeys(one.thing for one in ones if one.thing)),
            waited_ns=measure_waiting(one for one in ones if one.outcome == UNANSWERED),
        )
        for key, ones in grouped.items()
    )
    return tuple(sorted(groups, key=lambda one: one.first_ns))


def group_connections(connections: Sequence[Connection]) -> tuple[ConnectionGroup, ...]:
    """Return attempts by what they were for and what they came to, in the order of their first ones."""
    grouped: dict[tuple[str, str, str, str, str], list[Connection]] = {}
    for one in connections:
        key = (one.caller, one.region, one.service, one.name, one.outcome)
        grouped.setdefault(key, []).append(one)
    groups = (
        ConnectionGroup(
            *key, count=len(ones), first_ns=min(one.at_ns for one in ones), waited_ns=measure_waiting(ones)
        )
        for key, ones in grouped.items()
    )
    return tuple(sorted(groups, key=lambda one: one.first_ns))


def measure_waiting(attempts: Iterable[Call | Connection]) -> int:
    """Return for how long at least one of these attempts waited: what waits side by side costs its time once."""
    waited_ns = until_ns = 0
    for one in sorted(attempts, key=lambda one: one.at_ns):
        end_ns = one.at_ns + one.waited_ns
        waited_ns += max(0, end_ns - max(one.at_ns, until_ns))
        until_ns = max(until_ns, end_ns)
    return waited_ns
