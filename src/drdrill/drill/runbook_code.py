"""The company's runbook, run in a drill as operators run it: `drdrill failover` on their host, with gates by policy.

The run's own journal, its logs and a copy of the runbook are in the drill's directory, under `failover/`. How far it
came is read from there; the drill goes on and judges, whatever it came to.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import TYPE_CHECKING

from drdrill.core.clock import NANOSECONDS
from drdrill.core.errors import EXIT_USAGE, CommandFailedError, EnvironmentFailedError, UsageError
from drdrill.drill.call_record import recording_calls

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.core.clock import Clock
    from drdrill.environment.port import Environment
    from drdrill.record.directory import DrillDirectory

FOLDER = "failover"
_NOT_DONE = (1, 130)  # a step was not done, or it was interrupted: its journal says which
_TAIL_LINES = 15
_GRACE = timedelta(
    seconds=150
)  # its executor gives what runs 30 s to end, and waits up to two minutes for all of it


class RunbookCode:
    """Runs a runbook of the drill repository once."""

    def __init__(
        self, root: Path, environment: Environment, directory: DrillDirectory, *, clock: Clock
    ) -> None:
        self._root = root
        self._environment = environment
        self._directory = directory
        self._journal = directory.journal("operator")
        self._clock = clock

    def run(self, runbook: str, *, within: timedelta, gates: str, why: str) -> bool:
        """Run it to its end; tell whether every step was done.

        `gates`: `approve` or `refuse`, the policy that answers them, for the reason `why`. Raises `UsageError` when the
        file is not there, and `EnvironmentFailedError` when the run itself could not be made.
        """
        path = self._root / runbook
        if not path.is_file():
            raise UsageError(f"{path}: there is no such runbook.")
        command = [
            sys.executable, "-P", "-m", "drdrill.cli.main", "failover", "--runbook", str(path), "--json",
            "--gates", gates, "--why", why, "--directory", str(self._directory.path / FOLDER),
        ]  # fmt: skip
        shown = ["drdrill", *command[4:8], "--gates", gates]
        log, errors = (self._directory.logs / f"runbook.{end}" for end in ("out", "err"))
        self._journal.append("runbook.started", runbook=runbook, gates=gates, why=why, log=f"logs/{log.name}")
        with recording_calls(self._environment, self._directory, self._journal):
            return self._run(runbook, command, shown, (log, errors), within=within)

    def _run(
        self,
        runbook: str,
        command: list[str],
        shown: list[str],
        outputs: tuple[Path, Path],
        *,
        within: timedelta,
    ) -> bool:
        """Run a command, which is `shown` where it fails, and write down how it ended; tell whether all was done."""
        log, errors = outputs
        before_ns = self._clock.now_ns()
        status = 0
        try:
            self._environment.run_for_operator(
                ["env", "-C", str(self._root), *command],
                within=within,
                output=log,
                errors=errors,
                grace=_GRACE,
            )
        except CommandFailedError as error:
            status = error.status
            if status not in _NOT_DONE:
                said = "\n".join(error.output.strip().splitlines()[-_TAIL_LINES:])
                raise self._failure(shown, status, said) from error
        finally:
            seconds = round((self._clock.now_ns() - before_ns) / NANOSECONDS, 3)
            self._journal.append("runbook.finished", runbook=runbook, status=status, seconds=seconds)
        return status == 0

    @staticmethod
    def _failure(shown: list[str], status: int, said: str) -> Exception:
        text = f"`{' '.join(shown)}` ended with status {status}:\n{said}"
        return UsageError(text) if status == EXIT_USAGE else EnvironmentFailedError(text)
