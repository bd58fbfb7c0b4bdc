"""A runbook's time in production, projected from its steps' stated durations: never measured, always labelled so.

Every draw takes a duration for each step, independently, and walks the graph: what is projected is the end of the
last step, so that the path that is critical may differ between draws. Seeded: a function of the file and the seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from drdrill.core.errors import Mistake
from drdrill.measure.projection import DRAWS, draw_durations, seeded
from drdrill.plan.document import write_path
from drdrill.plan.duration import format_seconds
from drdrill.plan.judgement import ObjectiveClock
from drdrill.plan.nearest import suggest
from drdrill.plan.runbook import Doer, Phase
from drdrill.plan.runbook_graph import order_steps

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from drdrill.plan.document import Keys, Place
    from drdrill.plan.model import Plan
    from drdrill.plan.runbook import Runbook


_OFTEN = 0.5


@dataclass(frozen=True, slots=True)
class RunbookProjection:
    """The projected length of a runbook in seconds, and how likely it is to be done within the objective.

    `percentile_seconds`: the length at the `percentile` that was asked for.
    `often_critical`: in which share of the draws each step was on the critical path. `slack_seconds`: how much longer
    than drawn a step may take, at the percentile's draw, before the objective is missed; negative: missed already;
    None: nothing that counts waits for it.
    """

    median_seconds: float
    p95_seconds: float
    machine_median_seconds: float
    objective_seconds: float | None
    within_objective: float | None
    often_critical: dict[str, float]
    slack_seconds: dict[str, float | None]
    draws: int
    percentile: float
    percentile_seconds: float


def project_runbook(
    runbook: Runbook,
    *,
    seed: int,
    objective_seconds: float | None = None,
    only_critical: bool = False,
    percentile: float = 95,
    from_declaration: bool = False,
) -> RunbookProjection:
    """Project a runbook; `only_critical`: up to the last step that critical services wait for.

    `from_declaration`: counted from when the disaster is declared, so that what leads up to that takes no time.
    """
    needs = {name: step.needs for name, step in runbook.steps.items()}
    order = order_steps(needs)
    generator = seeded(seed, "runbook")
    taken = {name: draw_durations(runbook.steps[name].duration, generator) for name in order}
    if from_declaration:
        taken |= dict.fromkeys(_find_before_declaration(runbook), np.zeros(DRAWS))
    last = [name for name in order if runbook.steps[name].critical or not only_critical] or order
    ends = _walk(order, needs, taken)
    total = np.maximum.reduce([ends[name] for name in last])
    # What the runbook waits for besides people: the same graph with people who answer at once.
    machine = {
        name: one if runbook.steps[name].by is Doer.MACHINE else np.zeros(DRAWS)
        for name, one in taken.items()
    }
    machine_total = np.maximum.reduce([_walk(order, needs, machine)[name] for name in last])
    after = _walk_back(order, needs, taken, last)
    through = {name: ends[name] + after[name] for name in order}  # the longest chain that each step is on
    median, p95 = (float(one) for one in np.percentile(total, [50, 95]))
    limit = p95 if objective_seconds is None else objective_seconds
    slack = {
        name: float(limit - np.percentile(one, 95)) if np.isfinite(one[0]) else None
        for name, one in through.items()
    }
    return RunbookProjection(
        median,
        p95,
        float(np.percentile(machine_total, 50)),
        objective_seconds,
        None if objective_seconds is None else float(np.mean(total <= objective_seconds)),
        {name: float(np.mean(through[name] >= total - 1e-9)) for name in order},
        slack,
        DRAWS,
        percentile,
        float(np.percentile(total, percentile)),
    )


def _find_before_declaration(runbook: Runbook) -> set[str]:
    """Return the gates that declare the disaster, and all that those wait for."""
    found: set[str] = set()
    waiting = [
        name for name, step in runbook.steps.items() if step.phase is Phase.DECLARE and step.action.gate
    ]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += runbook.steps[name].needs
    return found


def check_objectives(
    plan: Plan, runbook: Runbook, file: str, document: Place | None = None
) -> Iterator[Mistake]:
    """Yield what can never be met by the runbook itself: the shortest RTO, and roles that nobody has.

    The longest RTO binds the whole runbook, the shortest one the steps that critical services wait for.
    `document`: what is written in `file`; from there mistakes have their lines.
    """
    objectives = sorted((tier.rto for tier in plan.tiers.values()), key=lambda rto: rto.within)
    for rto, only_critical in ((objectives[0], True), (objectives[-1], False)):
        declared = rto.clock is ObjectiveClock.DECLARATION
        limit = rto.within.total_seconds()
        told = project_runbook(
            runbook, seed=0, objective_seconds=limit, only_critical=only_critical, from_declaration=declared
        )
        if told.median_seconds > limit:
            waits = ", ".join(name for name, share in told.often_critical.items() if share >= _OFTEN)
            since = " from the declaration on" if declared else ""
            yield _mistake_at(
                file,
                document,
                ("steps",),
                f"half of all runs take longer than {format_seconds(told.median_seconds)}{since}, and the RTO is "
                f"{format_seconds(limit)}. They wait for: {waits}.",
                "Make these steps faster or parallel, or change the objective.",
            )
    for name, step in runbook.steps.items():
        gate = step.action.gate
        if gate is not None and gate.role not in plan.roles:
            remedy = suggest(gate.role, plan.roles, what="There are")
            problem = f"the plan has no role called `{gate.role}`."
            yield _mistake_at(file, document, ("steps", name, "action", "gate", "role"), problem, remedy)


def _mistake_at(file: str, document: Place | None, path: Keys, problem: str, remedy: str) -> Mistake:
    line = 0 if document is None else document.closest(path).line
    return Mistake(file, line, write_path(path), problem, remedy)


Draws = np.ndarray[tuple[int], np.dtype[np.float64]]


def _walk(order: Iterable[str], needs: dict[str, list[str]], taken: dict[str, Draws]) -> dict[str, Draws]:
    ends: dict[str, Draws] = {}
    for name in order:
        begins = np.maximum.reduce([np.zeros(DRAWS), *(ends[one] for one in needs[name])])
        ends[name] = begins + taken[name]
    return ends


def _walk_back(
    order: list[str], needs: dict[str, list[str]], taken: dict[str, Draws], last: list[str]
) -> dict[str, Draws]:
    # What nothing that counts waits for is on no chain of it: minus infinity.
    after = {name: np.full(DRAWS, 0.0 if name in last else -np.inf) for name in order}
    for name in reversed(order):
        for one in needs[name]:
            after[one] = np.maximum(after[one], after[name] + taken[name])
    return after
