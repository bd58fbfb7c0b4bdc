"""`drdrill env users`: users come to a standing mirror by the company's public name, and what they had is told."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from drdrill.core.errors import UsageError

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path

    from rich.console import Console

    from drdrill.drill.visit import Visited
    from drdrill.load.journeys import Journeys
    from drdrill.measure.journeys import Figures, JourneysMeasured

_EXIT_UNSTEADY = 1
_SHOWN = 5  # of what is wrong; the document has all


def _read_time(_: click.Context, __: click.Parameter, value: str) -> timedelta:
    from drdrill.plan.duration import parse_duration

    try:
        return parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command(
    name="users",
    epilog="""\b
Examples:
  drdrill env users --for 30s
  drdrill env users --for 1min --shape day --json

\b
Exit status: 0 every journey was completed, and nothing is wrong with what is stored; 1 something is; 2 wrong usage or a
mistake in a file; 5 the machine or the mirror is broken.""",
)
@click.option("--name", default="default", show_default=True, help="The mirror's name.")
@click.option(
    "--for", "duration", default="30s", show_default=True, callback=_read_time, help="How long they come."
)
@click.option(
    "--shape", help="How many come when: one of `journeys.shapes` of the workload; without it all the time."
)
@click.option("--seed", type=int, help="What they draw from; without it a new one.")
@click.option("--json", "as_json", is_flag=True, help="Print one document.")
def users(name: str, duration: timedelta, shape: str | None, seed: int | None, *, as_json: bool) -> int:
    """Let users make their journeys on a standing mirror, by the company's public name.

    Then everything is read back: what each of them was told against what is stored, and the workload's own queries.
    """
    from rich.console import Console

    from drdrill.cli.env import open_mirror
    from drdrill.cli.repository import find_repository
    from drdrill.cli.signals import interruptible
    from drdrill.drill.about import draw_seed
    from drdrill.drill.visit import visit
    from drdrill.load.workload import load_workload
    from drdrill.plan import load_plan

    console, root = Console(highlight=False, stderr=True), find_repository()
    plan = load_plan(root / "scenarios" / "plan.yaml")
    path = root / "environments" / "embedded" / "workload.yaml"
    workload = load_workload(path, plan)
    if workload.journeys is None:
        raise UsageError(
            f"{path}: users have no journeys to make. Add `journeys`; docs/mirror.md has an example."
        )
    with interruptible(), open_mirror(root, name) as environment:
        found = visit(
            environment,
            workload,
            _make_folder(root),
            zones=(*plan.regions.primary.zones, *plan.regions.recovery.zones),
            resource=plan.stores[workload.store].resource,
            seconds=duration.total_seconds(),
            shape=_find_shape(workload.journeys, shape),
            seed=draw_seed() if seed is None else seed,
            tell=_Progress(console, duration.total_seconds()),
        )
    if as_json:
        sys.stdout.write(json.dumps(found.to_json(), indent=1) + "\n")
    else:
        show(Console(highlight=False), found)
    return 0 if found.steady else _EXIT_UNSTEADY


class _Progress:
    """Tells now and then how long users have been there; on a terminal in one line that goes on."""

    def __init__(self, console: Console, seconds: float) -> None:
        self._console = console
        self._seconds = seconds
        self._told = -1

    def __call__(self, over: float) -> None:
        step = 1 if self._console.is_terminal else 10
        at = int(min(over, self._seconds)) // step
        if at != self._told:
            self._told = at
            end = "\r" if self._console.is_terminal and over < self._seconds else "\n"
            self._console.print(f"users are there: {at * step} of {self._seconds:g} s", end=end)


def _make_folder(root: Path) -> Path:
    from drdrill.core.clock import SystemClock

    folder = root / "reports" / "users" / f"{SystemClock().utc():%Y%m%dT%H%M%S}Z"
    folder.mkdir(parents=True)
    return folder


def _find_shape(journeys: Journeys, name: str | None) -> list[float] | None:
    from drdrill.plan.nearest import suggest

    if name is None:
        return None
    if name not in journeys.shapes:
        raise UsageError(f"there is no shape `{name}`. {suggest(name, journeys.shapes, what='Shapes')}")
    return journeys.shapes[name]


def show(console: Console, found: Visited) -> None:
    """Print what users had, and what is stored of it."""
    journeys = found.journeys
    for name, begun in journeys.begun.items():
        done = journeys.completed[name]
        _say(console, f"journey {name}: {done} of {begun} completed", well=done == begun)
    _show_figures(console, journeys)
    wrong = ", ".join(f"{count} {name}" for name, count in found.wrong_rows.items())
    if found.rows is None:
        _say(console, f"what users wrote could not be read back: {found.problem}", well=False)
    else:
        said = wrong or "all there, once and unaltered"
        _say(console, f"{found.rows.acknowledged} writes acknowledged: {said}", well=not wrong)
    for one in found.reconciled:
        what = f"{one.name}: {one.problem}" if one.problem else one.name
        _say(console, what, well=not (one.wrong or one.problem))
        more = len(one.wrong) - _SHOWN
        for line in (*one.wrong[:_SHOWN], *((f"and {more} more",) if more > 0 else ())):
            console.print(f"     {line}", markup=False)
    for line in found.remarks:
        console.print(f"  {line}", markup=False, soft_wrap=True)


def _show_figures(console: Console, journeys: JourneysMeasured) -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("service, zone or step")
    for heading in ("requests", "failed", "again", "p50", "p99", "worst"):
        table.add_column(heading, justify="right")
    for service, figures in journeys.services.items():
        table.add_row(*_row(service, figures), style="bold")
        for (of, zone), there in journeys.zones.items():
            if of == service:
                table.add_row(*_row(f"  answered in {zone}", there))
    for (journey, step), figures in journeys.steps.items():
        table.add_row(*_row(f"{journey}: {step}", figures))
    console.print(table)
    late = (
        ""
        if journeys.late_ms is None
        else f"; the users' own process was {journeys.late_ms:g} ms late at p99"
    )
    console.print(
        f"Milliseconds; a journey's first request from when it was due, others from when they left{late}.",
        soft_wrap=True,
    )


def _say(console: Console, text: str, *, well: bool) -> None:
    mark = "[green]ok[/]" if well else "[bold red]!![/]"
    console.print(f" {mark} ", end="")
    console.print(text, markup=False, soft_wrap=True)


def _row(name: str, figures: Figures) -> tuple[Any, ...]:
    times = (figures.p50_ms, figures.p99_ms, figures.worst_ms)
    counts = (figures.requests, figures.failed or "", figures.repeated or "")
    return (name, *map(str, counts), *("" if one is None else f"{one:.0f}" for one in times))
