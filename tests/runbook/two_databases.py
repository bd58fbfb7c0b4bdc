"""A failover between two regions as a model: what its steps change, and programs that run on when their executor dies.

Whatever may never be is asserted where it would happen: two databases that take writes, a step begun before what it
needs is so, an action of which an earlier look saw that it is done, two programs of one step at a time, a question
whose approval stands in the journal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from drdrill.core.clock import NANOSECONDS
from drdrill.plan.runbook import Runbook
from drdrill.runbook.port import Answer, Ended
from tests.runbook.mortal import Killed, ManualClock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drdrill.plan.runbook import Gate, Work

OLD_REFUSES, NEW_TAKES = "the old database refuses writes", "the new database takes writes"
_FACT_SECONDS, _LOOK_SECONDS, _ANSWER_SECONDS = 0.3, 0.1, 0.4


@dataclass(frozen=True)
class Modelled:
    """A step: what it needs, and what is so when it is done, in the order in which it makes it so; none: a gate."""

    needs: tuple[str, ...]
    facts: tuple[str, ...] = ()


FAILOVER: Final[Mapping[str, Modelled]] = {
    "detection": Modelled((), ("the outage is confirmed",)),
    "declaration": Modelled(("detection",)),
    "fence": Modelled(("declaration",), (OLD_REFUSES, "its sessions have ended")),
    "capacity": Modelled(("declaration",), ("nodes are there", "limits are production's")),
    "database": Modelled(("fence",), ("its lag is noted", NEW_TAKES, "the name leads to it")),
    "services": Modelled(("database", "capacity"), ("services run",)),
    "go": Modelled(("services",)),
    "switch": Modelled(("go",), ("users are led there",)),
    "notice": Modelled(("switch",), ("users are told",)),
}


def make_failover(steps: Mapping[str, Modelled] = FAILOVER) -> Runbook:
    """Return the model's steps as a runbook."""
    return Runbook.model_validate(
        {
            "version": 1,
            "title": "Failover",
            "loses": "primary",
            "steps": {name: _describe(name, step) for name, step in steps.items()},
        }
    )


def _describe(name: str, step: Modelled) -> dict[str, Any]:
    gate = {"gate": {"role": "commander", "question": "Go?"}}
    return {
        "action": {"command": [name]} if step.facts else gate,
        "needs": list(step.needs),
        "within": "1 min",
        "phase": "restore",
        "by": "machine" if step.facts else "person",
        "duration": {"distribution": "constant", "typical": "1 s", "source": "a guess"},
    } | ({"verify": {"command": ["look", name]}} if step.facts else {})


@dataclass
class Program:
    """A program that does a step: what is so already it leaves alone. It lives on when its executor dies."""

    regions: Regions
    step: str
    begins_ns: int
    makes: tuple[str, ...]
    ended_ns: int | None = None  # it was made to end

    @property
    def ends_ns(self) -> int:
        """When it ends by itself: it also takes a while when nothing is left to do."""
        return self.begins_ns + round((len(self.makes) + 1) * _FACT_SECONDS * NANOSECONDS)

    def runs(self) -> bool:
        """Say whether it runs now."""
        return self.ended_ns is None and self.regions.clock.at_ns < self.ends_ns

    def end(self) -> None:
        """End it here and now, in the middle of what it does."""
        if self.runs():
            self.ended_ns = self.regions.clock.at_ns

    def read_end(self) -> Ended | None:
        """Return how it ended."""
        self.regions.touch()
        return None if self.runs() else Ended(0 if self.ended_ns is None else -2)

    def stop(self, *, at_once: bool) -> None:
        """End it when it is asked to."""
        del at_once
        self.regions.touch()
        self.regions.settle()
        self.end()

    def due(self) -> list[tuple[int, str]]:
        """Return what it has made so by now, and when."""
        now = self.regions.clock.at_ns
        last = now if self.ended_ns is None else min(now, self.ended_ns)
        times = (
            self.begins_ns + round(number * _FACT_SECONDS * NANOSECONDS)
            for number in range(1, len(self.makes) + 1)
        )
        return [(at, fact) for at, fact in zip(times, self.makes, strict=True) if at <= last]


