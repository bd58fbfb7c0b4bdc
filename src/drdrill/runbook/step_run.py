"""The run of one step: it looks, acts only if it must, and watches until it is seen to be done or its time is over.

Whatever it does is journalled before and after. It knows no other step.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from drdrill.core.clock import NANOSECONDS
from drdrill.runbook.state import Fate, State

if TYPE_CHECKING:
    from drdrill.core.clock import Clock
    from drdrill.plan.runbook import Step
    from drdrill.record.journal import Journal
    from drdrill.runbook.port import Asked, Ended, Gates, Operator, Running

# Between two looks at the same thing: AWS throttles who asks more often, and no step takes less.
_BETWEEN_LOOKS_NS = NANOSECONDS
_GRACE_NS = 30 * NANOSECONDS  # for Terraform to write its state, asked to end in the middle of a call


class StepRun:
    """One step in one run of a runbook; `advance` moves it on and never waits."""

    def __init__(
        self, name: str, step: Step, *, operator: Operator, gates: Gates, journal: Journal, clock: Clock
    ) -> None:
        self.name, self.step = name, step
        self.state, self.acted = State.WAITING, False
        self._operator, self._gates, self._journal, self._clock = operator, gates, journal, clock
        self._running: Running | None = None
        self._asked: Asked | None = None
        self._begun_ns: int | None = None
        self._ended_ns: int | None = None
        self._looked_ns: int | None = None
        self._stopping: tuple[State, str, int] | None = None
        self._reason = ""
        self._last_look = "nothing observed it"

    def __repr__(self) -> str:
        return f"StepRun({self.name!r}, {self.state})"

    @property
    def fate(self) -> Fate:
        """Return what became of the step so far."""
        return Fate(self.name, self.state, self.acted, self._begun_ns, self._ended_ns, self._reason)

    def begin(self, *, answered: bool = False) -> None:
        """Begin; `answered`: the journal of this runbook holds the approval of this gate."""
        self._begun_ns = self._clock.now_ns()
        self._journal.append(
            "step.begun",
            step=self.name,
            phase=self.step.phase,
            by=self.step.by,
            within_seconds=self.step.within.total_seconds(),
        )
        gate = self.step.action.gate
        if gate is None:
            self.state = State.LOOKING
        elif answered:
            self._end(State.DONE, "it was approved before")
        else:
            self.state = State.ASKING
            self._journal.append("gate.asked", step=self.name, role=gate.role, question=gate.question)
            self._asked = self._gates.ask(self.name, gate)

    def block(self, by: str) -> None:
        """End a step that cannot begin, as what it needs was not done."""
        self._end(State.BLOCKED, f"`{by}` was not done")

    def advance(self) -> None:
        """Move on as far as it goes without waiting."""
        if not self.state.is_running:
            return
        if self._stopping is not None:
            self._advance_stop(*self._stopping)
        elif self.state is State.ASKING:
            self._advance_gate()
        else:
            self._advance_work()
        if self.state.is_running and self._stopping is None and self._is_late():
            self.stop(State.FAILED, self._describe_lateness())

    def stop(self, state: State, reason: str) -> None:
        """Ask what runs to end, and end the step in `state` when it has."""
        if self._stopping is not None or not self.state.is_running:
            return
        self._journal.append("step.stopping", step=self.name, reason=reason)
        self._stopping = state, reason, self._clock.now_ns()
        if self._asked is not None:
            self._asked.withdraw()
        if self._running is not None:
            self._running.stop(at_once=False)
        self._advance_stop(*self._stopping)

    def _advance_stop(self, state: State, reason: str, since_ns: int) -> None:
        if self._running is not None and self._running.read_end() is None:
            if self._clock.now_ns() - since_ns >= _GRACE_NS:
                self._running.stop(at_once=True)
            return
        self._end(state, reason)

    def _advance_gate(self) -> None:
        answer = None if self._asked is None else self._asked.read_answer()
        if answer is None:
            return
        waited = round((self._clock.now_ns() - (self._begun_ns or 0)) / NANOSECONDS, 3)
        self._journal.append(
            "gate.answered",
            step=self.name,
            approved=answer.approved,
            who=answer.who,
            why=answer.why,
            waited_seconds=waited,
            shown=answer.shown,
        )
        if answer.approved:
            self._end(State.DONE, f"approved by {answer.who}")
        else:
            self._end(State.FAILED, f"{answer.who} said no: {answer.why or 'no reason given'}")

    def _advance_work(self) -> None:
        if self._running is None:
            self._start_look()
            return
        ended = self._running.read_end()
        if ended is None:
            return
        self._running = None
        if self.state is State.ACTING:
            self._take_action_end(ended)
        else:
            self._take_look(ended)

    def _start_look(self) -> None:
        now = self._clock.now_ns()
        if self._looked_ns is not None and now - self._looked_ns < _BETWEEN_LOOKS_NS:
            return
        verify = self.step.verify
        # What an executor that was killed had started may run on: nothing is begun beside it.
        busy = not self.acted and self._operator.still_acts(self.name)
        if busy:
            self._last_look = "what an earlier run began runs on"
        elif verify is not None:
            self._looked_ns = now
            self._running = self._operator.look(self.name, verify)

    def _take_look(self, ended: Ended) -> None:
        if ended.status == 0:
            self._journal.append("step.observed", step=self.name, acted=self.acted, said=ended.said)
            self._end(State.DONE, "" if self.acted else "it was done already")
            return
        self._last_look = f"its verification {_describe_end(ended)}"
        if self.state is State.LOOKING:
            self._journal.append("step.acting", step=self.name, seen=self._last_look)
            self.state, self.acted = State.ACTING, True
            self._running = self._operator.act(self.name, self.step.action)

    def _take_action_end(self, ended: Ended) -> None:
        self._journal.append(
            "step.acted", step=self.name, status=ended.status, said=ended.said, log=ended.log
        )
        if ended.status == 0:
            self.state = State.WATCHING
            return
        self._end(State.FAILED, f"its action {_describe_end(ended)}")

    def _is_late(self) -> bool:
        within_ns = int(self.step.within.total_seconds() * NANOSECONDS)
        return self._clock.now_ns() - (self._begun_ns or 0) >= within_ns

    def _describe_lateness(self) -> str:
        limit = f"within {self.step.within.total_seconds():g} s"
        if self.state is State.ASKING:
            gate = self.step.action.gate
            return f"nobody answered as {gate.role if gate else 'anybody'} {limit}"
        if self.state is State.ACTING:
            return f"its action did not end {limit}"
        return f"it was not seen to be done {limit}; {self._last_look}"

    def _end(self, state: State, reason: str) -> None:
        self.state, self._reason, self._ended_ns = state, reason, self._clock.now_ns()
        self._running = self._asked = None
        self._journal.append("step.ended", step=self.name, state=state, acted=self.acted, reason=reason)


def _describe_end(ended: Ended) -> str:
    """Say how a program ended, in its own words: records of JSON are for its log, where it said anything else."""
    lines = ended.said.splitlines()
    words = "\n".join([line for line in lines if not _is_record(line)] or lines)
    return f"ended with {ended.status}" + (f": {words}" if words else "")


def _is_record(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
