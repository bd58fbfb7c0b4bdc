"""Gates: how a person's answer comes in: by a policy for CI, or from the terminal (`page_gates`: from a page).

None of them blocks. Whoever asks stops asking when the step's time is over: nobody there is not an approval.
"""

from __future__ import annotations

import select
from typing import TYPE_CHECKING, TextIO

from drdrill.core.clock import NANOSECONDS
from drdrill.plan.runbook import Work
from drdrill.runbook.port import Answer

if TYPE_CHECKING:
    from drdrill.core.clock import Clock
    from drdrill.plan.runbook import Gate
    from drdrill.runbook.port import Asked, Operator, Running

_SHOWN_WITHIN_NS = 20 * NANOSECONDS  # what monitoring says must not hold up the question for long


class PolicyGates:
    """Answers every gate at once, as it was told to: for CI, where nobody is asked."""

    def __init__(self, *, approve: bool, why: str) -> None:
        self._answer = Answer(approve, f"policy:{'approve' if approve else 'refuse'}", why)

    def ask(self, step: str, gate: Gate) -> Asked:
        """Answer."""
        del step, gate
        return _Answered(self._answer)


class _Answered:
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def read_answer(self) -> Answer | None:
        return self._answer

    def withdraw(self) -> None:
        pass


class TerminalGates:
    """Asks on a terminal: what is shown, the question, and one line for the answer and the reason.

    Questions that come at the same time are asked one after the other.
    """

    def __init__(self, source: TextIO, screen: TextIO, *, who: str, operator: Operator, clock: Clock) -> None:
        self._source, self._screen, self._who = source, screen, who
        self._operator, self._clock = operator, clock
        self._queue: list[_TerminalQuestion] = []

    def ask(self, step: str, gate: Gate) -> Asked:
        """Put a question into the queue."""
        probe = self._operator.look(step, Work(command=gate.shows)) if gate.shows else None
        question = _TerminalQuestion(self, step, gate, probe, self._clock.now_ns())
        self._queue.append(question)
        return question

    def read(self, question: _TerminalQuestion) -> Answer | None:
        """Return the answer to a question once it was shown, and a line was typed."""
        if not self._queue or self._queue[0] is not question:
            return None
        if not question.shown:
            question.shown = self._show(question)
        if not question.shown:
            return None
        if not select.select([self._source], [], [], 0)[0]:
            return None
        line = self._source.readline()
        word, _, why = line.strip().partition(" ")
        if not line:  # nobody can answer here any more
            self._queue.remove(question)
            return Answer(approved=False, who=self._who, why="the terminal was closed")
        if word.lower() not in ("yes", "no"):
            self._say("Please answer `yes REASON` or `no REASON`: ")
            return None
        self._queue.remove(question)
        return Answer(word.lower() == "yes", self._who, why.strip())

    def leave(self, question: _TerminalQuestion) -> None:
        """Take a question out of the queue."""
        if question in self._queue:
            self._queue.remove(question)
            self._say(f"\nThe question of `{question.step}` was taken back.\n")

    def _show(self, question: _TerminalQuestion) -> bool:
        ended = question.probe.read_end() if question.probe is not None else None
        said = ended.said if ended is not None else ""
        if question.probe is not None and ended is None:
            if self._clock.now_ns() - question.asked_ns < _SHOWN_WITHIN_NS:
                return False
            question.probe.stop(at_once=True)
            said = f"`{question.gate.shows[0]}` said nothing in time: decide without it."
        elif ended is not None and ended.status:
            said += f"\n(`{question.gate.shows[0]}` ended with status {ended.status})"
        self._say(f"\n{question.step}, for {question.gate.role}:\n{said}\n")
        self._say(f"{question.gate.question} Answer `yes REASON` or `no REASON`: ")
        return True

    def _say(self, text: str) -> None:
        self._screen.write(text)
        self._screen.flush()


class _TerminalQuestion:
    def __init__(
        self, gates: TerminalGates, step: str, gate: Gate, probe: Running | None, asked_ns: int
    ) -> None:
        self._gates, self.step, self.gate, self.shown = gates, step, gate, False
        self.probe, self.asked_ns = probe, asked_ns

    def read_answer(self) -> Answer | None:
        return self._gates.read(self)

    def withdraw(self) -> None:
        self._gates.leave(self)
