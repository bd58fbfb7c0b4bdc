"""What a drill showed beside its verdict: worth attention, and never a verdict by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.core.clock import NANOSECONDS
from drdrill.measure.reason import Finding
from drdrill.measure.replication import ReplicationState
from drdrill.measure.verdict import ObjectiveKind
from drdrill.plan.model import StandbyReplication

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from drdrill.measure.facts import About, Facts
    from drdrill.measure.outage import Outage
    from drdrill.measure.replication import Cut
    from drdrill.plan.model import Store

# The names of figures in an environment's budget, and the objective whose measured value each limits.
_BUDGETS = {
    "rta_seconds": ObjectiveKind.RTO,
    "rpa_seconds": ObjectiveKind.RPO,
    "re_protection_seconds": ObjectiveKind.RE_PROTECTION,
}


def find_elsewhere(
    about: About,
    facts: Facts,
    store: Store,
    outage: Outage | None,
    cut: Cut,
    *,
    measured: Mapping[ObjectiveKind, int | None],
) -> Iterator[Finding]:
    """Yield findings on clients, availability, replication, redundancy and the environment's budget."""
    for name, status in sorted(facts.statuses.items()):
        if status:
            yield Finding("client_failed", f"The client process {name} ended with status {status}.")
    for cohort in outage.cohorts if outage else ():
        if cohort.recovery.relapses:
            spells = cohort.recovery.relapses
            yield Finding(
                "relapse", f"{cohort.client.name} saw the service down again {spells} times after recovery."
            )
    if store.standby is StandbyReplication.SYNCHRONOUS and cut.state is ReplicationState.ASYNCHRONOUS:
        yield Finding(
            "standby_not_synchronous",
            "The plan says that the standby is synchronous; at the fault it was not.",
        )
    if any(not one.protected for one in facts.redundancy):
        yield Finding("unprotected", f"Redundancy of {store.resource} was not seen to come back.")
    for figure, limit in sorted(about.budget.items()):
        kind = _BUDGETS.get(figure)
        value_ns = measured.get(kind) if kind else None
        if kind is None:
            yield Finding("unknown_budget", f"The budget limits `{figure}`, which is not measured.")
        elif value_ns is not None and value_ns > limit * NANOSECONDS:
            yield Finding(
                "budget_exceeded", f"{figure}: {value_ns / NANOSECONDS:.3f}; the budget is {limit:g}."
            )
