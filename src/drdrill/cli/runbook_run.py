"""One run of a runbook from the command line: signals, gates, what is told while it runs and what it came to."""

from __future__ import annotations

import fcntl
import getpass
import os
import signal
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import click

from drdrill.core.clock import NANOSECONDS, SystemClock
from drdrill.core.errors import UsageError
from drdrill.measure.waterfall import read_waterfall
from drdrill.plan.duration import format_seconds
from drdrill.record.journal import Journal, read_journal
from drdrill.runbook.executor import Executor
from drdrill.runbook.gates import PolicyGates, TerminalGates
from drdrill.runbook.operator_host import OperatorHost
from drdrill.runbook.page_gates import PageGates
from drdrill.runbook.state import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from drdrill.plan.runbook import Runbook
    from drdrill.runbook.port import Gates
    from drdrill.runbook.state import Result
    from drdrill.runbook.step_run import StepRun

EXIT_NOT_DONE = 1
EXIT_INTERRUPTED = 130
RUNBOOK, JOURNAL, WATERFALL = "runbook.yaml", "journal.jsonl", "waterfall.svg"


def run_in(directory: Path, runbook: Runbook, *, root: Path, gates: str, why: str, as_json: bool) -> int:
    """Run a runbook over its directory, tell what it came to, and return the exit status.

    Raises `UsageError` when another run of it goes on.
    """
    variables = dict(os.environ)
    operator, clock = OperatorHost(root, directory, variables=variables), SystemClock()
    journal = Journal(directory / JOURNAL, actor=getpass.getuser())
    with _alone(directory), _interruptible() as is_interrupted, ExitStack() as stack:
        asking: Gates
        if gates == "terminal":
            asking = TerminalGates(
                sys.stdin, sys.stderr, who=getpass.getuser(), operator=operator, clock=clock
            )
        elif gates == "page":
            asking = page = stack.enter_context(PageGates(operator))
            click.echo(
                f"Gates are answered at {page.url} (the address is the key: keep it to yourself).", err=True
            )
        else:
            asking = PolicyGates(approve=gates == "approve", why=why, operator=operator, clock=clock)
        result = Executor(
            runbook,
            operator=operator,
            gates=asking,
            journal=journal,
            clock=clock,
            is_interrupted=is_interrupted,
            tell=_tell,
        ).run()
    _report(result, runbook, directory, as_json=as_json)
    if result.interrupted:
        return EXIT_INTERRUPTED
    return 0 if result.done else EXIT_NOT_DONE


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    lock = os.open(directory / "run.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise UsageError(f"{directory}: another run of this runbook goes on; end that one first.") from None
    try:
        yield
    finally:
        os.close(lock)


@contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    arrived: list[int] = []

    def handle(number: int, frame: object) -> None:
        del frame
        arrived.append(number)
        sys.stderr.write(
            "drdrill: nothing more is begun; what runs is asked to end. This takes up to 30 s.\n"
        )

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(arrived)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell(run: StepRun) -> None:
    reason = f": {run.fate.reason}" if run.fate.reason else ""
    click.echo(f"{run.name}: {run.state}{reason}", err=True)


def _report(result: Result, runbook: Runbook, directory: Path, *, as_json: bool) -> None:
    from drdrill.cli.runbook_shown import describe_bars, show_bars
    from drdrill.report.frame import WIDE
    from drdrill.report.waterfall import draw_waterfall

    bars = read_waterfall(read_journal(directory / JOURNAL), runbook)
    picture = draw_waterfall(bars, WIDE)
    if picture is not None:
        (directory / WATERFALL).write_text(picture.svg(standalone=True), encoding="utf-8")
    if as_json:
        import json

        document: dict[str, Any] = {
            "schema_version": 1,
            "done": result.done,
            "interrupted": result.interrupted,
            "directory": str(directory),
            "steps": [
                {
                    "name": fate.name,
                    "state": fate.state,
                    "acted": fate.acted,
                    "reason": fate.reason,
                    "seconds": None
                    if fate.begun_ns is None or fate.ended_ns is None
                    else round((fate.ended_ns - fate.begun_ns) / NANOSECONDS, 3),
                }
                for fate in result.fates
            ],
            "waterfall": describe_bars(bars),
        }
        click.echo(json.dumps(document, indent=1))
        return
    show_bars(bars)
    if result.done:
        length = max(bar.ends_seconds for bar in bars)
        click.echo(f"All {len(result.fates)} steps are done, after {format_seconds(length)}.")
        return
    click.echo(f"Done: {', '.join(result.named(State.DONE)) or 'nothing'}.")
    for fate in result.fates:
        if fate.state is not State.DONE:
            state = "not begun" if fate.state is State.WAITING else fate.state
            click.echo(f"Not done: {fate.name} ({state}){': ' + fate.reason if fate.reason else ''}")
    click.echo(f"To go on from what is there: drdrill resume {directory}")
