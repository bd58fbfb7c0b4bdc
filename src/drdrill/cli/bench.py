"""`drdrill bench`: how fast the harness itself is, as ratios measured in one run, beside the last run's."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from drdrill.cli.repository import find_repository
from drdrill.core.clock import NANOSECONDS, SystemClock
from drdrill.core.errors import EXIT_BROKEN, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from rich.console import Console

    from drdrill.cli.bench_history import History
    from drdrill.cli.benchmark import Benchmark, FailedBenchmark

    Document = dict[str, Any]

_MISSED = 1
_WIDTH = 200
_BUSY = 0.5  # load average a CPU before the first benchmark
_NOTABLE = 0.05  # runs on one machine differ by this much without a reason


@click.command(
    name="bench",
    epilog="""\b
Examples:
  drdrill bench
  drdrill bench ledger failover --repeat 3
  drdrill bench --json --strict > figures.json

\b
Exit status: 0 all ran; 1 with --strict, a target was missed; 2 wrong usage; 5 a benchmark crashed;
130 Ctrl-C, 143 SIGTERM: nothing is stored and nothing is left.""",
)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--repeat", type=click.IntRange(1), default=1, show_default=True, help="Run each so often; medians count."
)
@click.option("--strict", is_flag=True, help="End with status 1 when a target is missed.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document; progress goes to standard error."
)
def command(*, names: tuple[str, ...], repeat: int, strict: bool, as_json: bool) -> int:
    """Run the benchmarks of this repository (default: all) and compare their figures with the last run's.

    Each is a script in benchmarks/ and runs alone. What is measured is stored in reports/bench/, with the machine
    and the revision. docs/benchmarks.md says what each figure means. Leave the machine alone meanwhile.
    """
    from rich.console import Console

    from drdrill.cli.bench_history import read_history, store
    from drdrill.cli.signals import interruptible

    root = find_repository()
    scripts = _choose(names, root / "benchmarks")
    folder = root / "reports" / "bench"
    errors = Console(stderr=True, highlight=False)
    started = SystemClock().utc()
    with interruptible():
        document = _describe(root, started.isoformat(timespec="milliseconds"), repeat)
        _run_all(scripts, root, repeat, errors, document)
    history = read_history(folder)
    _compare(document, history)
    for sentence in history.damaged:
        errors.print(f"drdrill: {sentence} It is left out.", style="yellow", soft_wrap=True)
    if as_json:
        click.echo(json.dumps(document, indent=1))
    else:
        # A pipe has no width: a table for eighty columns would be one word wide.
        width = None if sys.stdout.isatty() else _WIDTH
        _print(Console(highlight=False, markup=False, width=width), document)
    if document["benchmarks"]:
        try:
            path = store(folder, f"{started:%Y%m%dT%H%M%S.%f}Z", document)
        except OSError as error:
            raise UsageError(
                f"{folder}: the figures above cannot be stored: {error.strerror}. The next run has nothing to "
                "compare itself with."
            ) from error
        errors.print(f"stored in {path.relative_to(root)}", style="dim", soft_wrap=True)
    if document["failed"]:
        return EXIT_BROKEN
    missed = any(figure["met"] is False for _, figure in _figures(document))
    return _MISSED if strict and missed else 0


def _choose(names: Sequence[str], folder: Path) -> dict[str, Path]:
    """Return the scripts of these names, or all; raises `UsageError` for a name that is none."""
    from drdrill.cli.benchmark import find_benchmarks
    from drdrill.plan.nearest import suggest

    found = find_benchmarks(folder)
    if not found:
        raise UsageError(f"there are no benchmarks: {folder} has no script.")
    for name in names:
        if name not in found:
            raise UsageError(f"there is no benchmark `{name}`. {suggest(name, found, what='Benchmarks')}")
    return {name: found[name] for name in dict.fromkeys(names or found)}


def _describe(root: Path, started: str, repeat: int) -> Document:
    from drdrill.cli.bench_history import SCHEMA_VERSION, read_machine, read_versions
    from drdrill.drill.about import read_revision

    return {
        "schema_version": SCHEMA_VERSION,
        "started_utc": started,
        "git": read_revision(root),
        "machine": read_machine(),
        "versions": read_versions(),
        "repeat": repeat,
        "last_run_on_another_machine": None,
        "benchmarks": [],
        "failed": [],
    }


def _run_all(
    scripts: Mapping[str, Path], root: Path, repeat: int, console: Console, document: Document
) -> None:
    """Run the benchmarks one after another, and put what they gave into the document."""
    from drdrill.cli.benchmark import FailedBenchmark

    clock = SystemClock()
    with console.status("") as status:
        for number, (name, script) in enumerate(scripts.items(), start=1):
            status.update(f"{name} ({number} of {len(scripts)})")
            console.print(f"{name} ({number} of {len(scripts)})", style="bold")
            began_ns = clock.now_ns()
            ended = _run(name, script, root, repeat, console)
            seconds = (clock.now_ns() - began_ns) / NANOSECONDS
            if isinstance(ended, FailedBenchmark):
                document["failed"].append(ended.model_dump(mode="json"))
                console.print(
                    f"  FAILED in {seconds:.0f} s: {ended.reason}", style="bold red", soft_wrap=True
                )
            else:
                document["benchmarks"].append(ended.model_dump(mode="json"))
                console.print(f"  done in {seconds:.0f} s", style="green")


def _run(name: str, script: Path, root: Path, repeat: int, console: Console) -> Benchmark | FailedBenchmark:
    """Run one benchmark as often as is wanted; the first failure is its result."""
    from drdrill.cli.benchmark import FailedBenchmark, merge, run_benchmark

    def say(line: str) -> None:
        console.print(f"  {line}", style="dim", soft_wrap=True, markup=False)

    runs: list[Benchmark] = []
    for _ in range(repeat):
        ended = run_benchmark(name, script, root, say=say)
        if isinstance(ended, FailedBenchmark):
            return ended
        runs.append(ended)
    return merge(runs)


def _compare(document: Document, history: History) -> None:
    """Say of each figure whether it meets its target, and what it was in the last run on such a machine."""
    from drdrill.cli.benchmark import Figure

    document["last_run_on_another_machine"] = history.other_shape(document["machine"])
    for benchmark, figure in _figures(document):
        last = history.last(benchmark, figure["name"], document["machine"])
        figure["met"] = Figure.model_validate(figure, strict=False).met
        figure["last"] = None if last is None else {"value": last[1], "started_utc": last[0]}


def _figures(document: Document) -> Iterable[tuple[str, Document]]:
    """Yield each figure with its benchmark's name."""
    return ((one["name"], figure) for one in document["benchmarks"] for figure in one["figures"])


