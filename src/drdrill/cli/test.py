"""`drdrill test`: the linters and the tests of this repository behind one command, the one that CI runs."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from drdrill.cli.repository import find_checkout
from drdrill.core.clock import NANOSECONDS, Clock, SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_FAILED = 1
_SELECTIONS = {"fast": ("-m", "not drill and not long"), "default": ("-m", "not long"), "long": ()}


@dataclass(frozen=True, slots=True)
class Check:
    """A program that judges this repository: exit status 0 is good."""

    name: str
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """How a check ended."""

    name: str
    status: int
    seconds: float


def plan_checks(selection: str, arguments: Sequence[str]) -> tuple[Check, ...]:
    """Return what is run, in order: the linters, then pytest, so that its summary is what stands last."""
    programs = Path(sys.executable).parent
    return (
        Check("ruff check", (str(programs / "ruff"), "check", "--quiet", "--output-format", "concise", ".")),
        Check(
            "ruff format", (str(programs / "ruff"), "format", "--check", "--output-format", "concise", ".")
        ),
        Check("mypy", (str(programs / "mypy"), "--no-error-summary")),
        Check("lint-imports", (str(programs / "lint-imports"), "--no-logo")),
        Check("pytest", (sys.executable, "-m", "pytest", *_SELECTIONS[selection], *arguments)),
    )


def run_checks(
    checks: Sequence[Check], *, run: Callable[[Check], int], say: Callable[[str], None], clock: Clock
) -> tuple[Judged, ...]:
    """Run all checks, also after one that failed, and say of each how it ended and after how many seconds."""
    judged: list[Judged] = []
    for number, check in enumerate(checks, start=1):
        failed = [each.name for each in judged if each.status != 0]
        before = f"; failed so far: {', '.join(failed)}" if failed else ""
        say(f"── {check.name} ({number}/{len(checks)}{before})")
        started = clock.now_ns()
        status = run(check)
        seconds = (clock.now_ns() - started) / NANOSECONDS
        judged.append(Judged(check.name, status, seconds))
        if number < len(checks):  # the last one, pytest, says it itself
            say(f"   {'ok' if status == 0 else f'FAILED (status {status})'} in {seconds:.1f} s")
    return tuple(judged)


@click.command(
    name="test",
    context_settings={"ignore_unknown_options": True},
    epilog="""\b
Examples:
  drdrill test --fast
  drdrill test tests/plan -k duration

\b
Exit status: 0 all is well; 1 something failed; 2 wrong usage.""",
)
@click.option("--fast", "selection", flag_value="fast", help="Leave out the drills: the inner loop.")
@click.option("--long", "selection", flag_value="long", help="All tests, the nightly ones too.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[PYTEST ARGUMENTS]...")
def command(selection: str | None, arguments: tuple[str, ...]) -> int:
    """Run ruff, mypy, import-linter and pytest over this repository; further arguments go to pytest.

    Without an option all tests run that do not belong to the nightly schedule.
    """
    root = find_checkout()

    def run(check: Check) -> int:
        return subprocess.run(check.command, check=False, cwd=root).returncode

    def say(line: str) -> None:
        click.echo(line)
        sys.stdout.flush()

    checks = plan_checks(selection or "default", arguments)
    judged = run_checks(checks, run=run, say=say, clock=SystemClock())
    return _FAILED if any(each.status != 0 for each in judged) else 0
