"""Runs a runbook: every step as soon as what it needs is done, and nothing twice that is seen to be done.

One loop looks at everything that runs. A step that fails stops what depends on it; other steps go on to their end.
An interruption begins nothing more, asks what runs to end, and says how far it came. The journal holds what happened;
a later run over the same directory goes on from what it observes, and takes only people's approvals from the journal.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from drdrill.core.waiting import wait_until
from drdrill.record.journal import read_journal
from drdrill.runbook.state import Result, State
from drdrill.runbook.step_run import StepRun

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from drdrill.core.clock import Clock
    from drdrill.plan.runbook import Runbook
    from drdrill.record.journal import Journal
    from drdrill.runbook.port import Gates, Operator

_EVERY = timedelta(milliseconds=100)
_STOP_WITHIN = timedelta(minutes=2)  # four times the grace of a step: what was killed is gone by then


def read_approvals(journal: Path) -> frozenset[str]:
    """Return the gates that were approved in the journal of a runbook; the last answer of each counts."""
    if not journal.exists():
        return frozenset()
    answers = {
        str(event.data["step"]): event.data["approved"] is True
        for event in read_journal(journal)
        if event.kind == "gate.answered"
    }
    return frozenset(step for step, approved in answers.items() if approved)


class Executor:
    """Runs one runbook once."""

    def __init__(
        self,
        runbook: Runbook,
        *,
        operator: Operator,
        gates: Gates,
        journal: Journal,
        clock: Clock,
        is_interrupted: Callable[[], bool] = lambda: False,
        tell: Callable[[StepRun], None] = lambda run: None,  # noqa: ARG005 (nobody listens)
    ) -> None:
        # Asked, not raised: an exception between the start of a program and its note would lose the program.
        self._is_interrupted = is_interrupted
        self._runbook, self._journal, self._clock, self._tell = runbook, journal, clock, tell
        self._approved = read_approvals(journal.path)
        self._runs = {
            name: StepRun(name, step, operator=operator, gates=gates, journal=journal, clock=clock)
            for name, step in runbook.steps.items()
        }

    def run(self) -> Result:
        """Run to the end and return what became of every step; an interruption is in the result."""
        self._journal.append("runbook.begun", title=self._runbook.title, steps=list(self._runs))
        longest = sum((step.within + _STOP_WITHIN for step in self._runbook.steps.values()), timedelta())
        try:
            self._wait(longest)
            interrupted = self._is_interrupted() and not self._is_over()
            if interrupted:
                self._stop()
        except BaseException:
            self._stop()  # a fault of ours: nothing may run on that nobody looks at
            raise
        result = Result(tuple(run.fate for run in self._runs.values()), interrupted)
        self._journal.append(
            "runbook.ended",
            done=result.done,
            interrupted=interrupted,
            not_done=[fate.name for fate in result.fates if fate.state is not State.DONE],
        )
        return result

    def _wait(self, within: timedelta) -> None:
        wait_until(
            self._advance, what="the end of the runbook", within=within, every=_EVERY, clock=self._clock
        )

    def _advance(self) -> bool:
        moved = True
        while moved:
            before = [run.state for run in self._runs.values()]
            for run in self._runs.values():
                state = run.state
                self._advance_one(run)
                if run.state is not state:
                    self._tell(run)
            moved = before != [run.state for run in self._runs.values()]
        return self._is_over() or self._is_interrupted()

    def _is_over(self) -> bool:
        return all(run.state.is_over for run in self._runs.values())

    def _advance_one(self, run: StepRun) -> None:
        if run.state is not State.WAITING:
            run.advance()
            return
        needed = [self._runs[name] for name in run.step.needs]
        lost = [one.name for one in needed if one.state.is_over and one.state is not State.DONE]
        if lost:
            run.block(lost[0])
        elif all(one.state is State.DONE for one in needed):
            run.begin(answered=run.name in self._approved)

    def _stop(self) -> None:
        self._journal.append("runbook.stopping")
        for run in self._runs.values():
            run.stop(State.STOPPED, "it was interrupted")
        wait_until(
            self._advance_running,
            what="the end of what still ran",
            within=_STOP_WITHIN,
            every=_EVERY,
            clock=self._clock,
        )

    def _advance_running(self) -> bool:
        for run in self._runs.values():
            run.advance()
        return not any(run.state.is_running for run in self._runs.values())