@dataclass
class Look:
    """A program that looks whether a step is done."""

    regions: Regions
    step: str
    ends_ns: int

    def read_end(self) -> Ended | None:
        """Return what it saw; done is noted, as nothing may do it again then."""
        self.regions.touch()
        if self.regions.clock.at_ns < self.ends_ns:
            return None
        if not self.regions.is_done(self.step):
            return Ended(1, "not yet")
        self.regions.seen_done.add(self.step)
        return Ended(0)

    def stop(self, *, at_once: bool) -> None:
        """End it."""
        del at_once
        self.regions.touch()


@dataclass
class Question:
    """A question that somebody approves after a while."""

    regions: Regions
    step: str
    asked_ns: int

    def read_answer(self) -> Answer | None:
        """Return the approval when its time has come."""
        self.regions.touch()
        if self.regions.clock.at_ns - self.asked_ns < _ANSWER_SECONDS * NANOSECONDS:
            return None
        self.regions.answered.add(self.step)
        return Answer(approved=True, who="ada", why="seen")

    def withdraw(self) -> None:
        """Take it back."""


@dataclass
class Regions:
    """Both regions, the operator's programs and the person who approves: the ports of an executor that may die."""

    steps: Mapping[str, Modelled] = field(default_factory=lambda: FAILOVER)
    clock: ManualClock = field(default_factory=ManualClock)
    facts: list[str] = field(default_factory=list)
    programs: list[Program] = field(default_factory=list)
    seen_done: set[str] = field(default_factory=set)
    answered: set[str] = field(default_factory=set)
    approved: frozenset[str] = frozenset()  # as it stands in the journal when an executor begins
    calls: int = 0
    boundaries: list[int] = field(default_factory=list)  # the calls just after something was begun or written
    dies_at: int | None = None

    def touch(self, *, boundary: bool = False) -> None:
        """Count a call of the executor; it dies at a chosen one."""
        self.calls += 1
        if boundary:
            self.boundaries.append(self.calls)
        if self.dies_at is not None and self.calls >= self.dies_at:
            raise Killed

    def settle(self) -> None:
        """Let everything happen that programs did until now, in its order."""
        due = sorted(one for program in self.programs for one in program.due() if one[1] not in self.facts)
        for _, fact in due:
            if fact not in self.facts:
                self.facts.append(fact)
                writers = (OLD_REFUSES not in self.facts) + (NEW_TAKES in self.facts)
                assert writers <= 1, "two databases take writes"

    def die(self, *, host: bool) -> None:
        """End the executor's process; with its `host`, all programs in the middle of what they do."""
        self.settle()
        if host:
            for program in self.programs:
                program.end()

    def is_done(self, step: str) -> bool:
        """Say whether all is so that a step makes so; of a gate, whether it was answered."""
        self.settle()
        facts = self.steps[step].facts
        return all(fact in self.facts for fact in facts) if facts else step in self.answered

    def act(self, step: str, work: Work) -> Program:
        """Start an action."""
        del work
        self.touch()
        assert not any(one.runs() for one in self.programs if one.step == step), f"{step} runs already"
        assert step not in self.seen_done, f"{step} was seen to be done, and is done again"
        assert all(self.is_done(need) for need in self.steps[step].needs), f"{step} does not wait"
        left = tuple(fact for fact in self.steps[step].facts if fact not in self.facts)
        program = Program(self, step, self.clock.at_ns, left)
        self.programs.append(program)
        self.touch(boundary=True)
        return program

    def look(self, step: str, work: Work) -> Look:
        """Start a look."""
        del work
        self.touch()
        return Look(self, step, self.clock.at_ns + round(_LOOK_SECONDS * NANOSECONDS))

    def still_acts(self, step: str) -> bool:
        """Say whether a program of the step runs."""
        self.touch()
        return any(one.runs() for one in self.programs if one.step == step)

    def ask(self, step: str, gate: Gate) -> Question:
        """Put a question."""
        del gate
        self.touch()
        assert step not in self.approved, f"{step} was approved, and is asked again"
        return Question(self, step, self.clock.at_ns)
