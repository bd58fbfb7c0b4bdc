"""How an outage is split: by the runbook's own phases where one was run, else by what the cloud announced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.measure.outage import Phase, split_by_steps, split_outage

if TYPE_CHECKING:
    from drdrill.measure.facts import Facts
    from drdrill.measure.outage import Outage
    from drdrill.measure.runbook_record import RunbookRecord


def split(
    outage: Outage | None, runbook: RunbookRecord | None, facts: Facts, resource: str
) -> tuple[Phase, ...]:
    """Return its parts in order; `resource`: whose announcements count."""
    if outage is None:
        return ()
    if runbook is not None and (steps := runbook.waited_for):
        return split_by_steps(outage, steps)
    latest = [one for one in facts.failovers if one.resource == resource]
    return split_outage(outage, latest[-1].announced_ns if latest else ())
