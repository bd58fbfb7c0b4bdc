"""`drdrill run CLASS`: the drills of a disaster class, from the checks before to the verdict."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drdrill.cli.repository import find_repository
from drdrill.core.clock import SystemClock
from drdrill.core.errors import EnvironmentFailedError, Interrupted, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from drdrill.cli.scenarios import RunFiles

_NOTHING_COLLECTED = 5  # pytest's exit status
_SEED_LIMIT = 1 << 63


@click.command(
    name="run",
    epilog="""\b
Examples:
  drdrill run database
  drdrill run database --scenario primary_host_loses_power
  drdrill run database --json --seed 7 > run.json
  drdrill env up --only databases && drdrill run database --mirror default
  drdrill run region --scenario region_loses_power --failover-command './failover.sh eu-central-1'

\b
Exit status: 0 MET; 1 MISSED; 2 wrong usage or a mistake in a file, nothing was started; 3 INCONCLUSIVE;
4 INVALID; 5 drdrill or the machine is broken; 130 Ctrl-C, 143 SIGTERM: healed and taken down.""",
)
@click.argument("disaster_class", metavar="CLASS")
@click.option(
    "--scenario", "names", multiple=True, metavar="NAME", help="Only this one of the class; may be repeated."
)
@click.option("--environment", default="embedded", show_default=True, help="Where to drill.")
@click.option(
    "--mirror", metavar="NAME", help="Drill in this standing mirror (`drdrill env up`), and leave it up."
)
@click.option(
    "--seed", type=click.IntRange(0, _SEED_LIMIT - 1), help="Of everything random (default: drawn)."
)
@click.option(
    "--failover-command",
    metavar="TEXT",
    help="Run this in the runbook's place: a line for the shell, or a handler MODULE:FUNCTION.",
)
@click.option(
    "--failover-event",
    type=click.Path(path_type=Path),
    help="The event that a handler is called with (JSON).",
)
@click.option("--plan", type=click.Path(path_type=Path), help="Default: scenarios/plan.yaml.")
@click.option("--reports", type=click.Path(path_type=Path), help="Default: reports/.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document; progress goes to standard error."
)
def command(
    *,
    disaster_class: str,
    names: tuple[str, ...],
    environment: str,
    mirror: str | None,
    seed: int | None,
    failover_command: str | None,
    failover_event: Path | None,
    plan: Path | None,
    reports: Path | None,
    as_json: bool,
) -> int:
    """Run the drills of a disaster CLASS: service, database, zone or region.

    Builds the environment, puts users on it, breaks it, waits for its recovery, measures and judges. Files go to
    reports/: a directory for each drill with its report.html, and one for the run with JUnit XML and Allure's page.
    """
    from rich.console import Console

    from drdrill.cli.allure import make_allure_page
    from drdrill.cli.document import shown
    from drdrill.cli.progress import Progress
    from drdrill.cli.scenarios import RunFiles, read_record, run_scenarios
    from drdrill.cli.signals import interruptible

    root = find_repository()
    plan = (plan or root / "scenarios" / "plan.yaml").absolute()
    reports = (reports or root / "reports").absolute()
    event = None if failover_event is None else failover_event.absolute()
    errors = Console(stderr=True, highlight=False)
    with interruptible() as signals:
        _prepare(
            root,
            plan,
            environment=environment,
            disaster_class=disaster_class,
            names=names,
            failover=(failover_command, event),
            mirror=mirror,
            reports=reports,
            errors=errors,
        )
        seed = _draw() if seed is None else seed
        files = RunFiles(reports / "runs" / f"{SystemClock().utc():%Y%m%dT%H%M%S.%f}Z")
        progress = Progress(errors)
        with progress.shown():
            status = run_scenarios(
                root, files, disaster_class=disaster_class, names=names, environment=environment, plan=plan,
                reports=reports, seed=seed, mirror=mirror, plugins=[progress],
                failover_command=failover_command, failover_event=event,
            )  # fmt: skip
    ended = read_record(files, root)
    if not ended and signals.arrived is None:
        raise _explain_nothing(status, files, disaster_class)
    document = _write_document(
        ended,
        files,
        selected=progress.selected,
        root=root,
        seed=seed,
        disaster_class=disaster_class,
        environment=environment,
    )
    if as_json:
        click.echo(json.dumps(document, indent=1))
    else:
        _print_summary(Console(highlight=False, markup=False), document, root)
    if signals.arrived is not None:
        raise signals.arrived
    drills = [one.directory for one in ended if one.directory is not None]
    with contextlib.suppress(Interrupted), interruptible():  # the verdict is told: it gives the status
        page = make_allure_page(
            root,
            files.path,
            drills,
            disaster_class=disaster_class,
            reports=reports,
            tell=lambda text: errors.print(f"  {text}", style="yellow", soft_wrap=True, markup=False),
        )
        if page is not None and not as_json:
            click.echo(f"  Allure: {shown(page, root)}")
    return int(document["exit_status"])


def _prepare(
    root: Path,
    plan: Path,
    *,
    environment: str,
    disaster_class: str,
    names: tuple[str, ...],
    failover: tuple[str | None, Path | None],
    mirror: str | None,
    reports: Path,
    errors: Console,
) -> None:
    """Check all words and files, and clear away what a killed run left; raises before anything is started."""
    from drdrill.cli.env import require_mirror
    from drdrill.cli.preflight import check_everything, has_scenarios
    from drdrill.cli.remains import tell_remains
    from drdrill.cli.setup import prepare_environment
    from drdrill.environment.registry import load_environment
    from drdrill.mirror.prerequisites import require_prerequisites
    from drdrill.plan import DisasterClass
    from drdrill.plan.nearest import suggest

    if disaster_class not in list(DisasterClass):
        remedy = suggest(disaster_class, list(DisasterClass), what="Classes")
        raise UsageError(f"there is no disaster class `{disaster_class}`. {remedy}")
    load_environment(environment)
    if mirror is not None:
        require_mirror(root, mirror)
    check_everything(root, plan, environment)
    if not has_scenarios(root / "scenarios", disaster_class):
        raise UsageError(f"no scenario has the tag `@class:{disaster_class}`.")
    _check_names(names, plan, disaster_class)
    _check_failover(*failover, names, plan, disaster_class)
    if environment == "embedded" and mirror is None:
        require_prerequisites(root)
        prepare_environment(root, environment, errors)
    tell_remains(root, errors, reports=reports)


def _check_names(names: tuple[str, ...], plan: Path, disaster_class: str) -> None:
    from drdrill.plan import load_plan
    from drdrill.plan.nearest import suggest

    known = [name for name, one in load_plan(plan).scenarios.items() if one.disaster_class == disaster_class]
    for name in names:
        if name not in known:
            remedy = suggest(name, known, what="Scenarios")
            raise UsageError(f"there is no scenario `{name}` of the class `{disaster_class}`. {remedy}")


def _check_failover(
    command: str | None, event: Path | None, names: tuple[str, ...], plan: Path, disaster_class: str
) -> None:
    from drdrill.drill.failover_command import check_command
    from drdrill.plan import load_plan

    scenarios = {
        name: one
        for name, one in load_plan(plan).scenarios.items()
        if one.disaster_class == disaster_class and (not names or name in names)
    }
    check_command(command, event, scenarios)


def _draw() -> int:
    from drdrill.drill.about import draw_seed

    return draw_seed()


def _explain_nothing(
    status: int, files: RunFiles, disaster_class: str
) -> UsageError | EnvironmentFailedError:
    if status == _NOTHING_COLLECTED:
        return UsageError(f"no scenario has the tag `@class:{disaster_class}`.")
    said = files.log.read_text(encoding="utf-8").splitlines() if files.log.exists() else []
    return EnvironmentFailedError(
        "pytest ran no scenario. Its last words:\n" + "\n".join(said[-10:]) + f"\nThe whole log: {files.log}"
    )


def _write_document(ended: Any, files: RunFiles, *, root: Path, **about: Any) -> dict[str, Any]:
    from drdrill.cli.document import describe_run
    from drdrill.record.directory import write_json

    document = describe_run(ended, directory=files.path, root=root, **about)
    write_json(files.document, document)
    return document


def _print_summary(console: Console, document: dict[str, Any], root: Path) -> None:
    from drdrill.cli.summary import describe_time, print_verdict
    from drdrill.record.directory import DrillDirectory, read_json

    for scenario in document["scenarios"]:
        if scenario["verdict"] is not None:
            directory = DrillDirectory(root / scenario["directory"])
            print_verdict(console, read_json(directory.verdict_path), scenario["directory"])
            report = scenario["report"] or f"not made; see {scenario['directory']}/logs/report.txt"
            for line in describe_time(scenario):
                console.print(line, style="dim", soft_wrap=True)
            console.print(f"  Report: {report}", soft_wrap=True)
        if scenario["broken"] is not None:
            console.print(
                f"\n{scenario['name']} is broken: {scenario['broken']}", style="bold red", soft_wrap=True
            )
    console.print(
        f"\n  JUnit XML, Allure's results, log: {document['directory']}", style="dim", soft_wrap=True
    )
