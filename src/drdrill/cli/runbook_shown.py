"""A runbook and a run of it on a terminal and for machines: its graph, its projection, its waterfall."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from drdrill.plan.duration import format_seconds
from drdrill.plan.runbook import Doer
from drdrill.plan.runbook_graph import order_steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drdrill.measure.runbook_projection import RunbookProjection
    from drdrill.measure.waterfall import Bar
    from drdrill.plan.runbook import Runbook

_WIDTH = 32  # columns of the bars: a terminal of 80 has room for names and figures
_OFTEN = 0.5


def describe_runbook(runbook: Runbook, projection: RunbookProjection) -> dict[str, Any]:
    """Return what a dry run prints for machines."""
    return {
        "schema_version": 1,
        "title": runbook.title,
        "proposes": runbook.proposes,
        "steps": {name: step.model_dump(mode="json") for name, step in runbook.steps.items()},
        "projection": asdict(projection),
    }


def show_runbook(runbook: Runbook, projection: RunbookProjection) -> None:
    """Print the graph, the critical path, what would be touched, and how long it takes in production."""
    click.echo(f"{runbook.title}: {len(runbook.steps)} steps; nothing is run.\n")
    for name in order_steps({name: step.needs for name, step in runbook.steps.items()}):
        step = runbook.steps[name]
        mark = "*" if projection.often_critical[name] >= _OFTEN else " "
        needs = f", after {', '.join(step.needs)}" if step.needs else ""
        click.echo(f"{mark} {name} ({step.phase}, {step.by}{needs})")
        for touched in step.touches:
            click.echo(f"      touches {touched}")
        share = projection.often_critical[name]
        slack = projection.slack_seconds[name]
        left = "critical services do not wait for it" if slack is None else f"slack {format_seconds(slack)}"
        click.echo(f"      critical in {share:.0%} of the draws, {left}")
    click.echo("\n* on the critical path in most draws")
    for proposal in runbook.proposes:
        click.echo(f"Proposed change to the plan: {proposal}")
    click.echo(
        "Until critical services are back, projected for production, not measured: "
        f"{format_seconds(projection.median_seconds)} (median), "
        f"{format_seconds(projection.p95_seconds)} (95th percentile); machines alone "
        f"{format_seconds(projection.machine_median_seconds)} (median)."
    )
    if projection.within_objective is not None:
        click.echo(
            f"Within the objective of {format_seconds(projection.objective_seconds)} in "
            f"{projection.within_objective:.1%} of {projection.draws} draws."
        )


def describe_bars(bars: Sequence[Bar]) -> list[dict[str, Any]]:
    """Return the waterfall for machines."""
    return [asdict(bar) for bar in bars]


def show_bars(bars: Sequence[Bar]) -> None:
    """Print the waterfall: `#` a machine, `o` a person, `*` before what is on the critical path."""
    total = max((bar.ends_seconds for bar in bars), default=0.0) or 1.0
    longest = max((len(bar.name) for bar in bars), default=0)
    for bar in bars:
        begin = round(bar.begins_seconds / total * _WIDTH)
        length = max(1, round((bar.ends_seconds - bar.begins_seconds) / total * _WIDTH))
        drawn = " " * min(begin, _WIDTH - 1) + ("o" if bar.by is Doer.PERSON else "#") * length
        slack = "not done" if bar.slack_seconds is None else f"slack {format_seconds(bar.slack_seconds)}"
        click.echo(
            f"{'*' if bar.critical else ' '} {bar.phase:<11} {bar.name:<{longest}} |{drawn:<{_WIDTH}}| "
            f"{format_seconds(bar.ends_seconds - bar.begins_seconds)}, {slack}"
        )
