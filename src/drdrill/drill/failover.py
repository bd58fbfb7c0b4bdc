"""The company's own failover code, run where its operators run it: a process on their host, and nothing of ours in it.

A module of the folder `failover` is run with `python -m`. What it prints goes to the drill's logs; the journal says
before and after what was run, how it ended and how long it took. It must not know what the code does.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from drdrill.core.clock import NANOSECONDS
from drdrill.core.errors import CommandFailedError, UsageError
from drdrill.plan.nearest import suggest

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path

    from drdrill.core.clock import Clock
    from drdrill.environment.port import Environment
    from drdrill.record.directory import DrillDirectory

PACKAGE = "failover"
_TAIL_LINES = 15


class FailoverCode:
    """Runs the modules of the drill repository's folder `failover`, one at a time."""

    def __init__(
        self, root: Path, environment: Environment, directory: DrillDirectory, *, clock: Clock
    ) -> None:
        self._folder = root / PACKAGE
        self._environment = environment
        self._directory = directory
        self._journal = directory.journal("operator")
        self._clock = clock
        self._runs = 0

    def run(self, name: str, *arguments: str, within: timedelta) -> str:
        """Run `python -m failover.NAME ARGUMENTS` on the operators' host to its end, and return what it printed.

        Raises `UsageError` when there is no such module, and `CommandFailedError` with command, exit status and
        standard error when it failed or did not end in time.
        """
        known = sorted(path.stem for path in self._folder.glob("[a-z]*.py"))
        if name not in known:
            raise UsageError(
                f"{self._folder}: there is no failover code `{name}`. {suggest(name, known, what='There is')}"
            )
        self._runs += 1
        # `-P`: only what is named is imported, and not what happens to lie in the working directory.
        command = [sys.executable, "-P", "-m", f"{PACKAGE}.{name}", *arguments]
        shown = ["python", *command[2:]]
        log, errors = (
            self._directory.logs / f"{PACKAGE}-{self._runs}-{name}.{end}" for end in ("out", "err")
        )
        self._journal.append("failover_code.started", command=shown, log=f"logs/{log.name}")
        before_ns = self._clock.now_ns()
        status, said = None, ""
        try:
            self._environment.run_for_operator(command, within=within, output=log, errors=errors)
            status = 0
        except CommandFailedError as error:
            status, said = error.status, "\n".join(error.output.strip().splitlines()[-_TAIL_LINES:])
            raise CommandFailedError(shown, error.status, error.output) from error
        finally:
            seconds = round((self._clock.now_ns() - before_ns) / NANOSECONDS, 3)
            self._journal.append(
                "failover_code.ended", command=shown, status=status, seconds=seconds, said=said
            )
        return log.read_text(encoding="utf-8", errors="replace")
