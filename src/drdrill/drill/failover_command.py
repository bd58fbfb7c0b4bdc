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

from drdrill.core.errors import UsageError
from drdrill.drill.call_record import recording_calls
from drdrill.drill.operator_program import OperatorProgram

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta
    from pathlib import Path

    from drdrill.plan.scenario import Scenario

EVENT = "failover-event.json"
_HANDLER = re.compile(r"(?:[\w.-]+/)*[A-Za-z_][\w.]*:[A-Za-z_]\w*", re.ASCII)
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


def require_resumable(command: str, deaths: int | None) -> None:
    """Raise `UsageError` where the operators' machine is to die: what is not a runbook cannot be resumed."""
    if deaths != 0:
        raise UsageError(
            f"--failover-command `{command}` cannot take the place of this scenario's runbook: the operators' machine "
            "dies in the middle, and only a runbook is resumed. --scenario NAME chooses another one."
        )


class FailoverCommand(OperatorProgram):
    """Runs what somebody else's failover is, once."""

    def run(self, command: str, event: Path | None, *, within: timedelta) -> bool:
        """Run it to its end; tell whether it ended with 0. With an `event` the command is a handler that gets it."""
        program = ["sh", "-c", command] if event is None else self._call(command, event)
        with recording_calls(self._environment, self._directory, self._journal):
            ended = self._operate(
                ("failover_command.started", "failover_command.ended"),
                ["env", "-C", str(self._root), *_ONE_LOG, *program],
                log="failover-command.log",
                within=within,
                about={"command": command},
                told={"event": None if event is None else EVENT},
            )
        return ended.status == 0

    def _call(self, handler: str, event: Path) -> list[str]:
        """Keep the event with the drill, and return the program that calls the handler with it."""
        kept = self._directory.path / EVENT
        shutil.copyfile(event, kept)
        return [sys.executable, "-P", "-m", "drdrill.runbook.handler", handler, str(kept)]
