"""The command line: errors become messages and exit statuses, and nothing bad shows a traceback."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest

from drdrill.cli.main import COMMANDS, LazyGroup, main, report
from drdrill.core.errors import (
    InconclusiveError,
    InvalidInputError,
    MissingPrerequisiteError,
    Mistake,
    RefusedError,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_help_lists_all_commands_without_importing_one(capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` names every command, gives examples and documents the exit statuses."""
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {name} " in shown for name in COMMANDS)
    assert "Examples:" in shown
    assert "Exit status:" in shown


def test_help_imports_nothing_heavy() -> None:
    """`--help` and `--version` start fast: neither pydantic nor pytest nor a command's module is loaded."""
    code = (
        "import sys; from drdrill.cli.main import main; main(['--help']); main(['--version']); "
        "heavy = {'pydantic', 'pytest', 'numpy', 'rich', 'boto3', 'yaml'} & set(sys.modules); "
        "sys.exit(', '.join(heavy) or 0)"
    )
    ended = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["doctr"], "drdrill: there is no command `doctr`. Did you mean `doctor`?"),
        (["xyzzy"], "drdrill: there is no command `xyzzy`. The commands are: init, run, env, "),
        (["plan", "chek"], "'check'"),
        (["plan", "check", "--jsn"], "`drdrill plan check --help` says how it is used."),
    ],
)
def test_a_mistyped_command_is_met_with_the_nearest(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wrong words on the command line end with status 2 and a remedy."""
    assert main(arguments) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("name", ["plan", "doctor", "test"])
def test_every_command_has_an_example_and_its_exit_statuses(name: str) -> None:
    """The help of a command ends with an example and its exit statuses."""
    command = LazyGroup().get_command(click.Context(LazyGroup()), name)
    assert command is not None
    epilog = command.epilog or ""
    assert "Example" in epilog
    assert "Exit status" in epilog


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RefusedError("the guard says no."), 2),
        (InconclusiveError("the survivors could not be read."), 3),
        (MissingPrerequisiteError("no `unshare`."), 5),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
    ],
)
def test_each_error_has_its_exit_status(
    error: BaseException, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error that drdrill knows is one message on standard error, with the status of its class."""
    assert report(error) == status
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"drdrill: {error}" if str(error) else "drdrill: interrupted.")


def test_all_mistakes_of_a_file_are_printed_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """Mistakes stand one a line, as editors read them, with their number last."""
    mistakes = [Mistake("plan.yaml", 3, "tiers", "it is empty."), Mistake("plan.yaml", 9, "", "no.")]
    assert report(InvalidInputError(mistakes)) == 2
    assert capsys.readouterr().err.splitlines() == [
        "plan.yaml:3: tiers: it is empty.",
        "plan.yaml:9: no.",
        "drdrill: 2 mistakes; nothing was started.",
    ]


def test_of_several_errors_all_are_printed_and_the_first_counts(capsys: pytest.CaptureFixture[str]) -> None:
    """A clean-up that failed at two places hides neither, and the first error gives the status."""
    group = ExceptionGroup("", [InconclusiveError("first"), MissingPrerequisiteError("second")])
    assert report(group) == 3
    assert capsys.readouterr().err.splitlines() == ["drdrill: first", "drdrill: second"]


def test_a_bug_is_a_short_message_and_a_saved_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What nobody foresaw ends with status 5; the traceback is in a file under .drdrill/."""
    with pytest.raises(ZeroDivisionError) as raised:
        _ = 1 // 0
    with contextlib.chdir(tmp_path):
        assert report(raised.value) == 5
    shown = capsys.readouterr().err
    (saved,) = (tmp_path / ".drdrill").iterdir()
    assert shown.startswith("drdrill: this is a bug in drdrill: ZeroDivisionError")
    assert str(saved) in shown
    assert "Traceback" not in shown
    assert "Traceback" in saved.read_text()


def test_output_into_a_closed_pipe_ends_quietly() -> None:
    """`drdrill plan schema | head -1` says nothing on standard error."""
    line = '"$0" -m drdrill.cli.main plan schema | head -n 1'
    ended = subprocess.run(["sh", "-c", line, sys.executable], check=True, capture_output=True, text=True)
    assert (ended.stdout, ended.stderr) == ("{\n", "")
