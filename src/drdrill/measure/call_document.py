"""What a failover called, as the part `calls` of `verdict.json`: seconds from the fault, and unknown as null."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.core.clock import NANOSECONDS
from drdrill.measure.call_record import group_calls, group_connections

if TYPE_CHECKING:
    from drdrill.measure.call_record import CallRecord

_THINGS = 8  # of one operation; the record has them all


def render_calls(record: CallRecord | None) -> dict[str, Any] | None:
    """Return the part of the document; None where calls were not recorded."""
    if record is None:
        return None
    return {
        "complete": record.complete,
        "problem": record.problem or record.unwatched or None,
        "calls": [
            {
                "caller": one.caller,
                "region": one.region,
                "service": one.service,
                "operation": one.operation,
                "count": one.count,
                "failed": dict(one.failed),
                "first_seconds": _since(record, one.first_ns),
                "targets": list(one.things[:_THINGS]),
                "more_targets": max(0, len(one.things) - _THINGS),
                "waited_seconds": round(one.waited_ns / NANOSECONDS, 3),
            }
            for one in group_calls(record.calls)
        ],
        "connections": [
            {
                "caller": one.caller,
                "region": one.region,
                "service": one.service,
                "name": one.name,
                "outcome": one.outcome,
                "count": one.count,
                "first_seconds": _since(record, one.first_ns),
                "waited_seconds": round(one.waited_ns / NANOSECONDS, 3),
            }
            for one in group_connections(record.connections)
        ],
    }


def _since(record: CallRecord, at_ns: int) -> float | None:
    return None if record.origin_ns is None else round((at_ns - record.origin_ns) / NANOSECONDS, 3)
