"""What became of the whole system, as the part `system` of `verdict.json`: seconds, and unknown as null."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.core.clock import NANOSECONDS

if TYPE_CHECKING:
    from drdrill.measure.capacity import SystemSeen
    from drdrill.measure.notices import Notices
    from drdrill.measure.system import SystemRecord


def render_system(record: SystemRecord | None) -> dict[str, Any] | None:
    """Return the part of the document; None where only databases were up."""
    if record is None:
        return None
    return {
        "region": record.region,
        "before": _seen(record.before),
        "after": _seen(record.after),
        "notices": _notices(record.notices),
        "agreements": [
            {"name": one.name, "across": one.across, "wrong": list(one.wrong), "problem": one.problem}
            for one in record.agreements
        ],
    }


def _seen(seen: SystemSeen | None) -> dict[str, Any] | None:
    if seen is None:
        return None
    return {
        "regions": {
            name: {"answers": one.answers, "nodes": one.nodes, "pods": dict(one.pods)}
            for name, one in seen.regions.items()
        },
        "name": seen.name,
        "addresses": dict(seen.addresses),
    }


def _notices(notices: Notices | None) -> dict[str, Any] | None:
    if notices is None:
        return None
    return {
        "told": [one.file for one in notices.told],
        "first_seconds": None if notices.first_ns is None else round(notices.first_ns / NANOSECONDS, 3),
        "longest_silence_seconds": round(notices.longest_silence_ns / NANOSECONDS, 3),
    }
