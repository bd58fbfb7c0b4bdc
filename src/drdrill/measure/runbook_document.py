"""A runbook's record as part of `verdict.json`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from drdrill.core.clock import NANOSECONDS

if TYPE_CHECKING:
    from drdrill.measure.runbook_record import RunbookRecord
    from drdrill.measure.waterfall import Bar


def render_runbook(record: RunbookRecord | None, fault_ns: int | None) -> dict[str, Any] | None:
    """Return the document; None: the drill had no runbook. `fault_ns`: what its begin is told from."""
    if record is None:
        return None
    return {
        "title": record.title,
        "done": not record.not_done,
        "begun_after_seconds": _since(record.begun_ns, fault_ns),
        "declared_after_seconds": _since(record.declared_ns, fault_ns),
        "path_seconds": _rounded(record.path_seconds),
        "people_seconds": _rounded(record.people_seconds),
        "machine_seconds": _rounded(record.machine_seconds),
        "bound_seconds": _rounded(record.bound_seconds),
        "machine_to_bound": _rounded(record.machine_to_bound),
        "steps": [_step(bar) for bar in record.bars],
        "not_done": [asdict(one) for one in record.not_done],
        "gates": [asdict(one) for one in record.gates],
    }


def _step(bar: Bar) -> dict[str, Any]:
    return {
        "name": bar.name,
        "phase": bar.phase.value,
        "by": bar.by.value,
        "begins_seconds": _rounded(bar.begins_seconds),
        "ends_seconds": _rounded(bar.ends_seconds),
        "acting_seconds": _rounded(bar.acting_seconds),
        "done": bar.done,
        "acted": bar.acted,
        "critical": bar.critical,
        "slack_seconds": _rounded(bar.slack_seconds),
    }


def _since(at_ns: int | None, fault_ns: int | None) -> float | None:
    return None if at_ns is None or fault_ns is None else _rounded((at_ns - fault_ns) / NANOSECONDS)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)
