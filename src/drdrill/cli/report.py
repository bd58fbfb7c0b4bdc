"""`drdrill report DIR`: the pages of a drill or of a run, rendered again from their stored files."""

from __future__ import annotations

from pathlib import Path

import click

from drdrill.cli.repository import find_drills, is_run
from drdrill.core.errors import EXIT_BROKEN


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
    """Render the pages of DIR again: the directory of a drill, or of a run, which has Allure's page, too.

    A drill's page is `report.html` in its directory. It is one file that loads nothing, made from that directory and
    nothing else: the same files give the same bytes, years later and on another machine.
    """
    from drdrill.cli.allure import PAGE_NAME, make_allure_page
    from drdrill.cli.repository import find_repository
    from drdrill.core.errors import UsageError
    from drdrill.record.directory import DrillDirectory, read_json, write_text
    from drdrill.report import render_page

    paths = find_drills(directory)
    drills = [DrillDirectory(path) for path in paths]
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
        click.echo(f"{target}: {_compare(before, page)}")
    if output is not None or not is_run(directory):
        return 0
    target = directory / PAGE_NAME
    before = target.read_text(encoding="utf-8") if target.is_file() else None
    made = make_allure_page(
        find_repository(directory),
        directory,
        paths,
        disaster_class=read_json(directory / "run.json")["class"],
        reports=directory.absolute().parents[1],
        tell=lambda text: click.echo(text, err=True),
    )
    if made is None:
        return EXIT_BROKEN
    click.echo(f"{made}: {_compare(before, made.read_text(encoding='utf-8'))}")
    return 0


def _compare(before: str | None, after: str) -> str:
    return "written" if before is None else "the same as before" if before == after else "changed"
