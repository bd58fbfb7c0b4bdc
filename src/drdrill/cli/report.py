"""`drdrill report DIR`: the pages of a drill or of a run, rendered again from their stored files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from drdrill.cli.repository import find_drills, is_run
from drdrill.core.errors import EXIT_BROKEN, UsageError

if TYPE_CHECKING:
    from drdrill.record.directory import DrillDirectory


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
    from drdrill.cli.signals import interruptible
    from drdrill.record.directory import DrillDirectory, read_json

    paths = find_drills(directory)
    drills = [DrillDirectory(path) for path in paths]
    if output is not None and len(drills) != 1:
        raise UsageError(f"--output takes the page of one drill, and this run has {len(drills)}.")
    for drill in drills:
        _write_page(drill, output or drill.page_path)
    if output is not None or not is_run(directory):
        return 0
    target = directory / PAGE_NAME
    before = _read(target)
    with interruptible():
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
    click.echo(f"{target}: {_compare(before, made.read_bytes())}")
    return 0


def _write_page(drill: DrillDirectory, target: Path) -> None:
    from drdrill.record.directory import write_text
    from drdrill.report import render_page

    if target.exists() and not target.is_file():
        raise UsageError(f"{target}: this is not a file, so no page is put in its place.")
    page, before = render_page(drill), _read(target)
    if page.encode() != before:
        try:
            write_text(target.resolve(), page)
        except OSError as error:
            raise UsageError(
                f"{target}: the page cannot be written: {error.strerror}. `--output` takes another place."
            ) from error
    click.echo(f"{target}: {_compare(before, page.encode())}")


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _compare(before: bytes | None, after: bytes) -> str:
    return "written" if before is None else "the same as before" if before == after else "changed"
