"""A program run where operators work: what failover code, a command in the runbook's place, and a runbook share.

What it says goes to the drill's logs; the journal says before and after what was run, how it ended, how long it took,
and its last words. It must not know what the program does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from drdrill.core.clock import NANOSECONDS
from drdrill.core.errors import CommandFailedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from drdrill.core.clock import Clock
    from drdrill.environment.port import Environment
    from drdrill.record.directory import DrillDirectory

_TAIL_LINES = 15


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended. `failure`: the error that its status was read from; None: it ended with 0."""

    status: int
    said: str
    failure: CommandFailedError | None = None


class OperatorProgram:
    """One of the company's programs, run in one drill."""

    def __init__(
        self, root: Path, environment: Environment, directory: DrillDirectory, *, clock: Clock
    ) -> None:
        self._root = root
        self._environment = environment
        self._directory = directory
        self._journal = directory.journal("operator")
        self._clock = clock

    def _operate(
        self,
        kinds: tuple[str, str],
        command: Sequence[str],
        *,
        log: str,
        within: timedelta,
        about: Mapping[str, object],
        told: Mapping[str, object] | None = None,
        errors: str | None = None,
        grace: timedelta = timedelta(),
    ) -> Ended:
        """Run a program to its end, and return how it ended.

        `kinds` of the two events: both have `about`, and the first one what else is `told`. `log` and `errors`: files
        in the drill's logs; without `errors` everything stands in `log`, whose end is told, too.
        """
        output = self._directory.logs / log
        self._journal.append(kinds[0], **about, **(told or {}), log=f"logs/{log}")
        before_ns = self._clock.now_ns()
        ended: Ended | None = None
        words = ""
        try:
            self._environment.run_for_operator(
                command,
                within=within,
                output=output,
                errors=None if errors is None else self._directory.logs / errors,
                grace=grace,
            )
            ended = Ended(0, "")
        except CommandFailedError as error:
            words = error.output
            ended = Ended(error.status, "", error)
        finally:
            if errors is None and output.exists():
                words = f"{output.read_text(encoding='utf-8', errors='replace').rstrip()}\n{words.strip()}"
            said = "\n".join(words.strip().splitlines()[-_TAIL_LINES:])
            self._journal.append(
                kinds[1],
                **about,
                status=None if ended is None else ended.status,
                seconds=round((self._clock.now_ns() - before_ns) / NANOSECONDS, 3),
                said=said,
            )
        return Ended(ended.status, said, ended.failure)
