"""What the executor asks of the world: to start a program and look at it, to put a question and look for its answer.

Nothing here blocks: the executor's one loop looks at everything that runs. Fakes implement it in tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from drdrill.plan.runbook import Gate, Work


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended: its exit status, the last lines that it said, and where all of it stands."""

    status: int
    said: str = ""
    log: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to a gate: whether to go on, who said so (`policy:…` for no person), why, and what it showed."""

    approved: bool
    who: str
    why: str
    shown: str = ""


class Running(Protocol):
    """A program that was started."""

    def read_end(self) -> Ended | None:
        """Return how it ended; None while it runs."""
        ...

    def stop(self, *, at_once: bool) -> None:
        """Ask it to end, or make it end at once."""
        ...


class Operator(Protocol):
    """Starts the programs of steps where an operator would."""

    def act(self, step: str, work: Work) -> Running:
        """Start what a step does."""
        ...

    def look(self, step: str, work: Work) -> Running:
        """Start what observes whether a step is done; it changes nothing."""
        ...

    def still_acts(self, step: str) -> bool:
        """Say whether a program that did this step for an executor that died runs on."""
        ...


class Asked(Protocol):
    """A question that was put to a person."""

    def read_answer(self) -> Answer | None:
        """Return the answer; None as long as there is none."""
        ...

    def withdraw(self) -> None:
        """Take the question back: nobody waits for the answer any more."""
        ...


class Gates(Protocol):
    """Puts questions to people."""

    def ask(self, step: str, gate: Gate) -> Asked:
        """Put a question."""
        ...
