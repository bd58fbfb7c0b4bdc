"""A record of calls made by hand, as an environment leaves it with a drill."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from drdrill.measure.call_record import FILE, RECORDED
from drdrill.record.journal import Journal
from tests.faults.fakes import ManualClock
from tests.measure.story import FAULT, SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drdrill.record.directory import DrillDirectory

HERE, THERE = "eu-west-1", "eu-central-1"
REPLICA = "db-REPLICA"

Line = dict[str, Any]


def call(
    operation: str,
    at: int,
    *,
    region: str = THERE,
    outcome: str = "ok",
    said: str = "",
    seconds: float = 0.01,
    **target: str,
) -> Line:
    """Return a call of `service:Operation`, so many seconds after the fault."""
    service, _, name = operation.partition(":")
    line: Line = {
        "kind": "call", "at_ns": FAULT + at * SECOND, "caller": "operators", "region": region, "service": service,
        "operation": name, "outcome": outcome, "seconds": seconds, "target": target,
    }  # fmt: skip
    return {**line, "said": said} if said else line


def connection(
    service: str,
    at: int,
    *,
    region: str = HERE,
    name: str = "",
    outcome: str = "unanswered",
    seconds: float = 2.0,
) -> Line:
    """Return an attempt to connect, so many seconds after the fault."""
    return {
        "kind": "connection", "at_ns": FAULT + at * SECOND, "caller": "operators", "region": region,
        "service": service, "name": name, "outcome": outcome, "tries": 2, "seconds": seconds,
    }  # fmt: skip


def databases(moment: str, at: int, *sources: str | None) -> Line:
    """Return a look at databases: copies in the recovery region, each of one of the primary's; None: of none."""
    return {
        "kind": "databases", "at_ns": FAULT + at * SECOND, "moment": moment,
        "instances": [
            {
                "id": f"{REPLICA}-{number}", "identifier": f"copy-{number}", "region": THERE,
                "source": None if source is None else f"arn:aws:rds:{HERE}:000000000000:db:{source}",
            }
            for number, source in enumerate(sources)
        ],
    }  # fmt: skip


def put_record(
    directory: DrillDirectory, lines: Sequence[Line], *, tail: str = "", told: bool = True
) -> DrillDirectory:
    """Put a record into a drill's directory; `told`: the journal refers to it."""
    path = directory.evidence / FILE
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + tail, encoding="utf-8")
    if told:
        tell(directory, RECORDED, **directory.describe_evidence(path, source="a test"))
    return directory


def tell(directory: DrillDirectory, kind: str, **data: str) -> None:
    """Append an event to a drill's journal, after its last one."""
    clock = ManualClock()
    clock.ns = FAULT + 1000 * SECOND
    Journal(directory.journal_path, actor="operator", clock=clock).append(kind, **data)
