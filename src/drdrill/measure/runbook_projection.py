"""A runbook's time in production, projected from its steps' stated durations: never measured, always labelled so.

Every draw takes a duration for each step, independently, and walks the graph: what is projected is the end of the
last step, so that the path that is critical may differ between draws. Seeded: a function of the file and the seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from drdrill.measure.projection import DRAWS, draw_durations, seeded
from drdrill.plan.runbook import Doer
from drdrill.plan.runbook_graph import order_steps

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drdrill.plan.runbook import Runbook


@dataclass(frozen=True, slots=True)
class RunbookProjection:
    """The projected length of a runbook in seconds, and how likely it is to be done within the objective.

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


def project_runbook(
    runbook: Runbook, *, seed: int, objective_seconds: float | None = None, only_critical: bool = False
) -> RunbookProjection:
    """Project a runbook; `only_critical`: up to the last step that critical services wait for."""
    needs = {name: step.needs for name, step in runbook.steps.items()}
    order = order_steps(needs)
    generator = seeded(seed, "runbook")
    taken = {name: draw_durations(runbook.steps[name].duration, generator) for name in order}
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
    )


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
