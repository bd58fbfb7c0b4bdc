"""`drdrill resume`: goes on with a runbook that ended anywhere, from what is observed."""

from __future__ import annotations

from pathlib import Path

import click

from drdrill.cli.failover import GATES, POLICIES
from drdrill.cli.repository import find_repository
from drdrill.core.errors import UsageError


@click.command(
    name="resume",
    epilog="""\b
Example:
  drdrill resume .drdrill/failovers/20261129T070000000000Z

\b
Exit status: as of `drdrill failover`.""",
)
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--gates", type=GATES, default="terminal", show_default=True, help="Who answers gates.")
@click.option("--why", default="", help="The reason that the journal gives for answers of a policy.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(directory: Path, gates: str, why: str, as_json: bool) -> int:
    """Go on with the runbook in DIRECTORY: every step is looked at, and what is not seen to be done is done.

    Approvals of people in its journal count on; a refusal is asked again.
    """
    from drdrill.cli.runbook_run import JOURNAL, RUNBOOK, run_in
    from drdrill.plan.runbook_checking import load_runbook

    if not (directory / JOURNAL).is_file() or not (directory / RUNBOOK).is_file():
        raise UsageError(
            f"{directory}: there is no run of a runbook here. `drdrill failover` says where its is."
        )
    if gates in POLICIES and not why.strip():
        raise click.UsageError("a policy needs its reason for the journal: --why TEXT.")
    runbook = load_runbook(directory / RUNBOOK)
    return run_in(
        directory.absolute(), runbook, root=find_repository(), gates=gates, why=why, as_json=as_json
    )
