"""Gates: how a person's answer comes in: by a policy for CI, or from the terminal (`page_gates`: from a page).

None of them blocks. Whoever asks stops asking when the step's time is over: nobody there is not an approval.
"""

from __future__ import annotations

import select
from dataclasses import replace
from typing import TYPE_CHECKING, TextIO

from drdrill.core.clock import NANOSECONDS
from drdrill.plan.runbook import Work
from drdrill.runbook.port import Answer

if TYPE_CHECKING:
    from drdrill.core.clock import Clock
    from drdrill.plan.runbook import Gate
    from drdrill.runbook.port import Asked, Operator

_SHOWN_WITHIN_NS = 20 * NANOSECONDS  # what monitoring says must not hold up the question for long


class PolicyGates:
    """Answers every gate as it was told to, as soon as what it shows is known: for CI, where nobody is asked."""

    def __init__(self, *, approve: bool, why: str, operator: Operator, clock: Clock) -> None:
        self._answer = Answer(approve, f"policy:{'approve' if approve else 'refuse'}", why)
        self._operator, self._clock = operator, clock

    def ask(self, step: str, gate: Gate) -> Asked:
        """Answer."""
        return _Answered(self._answer, Showing(self._operator, step, gate, self._clock))


class _Answered:
    def __init__(self, answer: Answer, showing: Showing) -> None:
        self._answer, self._showing = answer, showing

    def read_answer(self) -> Answer | None:
        said = self._showing.read()
        return None if said is None else replace(self._answer, shown=said)

    def withdraw(self) -> None:
        self._showing.stop()


class Showing:
    """What a gate shows with its question: the last lines of a program, which is not waited for for long."""

    def __init__(self, operator: Operator, step: str, gate: Gate, clock: Clock) -> None:
        self._gate, self._clock, self._asked_ns = gate, clock, clock.now_ns()
        self._program = operator.look(step, Work(command=gate.shows)) if gate.shows else None
        self._said = ""

    def read(self) -> str | None:
        """Return it; None as long as it is waited for."""
        if self._program is None:
            return self._said
        ended, name = self._program.read_end(), self._gate.shows[0]
        if ended is not None:
            self._said = ended.said
            if ended.status:
                self._said += f"\n(`{name}` ended with status {ended.status})"
        elif self._clock.now_ns() - self._asked_ns < _SHOWN_WITHIN_NS:
            return None
        else:
            self._program.stop(at_once=True)
            self._said = f"`{name}` said nothing in time: decide without it."
        self._program = None
        return self._said

    def stop(self) -> None:
        """End the program if it runs still: nobody waits for it any more."""
        if self._program is not None:
            self._program.stop(at_once=True)


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
        question = _TerminalQuestion(self, step, gate, Showing(self._operator, step, gate, self._clock))
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
            return Answer(False, self._who, "the terminal was closed", question.said)
        if word.lower() not in ("yes", "no"):
            self._say("Please answer `yes REASON` or `no REASON`: ")
            return None
        self._queue.remove(question)
        return Answer(word.lower() == "yes", self._who, why.strip(), question.said)

    def leave(self, question: _TerminalQuestion) -> None:
        """Take a question out of the queue."""
        if question in self._queue:
            self._queue.remove(question)
            self._say(f"\nThe question of `{question.step}` was taken back.\n")

    def _show(self, question: _TerminalQuestion) -> bool:
        said = question.showing.read()
        if said is None:
            return False
        question.said = said
        self._say(f"\n{question.step}, for {question.gate.role}:\n{said}\n")
        self._say(f"{question.gate.question} Answer `yes REASON` or `no REASON`: ")
        return True

    def _say(self, text: str) -> None:
        self._screen.write(text)
        self._screen.flush()


class _TerminalQuestion:
    def __init__(self, gates: TerminalGates, step: str, gate: Gate, showing: Showing) -> None:
        self._gates, self.step, self.gate, self.showing = gates, step, gate, showing
        self.shown, self.said = False, ""

    def read_answer(self) -> Answer | None:
        return self._gates.read(self)

    def withdraw(self) -> None:
        self.showing.stop()
        self._gates.leave(self)
