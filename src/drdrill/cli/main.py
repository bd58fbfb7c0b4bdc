"""The command `drdrill`: finds the subcommand, and is the one place that turns errors into exit statuses.

Nothing but click and the errors is imported before it is known which command is wanted: `--help` is fast.
"""

from __future__ import annotations

import os
import sys
import traceback
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drdrill.cli.repository import find_repository
from drdrill.core.errors import EXIT_BROKEN, DrdrillError, Interrupted, InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT_INTERRUPTED = 130
_EXIT_BROKEN_PIPE = 141  # as a program ends that SIGPIPE kills

COMMANDS = {
    "init": "Write a drill repository for your own system.",
    "run": "Run the drills of a disaster class and judge them against the plan.",
    "env": "Bring an environment up, look into it, take it down.",
    "failover": "Run the failover's runbook as an operator does, outside any drill.",
    "resume": "Go on with a runbook that ended anywhere, from what is observed.",
    "measure": "Compute every figure of a drill again from its stored files.",
    "report": "Render the pages of a drill or of a run again.",
    "plan": "Check the plan, or print its JSON Schema.",
    "bench": "Measure the harness itself, and compare with the last run.",
    "setup": "Build what a drill would otherwise wait for: Kubernetes, once on a machine.",
    "doctor": "Say what this machine has, what it lacks, and how to get it.",
    "test": "Run the linters and the tests of this repository.",
}
_EPILOG = """\b
Examples:
  drdrill doctor
  drdrill plan check scenarios/plan.yaml
  drdrill run database

\b
Exit status:
  0    all objectives met
  1    an objective was missed; of `test`: something failed
  2    wrong usage or a mistake in a file; nothing was started
  3    inconclusive: not enough evidence
  4    invalid: the drill proves nothing
  5    drdrill or the machine is broken
  130  interrupted by Ctrl-C (143: by SIGTERM); healed and taken down"""


class LazyGroup(click.Group):
    """A group whose commands live in modules of their own: `NAME` is `drdrill.cli.NAME:command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """Return the commands in the order in which people need them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 (click's)
        """Import a command; None for a name that is none."""
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"drdrill.cli.{cmd_name}").command
        if not isinstance(command, click.Command):
            raise TypeError(f"drdrill.cli.{cmd_name}.command is not a command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; raises a usage error that names the nearest one."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            remedy = f"Did you mean `{near[0]}`?" if near else f"The commands are: {', '.join(COMMANDS)}."
            raise click.UsageError(f"there is no command `{args[0]}`. {remedy}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 (click's)
        """List the commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _print_version(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"drdrill {version('drdrill')}")
        context.exit()


@click.group(cls=LazyGroup, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
def command() -> None:
    """Prove that your disaster recovery works: real faults, real failover code, measured recovery."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status; a command may return one itself."""
    _find_system_programs()
    try:
        result: Any = command.main(arguments, prog_name="drdrill", standalone_mode=False)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 (where a bug becomes a message)
        return report(error)
    return result if isinstance(result, int) else 0


def _find_system_programs() -> None:
    """Let programs such as `ip` be found: an ordinary user's PATH may lack the folders that they are in."""
    path = os.environ.get("PATH", os.defpath).split(os.pathsep)
    path += [folder for folder in ("/usr/sbin", "/sbin") if folder not in path]
    os.environ["PATH"] = os.pathsep.join(path)


def report(error: BaseException) -> int:
    """Print an error as people need it, and return its exit status."""
    match error:
        case click.exceptions.NoArgsIsHelpError():
            status = error.exit_code
            error.show()  # the help itself
        case click.ClickException():
            status = error.exit_code
            _say(error.format_message() + _usage_hint(error))
        case KeyboardInterrupt() | click.Abort():
            # click turns every KeyboardInterrupt into an Abort, ours too.
            signal = next((one for one in (error, error.__cause__) if isinstance(one, Interrupted)), None)
            status = signal.exit_status if signal else EXIT_INTERRUPTED
            _say(f"interrupted by {signal.signal_name}." if signal else "interrupted.")
        case BrokenPipeError():
            # Nobody reads any more: nothing to say, and nothing may be flushed into the closed pipe at exit.
            status = _EXIT_BROKEN_PIPE
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        case InvalidInputError():
            status = error.exit_status
            for mistake in error.mistakes:
                click.echo(str(mistake), err=True)
            _say(f"{len(error.mistakes)} mistake{'s'[: len(error.mistakes) != 1]}; nothing was started.")
        case DrdrillError():
            status = error.exit_status
            _say(str(error))
        case BaseExceptionGroup():
            # Cleaning up failed at several places; what was raised first gives the exit status.
            status = [report(each) for each in error.exceptions][0]  # noqa: RUF015 (all are reported)
        case _:
            status = EXIT_BROKEN
            _report_bug(error)
    return status


def _usage_hint(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"\n  `{context.command_path} --help` says how it is used." if context is not None else ""


def _say(message: str) -> None:
    click.echo(f"drdrill: {message}", err=True)


def _report_bug(error: BaseException) -> None:
    """Save the traceback and say where."""
    said = str(error).splitlines()
    summary = f"{type(error).__name__}: {said[0]}" if said else type(error).__name__
    saved = _save_traceback("".join(traceback.format_exception(error)))
    _say(f"this is a bug in drdrill: {summary}\n  Please report it with its traceback: {saved}")


def _save_traceback(text: str) -> Path:
    """Write a traceback under `.drdrill/` of the drill repository, or where temporary files go."""
    import tempfile

    name = f"bug-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.txt"
    for folder in (find_repository() / ".drdrill", Path(tempfile.gettempdir())):
        try:
            folder.mkdir(exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        except OSError:
            continue
        return folder / name
    click.echo(text, err=True)
    return Path("the lines above")


if __name__ == "__main__":
    sys.exit(main())
