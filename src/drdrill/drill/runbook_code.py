"""The company's runbook, run in a drill as operators run it: `drdrill failover` on their host, with gates by policy.

The run's own journal, its logs and a copy of the runbook are in the drill's directory, under `failover/`. How far it
came is read from there; the drill goes on and judges, whatever it came to. Where the operators' machine is to die
meanwhile, it is run so that it does (`mortal`), and `drdrill resume` goes on, as operators would on another machine.
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

from drdrill.core.errors import EXIT_USAGE, EnvironmentFailedError, UsageError
from drdrill.drill.call_record import recording_calls
from drdrill.drill.mortal import STATUS
from drdrill.drill.operator_program import OperatorProgram
from drdrill.plan.runbook_checking import load_runbook

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from drdrill.drill.deaths import Moment
    from drdrill.drill.operator_program import Ended

FOLDER = "failover"
_NOT_DONE = (1, 130)  # a step was not done, or it was interrupted: its journal says which
_GRACE = timedelta(
    seconds=150
)  # its executor gives what runs 30 s to end, and waits up to two minutes for all of it


class RunbookCode(OperatorProgram):
    """Runs a runbook of the drill repository once."""

    def run(
        self,
        runbook: str,
        *,
        within: timedelta,
        gates: str,
        why: str,
        draw: Callable[[int], Sequence[Moment]] | None = None,
    ) -> bool:
        """Run it to its end; tell whether every step was done.

        `gates`: `approve` or `refuse`, the policy that answers them, for the reason `why`. `draw`: when the
        operators' machine dies in a runbook of so many steps, one moment after the other; each time they resume. Raises
        `UsageError` when the file is not there, and `EnvironmentFailedError` when the run itself could not be made.
        """
        path = self._root / runbook
        if not path.is_file():
            raise UsageError(f"{path}: there is no such runbook.")
        with recording_calls(self._environment, self._directory, self._journal):
            about = {"runbook": runbook, "gates": gates, "why": why}
            return self._run_to_its_end(path, about, within=within, draw=draw)

    def _run_to_its_end(
        self,
        path: Path,
        about: dict[str, str],
        *,
        within: timedelta,
        draw: Callable[[int], Sequence[Moment]] | None,
    ) -> bool:
        """Run it, and resume it after each death of the machine."""
        folder = self._directory.path / FOLDER
        policy = ["--gates", about["gates"], "--why", about["why"], "--json"]
        arguments = ["failover", "--runbook", str(path), *policy, "--directory", str(folder)]
        kind, run = "runbook.started", 1
        deaths = draw(len(load_runbook(path).steps)) if draw else ()
        if deaths:
            self._journal.append("operators.doomed", drawn=[one.words for one in deaths])
        for number, moment in enumerate(deaths, start=1):
            report = self._directory.evidence / f"operators-death-{number}.json"
            mortal = [
                sys.executable, "-P", "-m", "drdrill.drill.mortal", str(folder), str(report), *moment.arguments, "--",
            ]  # fmt: skip
            ended = self._run(kind, run, arguments, within=within, about=about, mortal=mortal)
            if ended.status != STATUS or not report.exists():
                return self._conclude(ended, arguments)  # it was over before its moment came
            self._journal.append(
                "operators.died",
                number=number,
                drawn=moment.words,
                **json.loads(report.read_text(encoding="utf-8")),
            )
            arguments = ["resume", str(folder), *policy]
            kind, run = "runbook.resumed", run + 1
        return self._conclude(self._run(kind, run, arguments, within=within, about=about), arguments)

    def _run(
        self,
        kind: str,
        run: int,
        arguments: Sequence[str],
        *,
        within: timedelta,
        about: dict[str, str],
        mortal: Sequence[str] = (),
    ) -> Ended:
        logs = "runbook" if run == 1 else f"runbook-{run}"
        return self._operate(
            (kind, "runbook.finished"),
            [
                "env", "-C", str(self._root), *mortal,
                sys.executable, "-P", "-m", "drdrill.cli.main", *arguments,
            ],
            log=f"{logs}.out",
            errors=f"{logs}.err",
            within=within,
            grace=_GRACE,
            about=about,
        )  # fmt: skip

    @staticmethod
    def _conclude(ended: Ended, arguments: Sequence[str]) -> bool:
        if ended.status in {0, *_NOT_DONE}:
            return ended.status == 0
        text = f"`drdrill {' '.join(arguments)}` ended with status {ended.status}:\n{ended.said}"
        raise (
            UsageError(text) if ended.status == EXIT_USAGE else EnvironmentFailedError(text)
        ) from ended.failure
