"""Anyone's failover in the runbook's place: a line for the shell, or a handler that is called as AWS Lambda does.

It is run as it is on the operators' host, in the drill repository's root. What it says goes to the drill's logs, and
the journal says before and after what was run, how it ended and how long it took. How it ended ends no drill and is no
verdict: that is for what users saw and for the data. It must not know what the command does.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from typing import TYPE_CHECKING

from drdrill.core.clock import NANOSECONDS
from drdrill.core.errors import CommandFailedError, UsageError
from drdrill.drill.call_record import recording_calls

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta
    from pathlib import Path

    from drdrill.core.clock import Clock
    from drdrill.environment.port import Environment
    from drdrill.plan.scenario import Scenario
    from drdrill.record.directory import DrillDirectory

EVENT = "failover-event.json"
_HANDLER = re.compile(r"(?:[\w.-]+/)*[A-Za-z_][\w.]*:[A-Za-z_]\w*", re.ASCII)
_TAIL_LINES = 15
# What it says on both ways is kept in one file, in the order in which it was said.
_ONE_LOG = ("sh", "-c", 'exec "$@" 2>&1', "sh")


def check_command(command: str | None, event: Path | None, scenarios: Mapping[str, Scenario]) -> None:
    """Raise `UsageError` for a command, or a handler and its event, that cannot take the place of a runbook."""
    if command is None:
        if event is not None:
            raise UsageError("--failover-event is the event of a handler: --failover-command names that.")
        return
    without = [f"`{name}`" for name, one in scenarios.items() if one.runbook is None]
    if without:
        raise UsageError(
            f"--failover-command takes the place of a runbook, and {', '.join(without)} "
            f"{'has' if len(without) == 1 else 'have'} none. --scenario NAME chooses one that has."
        )
    if not command.strip():
        raise UsageError("--failover-command is empty.")
    is_handler = _HANDLER.fullmatch(command) is not None
    if event is None and is_handler:
        raise UsageError(
            f"--failover-command `{command}` is a handler: --failover-event FILE says what it is called with."
        )
    if event is None:
        return
    if not is_handler:
        raise UsageError(
            f"--failover-event is the event of a handler, and --failover-command `{command}` is none: "
            "a handler is written `module:function`."
        )
    try:
        json.loads(event.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{event}: no JSON that could be a handler's event: {error}") from error


class FailoverCommand:
    """Runs what somebody else's failover is, once."""

    def __init__(
        self, root: Path, environment: Environment, directory: DrillDirectory, *, clock: Clock
    ) -> None:
        self._root = root
        self._environment = environment
        self._directory = directory
        self._journal = directory.journal("operator")
        self._clock = clock

    def run(self, command: str, event: Path | None, *, within: timedelta) -> bool:
        """Run it to its end; tell whether it ended with 0. With an `event` the command is a handler that gets it."""
        log = self._directory.logs / "failover-command.log"
        self._journal.append(
            "failover_command.started",
            command=command,
            event=None if event is None else EVENT,
            log=f"logs/{log.name}",
        )
        program = ["sh", "-c", command] if event is None else self._call(command, event)
        with recording_calls(self._environment, self._directory, self._journal):
            return self._run(command, program, log, within=within)

    def _run(self, command: str, program: Sequence[str], log: Path, *, within: timedelta) -> bool:
        """Run a program and write down how it ended; tell whether it ended with 0."""
        before_ns = self._clock.now_ns()
        status, by_us = None, ""
        try:
            self._environment.run_for_operator(
                ["env", "-C", str(self._root), *_ONE_LOG, *program], within=within, output=log
            )
            status = 0
        except CommandFailedError as error:
            status, by_us = error.status, error.output
        finally:
            seconds = round((self._clock.now_ns() - before_ns) / NANOSECONDS, 3)
            said = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
            words = "\n".join(f"{said.rstrip()}\n{by_us.strip()}".strip().splitlines()[-_TAIL_LINES:])
            self._journal.append(
                "failover_command.ended", command=command, status=status, seconds=seconds, said=words
            )
        return status == 0

    def _call(self, handler: str, event: Path) -> list[str]:
        """Keep the event with the drill, and return the program that calls the handler with it."""
        kept = self._directory.path / EVENT
        shutil.copyfile(event, kept)
        return [sys.executable, "-P", "-m", "drdrill.runbook.handler", handler, str(kept)]
