"""`drdrill plan`: checks a plan and the runbooks that it names, prints the schemas of both."""

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
  drdrill plan check --runbook failover/other.yaml

\b
Exit status: 0 no mistakes; 2 mistakes, or wrong usage.""",
)
@click.argument("file", type=click.Path(path_type=Path), default=Path("scenarios/plan.yaml"))
@click.option(
    "--runbook",
    type=click.Path(path_type=Path),
    help="Check this runbook too, as those that scenarios name: itself, and against the plan's RTO.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def check(file: Path, runbook: Path | None, as_json: bool) -> int:
    """Print every mistake of the plan in FILE (default: scenarios/plan.yaml) and of its runbooks, one a line."""
    from drdrill.plan import check_plan

    mistakes = check_plan(file, promises=True)
    sound = not mistakes or not check_plan(file)  # what cannot be met keeps nothing from being loaded
    named, missing = find_runbooks(file)
    mistakes += missing
    if runbook is not None and runbook.resolve() not in {path.resolve() for path in named}:
        named.append(runbook)
    for path in named:
        mistakes += _check_runbook(file, path, sound=sound)
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
Examples:
  drdrill plan schema > plan.schema.json
  drdrill plan schema --runbook > runbook.schema.json

\b
Exit status: 0; 2 wrong usage.""",
)
@click.option("--runbook", is_flag=True, help="Print that of runbooks instead.")
def schema(runbook: bool) -> None:
    """Print the JSON Schema of plans, for editors."""
    from drdrill.plan.schema import plan_schema, runbook_schema, write_schema

    click.echo(write_schema(runbook_schema() if runbook else plan_schema()), nl=False)


def find_runbooks(plan: Path) -> tuple[list[Path], tuple[Mistake, ...]]:
    """Return the runbooks that the plan's scenarios name, and of each that is not there the mistake."""
    from drdrill.cli.repository import find_repository
    from drdrill.plan.load import read_named_runbooks
    from drdrill.plan.nearest import suggest

    named = read_named_runbooks(plan)
    root = find_repository(plan.absolute().parent)
    known = (
        sorted(path.relative_to(root).as_posix() for path in root.glob("*/*runbook*.yaml")) if named else []
    )
    missing = tuple(
        place.mistake(f"there is no such file in {_shown(root)}.", suggest(name, known, what="There are"))
        for name, place in named.items()
        if not (root / name).is_file()
    )
    return [_shown(root / name) for name in named if (root / name).is_file()], missing


def _shown(path: Path) -> Path:
    """Return a path as it is shown: from the current folder, if it is in there."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _check_runbook(plan: Path, file: Path, *, sound: bool) -> tuple[Mistake, ...]:
    """Return a runbook's mistakes; without any, and with a sound plan, what the plan's objectives say of it."""
    from drdrill.measure.runbook_projection import check_objectives
    from drdrill.plan import load_plan
    from drdrill.plan.runbook_checking import check_runbook, load_runbook
    from drdrill.plan.yaml_file import read_document

    mistakes = check_runbook(file)
    if mistakes or not sound:
        return mistakes
    document = read_document(file)[0]
    return tuple(check_objectives(load_plan(plan), load_runbook(file), str(file), document))


def _count(number: int) -> str:
    return "no mistakes" if number == 0 else f"{number} mistake{'s' if number > 1 else ''}"
