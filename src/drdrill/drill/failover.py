"""The company's own failover code, run where its operators run it: a process on their host, and nothing of ours in it.

A module of the folder `failover` is run with `python -m`. What it prints goes to the drill's logs; the journal says
before and after what was run, how it ended and how long it took. It must not know what the code does.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from drdrill.core.errors import CommandFailedError, UsageError
from drdrill.drill.operator_program import OperatorProgram
from drdrill.plan.nearest import suggest

if TYPE_CHECKING:
    from datetime import timedelta

PACKAGE = "failover"


class FailoverCode(OperatorProgram):
    """Runs the modules of the drill repository's folder `failover`, one at a time."""

    def __init__(self, *where: Any, **with_what: Any) -> None:
        super().__init__(*where, **with_what)
        self._runs = 0

    def run(self, name: str, *arguments: str, within: timedelta) -> str:
        """Run `python -m failover.NAME ARGUMENTS` on the operators' host to its end, and return what it printed.

        Raises `UsageError` when there is no such module, and `CommandFailedError` with command, exit status and
        standard error when it failed or did not end in time.
        """
        folder = self._root / PACKAGE
        known = sorted(path.stem for path in folder.glob("[a-z]*.py"))
        if name not in known:
            raise UsageError(
                f"{folder}: there is no failover code `{name}`. {suggest(name, known, what='There is')}"
            )
        self._runs += 1
        # `-P`: only what is named is imported, and not what happens to lie in the working directory.
        command = [sys.executable, "-P", "-m", f"{PACKAGE}.{name}", *arguments]
        shown = ["python", *command[2:]]
        logs = f"{PACKAGE}-{self._runs}-{name}"
        ended = self._operate(
            ("failover_code.started", "failover_code.ended"),
            command,
            log=f"{logs}.out",
            errors=f"{logs}.err",
            within=within,
            about={"command": shown},
        )
        if ended.failure is not None:
            raise CommandFailedError(shown, ended.status, ended.failure.output) from ended.failure
        return (self._directory.logs / f"{logs}.out").read_text(encoding="utf-8", errors="replace")
