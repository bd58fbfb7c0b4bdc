"""`drdrill plan`: checks a plan, prints its schema."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from drdrill.core.errors import EXIT_USAGE

if TYPE_CHECKING:
    from drdrill.core.errors import Mistake


@click.group(
    name="plan",
    epilog="""\b
Example:
  drdrill plan check scenarios/plan.yaml

\b
Exit status: 0 no mistakes; 2 mistakes, or wrong usage.""",
)
def command() -> None:
    """Check the plan, or print its JSON Schema."""


@command.command(
    name="check",
    short_help="Print every mistake of a plan.",
    epilog="""\b
Examples:
  drdrill plan check scenarios/plan.yaml
  drdrill plan check --json scenarios/plan.yaml
  drdrill plan check --runbook failover/runbook.yaml

\b
Exit status: 0 no mistakes; 2 mistakes, or wrong usage.""",
)
@click.argument("file", type=click.Path(path_type=Path), default=Path("scenarios/plan.yaml"))
@click.option(
    "--runbook", type=click.Path(path_type=Path), help="Check this runbook too, and against the plan's RTO."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def check(file: Path, runbook: Path | None, as_json: bool) -> int:
    """Print every mistake of the plan in FILE (default: scenarios/plan.yaml), one a line."""
    from drdrill.plan import check_plan

    mistakes = check_plan(file)
    if runbook is not None:
        mistakes += _check_runbook(file, runbook, sound=not mistakes)
    if as_json:
        click.echo(json.dumps({"file": str(file), "mistakes": [asdict(each) for each in mistakes]}, indent=1))
    else:
        for mistake in mistakes:
            click.echo(str(mistake))
        click.echo(f"{file}: {_count(len(mistakes))}.")
    return EXIT_USAGE if mistakes else 0


@command.command(
    name="schema",
    epilog="""\b
Example:
  drdrill plan schema > plan.schema.json

\b
Exit status: 0; 2 wrong usage.""",
)
def schema() -> None:
    """Print the JSON Schema of plans, for editors."""
    from drdrill.plan import plan_schema

    click.echo(json.dumps(plan_schema(), indent=2))


def _check_runbook(plan: Path, file: Path, *, sound: bool) -> tuple[Mistake, ...]:
    """Return a runbook's mistakes; without any, and with a sound plan, what the plan's objectives say of it."""
    from drdrill.measure.runbook_projection import check_objectives
    from drdrill.plan import load_plan
    from drdrill.plan.runbook_checking import check_runbook, load_runbook

    mistakes = check_runbook(file)
    if mistakes or not sound:
        return mistakes
    return tuple(check_objectives(load_plan(plan), load_runbook(file), str(file)))


def _count(number: int) -> str:
    return "no mistakes" if number == 0 else f"{number} mistake{'s' if number > 1 else ''}"
