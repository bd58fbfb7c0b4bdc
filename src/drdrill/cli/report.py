"""`drdrill report DIR`: the pages of a drill or of a run, rendered again from their stored files."""

from __future__ import annotations

from pathlib import Path

import click

from drdrill.cli.repository import find_drills


@click.command(
    name="report",
    epilog="""\b
Examples:
  drdrill report reports/20261125T193643.058Z-primary_host_loses_power
  drdrill report reports/runs/20261125T193642.101538Z

\b
Exit status: 0 rendered; 2 wrong usage; 5 the files are damaged.""",
)
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), help="Write the page of one drill here instead."
)
def command(directory: Path, output: Path | None) -> int:
    """Render the pages of DIR again: the directory of a drill, or of a run.

    A drill's page is `report.html` in its directory. It is one file that loads nothing, made from that directory and
    nothing else: the same files give the same bytes, years later and on another machine.
    """
    from drdrill.core.errors import UsageError
    from drdrill.record.directory import DrillDirectory, write_text
    from drdrill.report import render_page

    drills = [DrillDirectory(path) for path in find_drills(directory)]
    if output is not None and len(drills) != 1:
        raise UsageError(f"--output takes the page of one drill, and this run has {len(drills)}.")
    for drill in drills:
        page, target = render_page(drill), output or drill.page_path
        before = target.read_text(encoding="utf-8") if target.is_file() else None
        if page != before:
            try:
                write_text(target, page)
            except OSError as error:
                raise UsageError(
                    f"{target}: the page cannot be written: {error.strerror}. `--output` takes another place."
                ) from error
        change = "written" if before is None else "the same as before" if page == before else "changed"
        click.echo(f"{target}: {change}")
    return 0
