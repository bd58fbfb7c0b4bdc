"""`drdrill measure DIR`: every figure of a drill, computed again from its stored files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drdrill.cli.repository import find_drills

if TYPE_CHECKING:
    from collections.abc import Mapping

_DIFFERS = 1


@click.command(
    name="measure",
    epilog="""\b
Examples:
  drdrill measure reports/20261125T193643.058Z-primary_host_loses_power
  drdrill measure --json reports/runs/20261125T193642.101538Z

\b
Exit status: 0 the same as was stored; 1 something differs; 2 wrong usage; 5 the files are damaged.""",
)
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(directory: Path, as_json: bool) -> int:
    """Measure and judge the drill in DIR again, and compare with the verdict that is stored there.

    DIR is the directory of a drill or of a run. Nothing in it is changed, and nothing else is needed: it works years
    later on another machine.
    """
    from rich.console import Console

    from drdrill.cli.summary import print_verdict
    from drdrill.measure import measure
    from drdrill.measure.comparison import find_differences
    from drdrill.record.directory import DrillDirectory, read_json

    console = Console(highlight=False)
    documents = []
    for drill in map(DrillDirectory, find_drills(directory)):
        computed = measure(drill).to_json()
        stored = read_json(drill.verdict_path) if drill.verdict_path.exists() else None
        differences = list(find_differences(stored, computed)) if stored else []
        documents.append({
            "directory": str(drill.path),
            "stored_verdict": stored["verdict"] if stored else None,
            "differences": differences,
            "computed": computed,
        })  # fmt: skip
        if not as_json:
            print_verdict(console, computed, str(drill.path))
            _tell_comparison(console, stored, differences)
    if as_json:
        click.echo(json.dumps({"schema_version": 1, "drills": documents}, indent=1))
    return _DIFFERS if any(document["differences"] for document in documents) else 0


def _tell_comparison(console: Any, stored: Mapping[str, Any] | None, differences: list[str]) -> None:
    if stored is None:
        console.print("  No verdict was stored: the drill did not come to its end.", style="yellow")
    elif not differences:
        console.print(
            "  Computed again from the stored files: every figure is as it was stored.", style="green"
        )
    for difference in differences:
        console.print(f"  differs: {difference}", style="bold red", soft_wrap=True)
