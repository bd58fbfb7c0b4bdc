"""`drdrill failover`: runs a runbook outside any drill, as an operator does."""

from __future__ import annotations

import json
from pathlib import Path

import click

from drdrill.cli.repository import find_repository
from drdrill.core.errors import UsageError

GATES = click.Choice(["terminal", "page", "approve", "refuse"])
POLICIES = ("approve", "refuse")


@click.command(
    name="failover",
    epilog="""\b
Examples:
  drdrill failover --dry-run
  drdrill failover
  drdrill failover --gates approve --why "CI, nobody is asked" --json

\b
Exit status: 0 every step was seen to be done; 1 one was not; 2 wrong usage or a mistake in the file, nothing was
started; 130 interrupted, what ran was ended.""",
)
@click.option(
    "--runbook",
    "file",
    type=click.Path(path_type=Path),
    help="The runbook. Default: failover/runbook.yaml of the drill repository.",
)
@click.option(
    "--dry-run", is_flag=True, help="Print graph, critical path and what would be touched; run nothing."
)
@click.option("--gates", type=GATES, default="terminal", show_default=True, help="Who answers gates.")
@click.option("--why", default="", help="The reason that the journal gives for answers of a policy.")
@click.option(
    "--directory",
    type=click.Path(path_type=Path),
    help="Where its journal and logs go, made anew. Default: a folder in .drdrill/failovers.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(  # noqa: PLR0917 - one parameter an option
    file: Path | None, dry_run: bool, gates: str, why: str, directory: Path | None, as_json: bool
) -> int:
    """Run the failover's runbook as an operator does, and say what was done, what not, and how to go on."""
    from drdrill.plan.runbook_checking import load_runbook

    root = find_repository()
    path = root / "failover" / "runbook.yaml" if file is None else file
    runbook = load_runbook(path)
    if dry_run:
        from drdrill.cli.runbook_shown import describe_runbook, show_runbook
        from drdrill.measure.runbook_projection import project_runbook

        projection = project_runbook(
            runbook, seed=0, objective_seconds=_find_objective(root), only_critical=True
        )
        if as_json:
            click.echo(json.dumps(describe_runbook(runbook, projection), indent=1))
        else:
            show_runbook(runbook, projection)
        return 0
    if gates in POLICIES and not why.strip():
        raise click.UsageError("a policy needs its reason for the journal: --why TEXT.")

    from drdrill.cli.runbook_run import RUNBOOK, run_in
    from drdrill.core.clock import SystemClock

    if directory is None:
        directory = root / ".drdrill" / "failovers" / f"{SystemClock().utc():%Y%m%dT%H%M%S%fZ}"
    elif directory.exists():
        raise UsageError(f"{directory}: it is there already; `drdrill resume` goes on with what is in it.")
    directory = directory.absolute()
    directory.mkdir(parents=True)
    (directory / RUNBOOK).write_bytes(path.read_bytes())
    click.echo(f"The journal is in {directory}.", err=True)
    return run_in(directory, runbook, root=root, gates=gates, why=why, as_json=as_json)


def _find_objective(root: Path) -> float | None:
    """Return the shortest RTO of the plan in seconds, None without a plan."""
    from drdrill.plan import load_plan

    path = root / "scenarios" / "plan.yaml"
    if not path.is_file():
        return None
    return min(tier.rto.within for tier in load_plan(path).tiers.values()).total_seconds()
