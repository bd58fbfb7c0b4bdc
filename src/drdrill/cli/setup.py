"""`drdrill setup`: what a drill would otherwise wait for, made ahead."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rich.console import Console

    from drdrill.dataplane.kubernetes_build import BuildProgress


@click.command(
    name="setup",
    epilog="""\b
Examples:
  drdrill setup
  drdrill setup --json

\b
Exit status: 0 everything is there; 2 wrong usage; 5 something could not be built.""",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(as_json: bool) -> None:
    """Build Kubernetes' programs ahead, once on a machine; drills without Kubernetes need none of this."""
    from rich.console import Console

    from drdrill.dataplane.kubernetes_build import prepare_programs

    with show_build(Console(stderr=True, highlight=False)) as tell:
        programs = prepare_programs(tell)
    where = str(programs.folder) if programs.folder else "PATH"
    if as_json:
        found = {name: str(path) for name, path in programs.paths.items()}
        click.echo(
            json.dumps(
                {"kubernetes": {"version": programs.version, "found": where, "programs": found}}, indent=1
            )
        )
        return
    click.echo(f"Kubernetes {programs.version} is ready, from {where}.")
    if programs.streaming is None:
        click.echo(
            "The official binaries have no streaming server: kubectl exec and port-forward will not work."
        )


def prepare_environment(root: Path, environment: str, console: Console) -> None:
    """Build what an environment needs, if it says that it needs it and this machine does not have it yet."""
    if environment != "embedded":
        return
    from drdrill.mirror.configuration import EmbeddedConfiguration
    from drdrill.plan.yaml_file import load_model

    configuration = load_model(
        root / "environments" / environment / "environment.yaml", EmbeddedConfiguration
    )
    if configuration.kubernetes.needed:
        from drdrill.dataplane.kubernetes_build import prepare_programs

        with show_build(console) as tell:
            prepare_programs(tell)


@contextlib.contextmanager
def show_build(console: Console, beside: str = "") -> Iterator[Callable[[BuildProgress], None]]:
    """Show how a build goes on while the block runs: a bar on a terminal, a line for each stage elsewhere.

    `beside`: what else goes on, of which nobody knows how far it is.
    """
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[count]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        if beside:
            bar.add_task(beside, total=None, count="")
        task = bar.add_task("", visible=False, count="")
        doing = ""

        def tell(progress: BuildProgress) -> None:
            nonlocal doing
            if progress.doing != doing and not console.is_terminal:
                console.print(progress.doing)
            doing = progress.doing
            bar.update(
                task, visible=True, description=doing, completed=progress.done, total=progress.total or None,
                count=f"{progress.done}/{progress.total}" if progress.total else "",
            )  # fmt: skip

        yield tell
