"""What a drill showed beside its verdict: worth attention, and never a verdict by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.core.clock import NANOSECONDS
from drdrill.measure.availability import nanoseconds
from drdrill.measure.failover_command import find_command
from drdrill.measure.reason import Finding
from drdrill.measure.replication import ReplicationState
from drdrill.plan.model import StandbyReplication

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import timedelta

    from drdrill.measure.facts import About, Facts
    from drdrill.measure.outage import Outage
    from drdrill.measure.replication import Cut
    from drdrill.measure.sweep import Sweep
    from drdrill.plan.model import Store


def find_elsewhere(
    about: About,
    facts: Facts,
    store: Store,
    outage: Outage | None,
    cut: Cut,
    *,
    figures_ns: Mapping[str, int | None],
) -> Iterator[Finding]:
    """Yield findings on healing, clients, availability, replication, redundancy and the environment's budget.

    `figures_ns`: what was measured, by the names that a budget uses.
    """
    if facts.failed_later is not None:
        yield Finding("heal_failed", f"After the injection an act on it failed: {facts.failed_later}.")
    yield from find_command(facts.command)
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
    watched = [one for one in facts.redundancy if one.resource == store.resource]
    if watched and not any(one.protected for one in watched):
        yield Finding("unprotected", f"Redundancy of {store.resource} was not seen to come back.")
    yield from _find_over_budget(about, figures_ns)


def find_in_sweep(swept: Sweep, objective: timedelta) -> Iterator[Finding]:
    """Yield what other moments than the drilled one would have shown. `objective`: the most that may be lost."""
    curve, drilled = swept.curve, swept.drilled
    if drilled is not None and drilled.measured_ns is not None and not drilled.agrees:
        yield Finding(
            "swept_differs",
            f"{drilled.measured_ns / NANOSECONDS:.3f} s of acknowledgements are lost, but by the log positions it "
            f"should be {drilled.at_least_ns / NANOSECONDS:.3f} s to {drilled.at_most_ns / NANOSECONDS:.3f} s.",
        )
    if swept.broken_promises:
        yield Finding(
            "synchronous_behind",
            f"{swept.broken_promises} readings call the standby synchronous, although it had not told that it has "
            "what was acknowledged before.",
        )
    over = curve.known & (curve.at_most_ns > nanoseconds(objective))
    if over.any():
        worst_ns, time_ns = int(curve.at_most_ns[over].max()), int(curve.lengths_ns[over].sum())
        yield Finding(
            "swept_over_objective",
            f"Another moment could have cost more than the objective allows: up to {worst_ns / NANOSECONDS:.3f} s, "
            f"the objective is {objective.total_seconds():g} s. That held for {time_ns / NANOSECONDS:.1f} s.",
        )


def _find_over_budget(about: About, figures_ns: Mapping[str, int | None]) -> Iterator[Finding]:
    for figure, limit in sorted(about.budget.items()):
        value_ns = figures_ns.get(figure)
        if figure not in figures_ns:
            yield Finding("unknown_budget", f"The budget limits `{figure}`, which is not measured.")
        elif value_ns is not None and value_ns > limit * NANOSECONDS:
            yield Finding(
                "budget_exceeded", f"{figure}: {value_ns / NANOSECONDS:.3f}; the budget is {limit:g}."
            )
