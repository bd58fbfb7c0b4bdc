"""The time until a store was protected again, by what was seen of it after the fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.measure.verdict import Measured

if TYPE_CHECKING:
    from drdrill.measure.facts import Facts


def measure_redundancy(facts: Facts, resource: str) -> Measured:
    """Return the time from the fault until redundancy was back; not known where nobody looked."""
    fault = facts.fault
    seen = [
        one
        for one in facts.redundancy
        if fault is not None and one.resource == resource and one.at_ns >= fault.before_ns
    ]
    if fault is None or not seen:
        return Measured(None, None)
    first = next((one for one in seen if one.protected), None)
    if first is None:
        return Measured(None, None, seen[-1].at_ns - fault.before_ns)
    took_ns = first.at_ns - fault.before_ns
    return Measured(took_ns, first.resolution_ns + max(0, fault.after_ns - fault.before_ns), took_ns)