def _print(console: Console, document: Document) -> None:
    from rich.table import Table
    from rich.text import Text

    if document["benchmarks"]:
        table = Table(box=None, pad_edge=False)
        for heading in ("figure", "value", "from … to", "target", "", "last run", "change", "reference"):
            table.add_column(heading, justify="left" if heading in ("figure", "", "reference") else "right")
        for _, figure in _figures(document):
            table.add_row(*map(Text.from_markup, _row(figure)))
        console.print(table)
    for _, figure in _figures(document):
        if figure["value"] is None:
            console.print(
                f"not measured: {figure['name']}: {figure['method']}", style="yellow", soft_wrap=True
            )
    machine = document["machine"]
    if machine["load_average"] > machine["cpus"] * _BUSY:
        load = f"load average {machine['load_average']:g} on {machine['cpus']} CPUs"
        console.print(f"The machine was busy before ({load}): these figures say little.", style="yellow")
    if document["last_run_on_another_machine"]:
        other = document["last_run_on_another_machine"]
        console.print(f"The last run was on another machine and is not compared: {other}.", style="yellow")
    for failed in document["failed"]:
        console.print(
            f"\n{failed['name']} failed: {failed['reason']} (exit status {failed['status']})",
            style="bold red", soft_wrap=True,
        )  # fmt: skip
        for line in failed["tail"]:
            console.print(f"  {line}", soft_wrap=True, markup=False)


def _row(figure: Mapping[str, Any]) -> tuple[str, ...]:
    value, unit, target, last = figure["value"], figure["unit"], figure["target"], figure["last"]
    direction = "at most" if figure["better"] == "lower" else "at least"
    met = {True: "[green]met[/]", False: "[bold red]MISSED[/]", None: ""}[figure["met"]]
    reference = figure["reference"]
    return (
        figure["name"],
        "not measured" if value is None else _tell(value, unit),
        _tell_range(figure["samples"], unit),
        "" if target is None else f"{direction} {_tell(target, unit)}",
        met,
        "" if last is None else _tell(last["value"], unit),
        _tell_change(value, last, better=figure["better"]),
        "" if reference is None else f"{reference['name']}: {_tell(reference['value'], reference['unit'])}",
    )


def _tell(value: float, unit: str) -> str:
    if unit == "ratio":
        return f"{value:.3g}"
    if unit == "s" and abs(value) < 1:
        return f"{value * 1e3:.3g} ms"
    return f"{value:.4g} {unit}"


def _tell_range(samples: Sequence[float], unit: str) -> str:
    """Return the least and the greatest sample; of one alone there is nothing to tell."""
    return f"{_tell(min(samples), unit)} … {_tell(max(samples), unit)}" if len(samples) > 1 else ""


def _tell_change(value: float | None, last: Mapping[str, Any] | None, *, better: str) -> str:
    if value is None or last is None or not last["value"]:
        return ""
    change = value / last["value"] - 1
    style = ("green" if (change < 0) == (better == "lower") else "red") if abs(change) > _NOTABLE else "dim"
    return f"[{style}]{change:+.0%}[/]"
