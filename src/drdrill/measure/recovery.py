"""How a scenario is recovered: along the plan's critical path, or by a runbook whose file and journal a drill keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from drdrill.core.clock import NANOSECONDS
from drdrill.core.errors import DamagedRecordError
from drdrill.core.verdict import Verdict
from drdrill.measure.failover_command import NOT_STATED
from drdrill.measure.projection import Projected, project_nothing, project_path
from drdrill.measure.reason import Reason
from drdrill.measure.runbook_projection import project_runbook
from drdrill.measure.runbook_record import read_record, read_runbook, was_run
from drdrill.plan.model import ObjectiveClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from drdrill.measure.facts import Fault
    from drdrill.measure.failover_command import CommandRecord
    from drdrill.measure.runbook_record import RunbookRecord
    from drdrill.plan.model import Plan, Scenario
    from drdrill.plan.runbook import Runbook


@dataclass(frozen=True, slots=True)
class Recovery:
    """How services come back in production, and when the disaster was declared in this drill (None: it was not).

    `runbook` None: along the scenario's critical path; or, with a `problem`, by something whose time in
    production is not known: a runbook that cannot be read, or a command in its place.
    """

    runbook: Runbook | None = None
    problem: str = ""
    declared_ns: int | None = None


def is_most_urgent(plan: Plan, service: str) -> bool:
    """Tell whether no service has to be back earlier: these wait only for a runbook's critical steps."""
    return plan.rto_of(service).within == min(tier.rto.within for tier in plan.tiers.values())


def read_recovery(
    directory: Path, scenario: Scenario, record: RunbookRecord | None, command: CommandRecord | None = None
) -> Recovery:
    """Read how a scenario is recovered; a runbook that cannot be read is said and not raised.

    `command`: what was run in the runbook's place.
    """
    declared_ns = record.declared_ns if record else None
    if command is not None:
        return Recovery(problem=NOT_STATED, declared_ns=declared_ns)
    if not scenario.runbook:
        return Recovery(declared_ns=declared_ns)
    try:
        return Recovery(read_runbook(directory), declared_ns=declared_ns)
    except DamagedRecordError as error:
        return Recovery(problem=str(error), declared_ns=declared_ns)


def read_record_of(
    directory: Path, plan: Plan, scenario: Scenario, fault: Fault | None
) -> RunbookRecord | None:
    """Read how a drill's runbook went, against the RTO of the scenario's own service.

    None: none was run, or nobody knows what it was.
    """
    if not was_run(directory) or _find_problem(directory):
        return None
    rto = plan.rto_of(scenario.service)
    return read_record(
        directory,
        limit_seconds=rto.within.total_seconds(),
        from_ns=fault.before_ns if fault else None,
        from_declaration=rto.clock is ObjectiveClock.DECLARATION,
        only_critical=is_most_urgent(plan, scenario.service),
    )


def check_run(directory: Path, scenario: Scenario, command: CommandRecord | None = None) -> Iterator[Reason]:
    """Demand the journal of a runbook that is the recovery, and the file of one that was run.

    `command`: what was run in the runbook's place; then no runbook is demanded.
    """
    if scenario.runbook and command is None and not was_run(directory):
        text = f"The recovery is {scenario.runbook}, and the drill has no journal of it."
        yield Reason(Verdict.INCONCLUSIVE, "runbook_not_run", text)
    problem = _find_problem(directory) if was_run(directory) else ""
    if problem:
        text = f"What the runbook was that was run is not known: {problem}."
        yield Reason(Verdict.INCONCLUSIVE, "runbook_not_read", text)


def _find_problem(directory: Path) -> str:
    try:
        read_runbook(directory)
    except DamagedRecordError as error:
        return str(error)
    return ""


def project_recovery(
    plan: Plan, scenario: Scenario, service: str, recovery: Recovery, seed: int
) -> Projected:
    """Project how long a service takes in production until it is back, on the clock of its own objective."""
    percentile = plan.projection.percentile
    if scenario.stays:
        return project_nothing(plan.projection, "nobody fails over, so nothing is recovered")
    if recovery.problem:
        return Projected(None, percentile, recovery.problem)
    if recovery.runbook is None:
        return project_path(scenario.critical_path, plan.projection, seed)
    only_critical = is_most_urgent(plan, service)
    from_declaration = plan.rto_of(service).clock is ObjectiveClock.DECLARATION
    told = project_runbook(
        recovery.runbook,
        seed=seed,
        only_critical=only_critical,
        percentile=percentile,
        from_declaration=from_declaration,
    )
    what = "its critical steps" if only_critical else "all of its steps"
    since = ", from the declaration" if from_declaration else ""
    basis = f"the runbook `{recovery.runbook.title}`, {what} as it states them{since}; {told.draws} draws"
    return Projected(round(told.percentile_seconds * NANOSECONDS), percentile, basis)
