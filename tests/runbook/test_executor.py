"""The executor: as parallel as the graph allows, nothing twice, and on from what is observed after any end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from drdrill.core.clock import NANOSECONDS
from drdrill.plan.runbook import Runbook
from drdrill.record.journal import Journal, read_journal
from drdrill.runbook.executor import Executor
from drdrill.runbook.port import Answer, Ended
from drdrill.runbook.state import Result, State
from tests.runbook.mortal import ManualClock

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.plan.runbook import Gate, Work


class Program:
    """A program that runs for a while in the world, whoever waits for it."""

    def __init__(self, world: World, step: str, *, look: bool) -> None:
        self.world, self.step, self.look = world, step, look
        self.status = 0
        self.ends_ns = world.clock.at_ns + round((0.1 if look else world.takes.get(step, 1)) * NANOSECONDS)

    def runs(self) -> bool:
        """Say whether it runs at this time."""
        return self.world.clock.at_ns < self.ends_ns

    def read_end(self) -> Ended | None:
        """Return how it ended."""
        if self.runs():
            return None
        if self.look:
            return Ended(0 if self.step in self.world.read_effects() else 1, "not yet")
        return Ended(self.world.fails.get(self.step, self.status), self.world.says.get(self.step, "said"))

    def stop(self, *, at_once: bool) -> None:
        """End it, if it is not of those that only die at once."""
        if at_once or self.step not in self.world.stubborn:
            self.ends_ns, self.status = self.world.clock.at_ns, -2


class Question:
    """A question that is answered after a while, or never."""

    def __init__(self, world: World, step: str) -> None:
        self.world, self.step, self.asked_ns = world, step, world.clock.at_ns

    def read_answer(self) -> Answer | None:
        """Return the answer when its time has come."""
        answer = self.world.answers.get(self.step)
        late = self.world.clock.at_ns - self.asked_ns < NANOSECONDS
        return None if answer is None or late else Answer(answer, "ada", "seen")

    def withdraw(self) -> None:
        """Take it back."""


class World:
    """What the steps change: it lives on when the executor dies, and so do the programs in it."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.actions: list[Program] = []
        self.takes: dict[str, float] = {}
        self.fails: dict[str, int] = {}
        self.says: dict[str, str] = {}
        self.stubborn: set[str] = set()
        self.idle: set[str] = set()  # actions that end well and change nothing
        self.there: set[str] = set()
        self.answers: dict[str, bool] = {}
        self.asked = 0

    def read_effects(self) -> set[str]:
        """Return the steps whose effect is there."""
        worked = {
            one.step
            for one in self.actions
            if not one.runs() and one.status == 0 and one.step not in self.fails
        }
        return self.there | (worked - self.idle)

    def act(self, step: str, work: Work) -> Program:
        """Start an action; two of one step at a time are a mistake of the executor."""
        del work
        assert not any(one.runs() for one in self.actions if one.step == step)
        assert step not in self.read_effects()
        self.actions.append(Program(self, step, look=False))
        return self.actions[-1]

    def look(self, step: str, work: Work) -> Program:
        """Start a look."""
        del work
        return Program(self, step, look=True)

    def still_acts(self, step: str) -> bool:
        """Say whether an action of the step runs."""
        return any(one.runs() for one in self.actions if one.step == step)

    def ask(self, step: str, gate: Gate) -> Question:
        """Put a question."""
        del gate
        self.asked += 1
        return Question(self, step)


def make_runbook(**needs: list[str]) -> Runbook:
    """Return a runbook of machine steps, and of gates where the name begins with `gate`."""
    steps: dict[str, Any] = {}
    for name, wanted in needs.items():
        is_gate = name.startswith("gate")
        action = {"gate": {"role": "commander", "question": "Go?"}} if is_gate else {"command": [name]}
        steps[name] = {
            "action": action,
            "needs": wanted,
            "within": "1 min",
            "phase": "restore",
            "by": "person" if is_gate else "machine",
            "duration": {"distribution": "constant", "typical": "10 s", "source": "a guess"},
        } | ({} if is_gate else {"verify": {"command": ["look", name]}})
    return Runbook.model_validate({"version": 1, "title": "Test", "loses": "primary", "steps": steps})


def run(runbook: Runbook, world: World, folder: Path, *, interrupted_after: float | None = None) -> Result:
    """Run a runbook in a world."""

    def is_interrupted() -> bool:
        return interrupted_after is not None and world.clock.at_ns >= interrupted_after * NANOSECONDS

    return Executor(
        runbook,
        operator=world,
        gates=world,
        journal=Journal(folder / "journal.jsonl", actor="runbook", clock=world.clock),
        clock=world.clock,
        is_interrupted=is_interrupted,
    ).run()


def acted(world: World) -> list[str]:
    """Return the steps whose action was started, in order."""
    return [one.step for one in world.actions]


def test_parallel(tmp_path: Path) -> None:
    """Steps that do not need each other run at the same time; what needs both waits for both."""
    world = World()
    world.takes = {"a": 10, "b": 10, "c": 1}
    result = run(make_runbook(c=["a", "b"], a=[], b=[]), world, tmp_path)
    fates = {fate.name: fate for fate in result.fates}
    assert result.done
    assert fates["a"].begun_ns == fates["b"].begun_ns
    assert fates["c"].begun_ns == max(fates["a"].ended_ns or 0, fates["b"].ended_ns or 0)


def test_done_already(tmp_path: Path) -> None:
    """What is seen to be done is not done again."""
    world = World()
    world.there = {"a"}
    assert run(make_runbook(a=[], b=["a"]), world, tmp_path).done
    assert acted(world) == ["b"]


def test_only_what_is_observed_is_done(tmp_path: Path) -> None:
    """An action that ends well and changes nothing fails when its time is over, with the last reading."""
    world = World()
    world.idle = {"a"}
    result = run(make_runbook(a=[], b=["a"], c=[]), world, tmp_path)
    assert result.named(State.FAILED) == ["a"]
    assert "not seen to be done within 60 s; its verification ended with 1: not yet" in result.fates[0].reason
    assert result.named(State.BLOCKED) == ["b"]
    assert result.named(State.DONE) == ["c"]


def test_failure_stops_what_depends_on_it(tmp_path: Path) -> None:
    """What needs a failed step, directly or not, never begins; the others go on to their end."""
    world = World()
    world.fails, world.takes = {"a": 7}, {"c": 20}
    result = run(make_runbook(a=[], b=["a"], bb=["b"], c=[], d=["c"]), world, tmp_path)
    assert (result.named(State.FAILED), result.named(State.BLOCKED)) == (["a"], ["b", "bb"])
    assert result.named(State.DONE) == ["c", "d"]
    assert result.fates[0].reason == "its action ended with 7: said"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ('{"what": "lag"}\n{"what": "x"}\nAWS refused it.\nWait.', ": AWS refused it.\nWait."),
        ('{"what": "lag"}', ': {"what": "lag"}'),
        ("", ""),
    ],
)
def test_why_it_failed(tmp_path: Path, said: str, told: str) -> None:
    """In the program's words: what it wrote as records is in its log, and told where it said nothing else."""
    world = World()
    world.fails, world.says = {"a": 1}, {"a": said}
    (fate,) = run(make_runbook(a=[]), world, tmp_path).fates
    assert fate.reason == f"its action ended with 1{told}"


def test_late(tmp_path: Path) -> None:
    """A step past its time is asked to end, made to end, and has failed only when nothing of it runs."""
    world = World()
    world.takes, world.stubborn = {"a": 1000}, {"a"}
    (fate,) = run(make_runbook(a=[]), world, tmp_path).fates
    assert (fate.state, fate.reason) == (State.FAILED, "its action did not end within 60 s")
    assert not world.actions[0].runs()
    assert (fate.ended_ns or 0) >= 90 * NANOSECONDS


def test_what_an_earlier_run_began_takes_too_long(tmp_path: Path) -> None:
    """What a killed executor had begun is waited for within the step's time; then it says why nothing was begun."""
    world = World()
    world.takes = {"a": 1000}
    world.actions.append(Program(world, "a", look=False))
    result = run(make_runbook(a=[], b=["a"]), world, tmp_path)
    assert [fate.state for fate in result.fates] == [State.FAILED, State.BLOCKED]
    assert result.fates[0].reason == (
        "it was not seen to be done within 60 s; what an earlier run began runs on"
    )
    assert acted(world) == ["a"]


def test_interrupted(tmp_path: Path) -> None:
    """An interruption begins nothing more and ends what runs; run again, it goes on from what is there."""
    world = World()
    world.takes = {"b": 20}
    runbook = make_runbook(a=[], b=["a"], c=["b"])
    result = run(runbook, world, tmp_path, interrupted_after=5)
    assert result.interrupted
    states = [fate.state for fate in result.fates]
    assert states == [State.DONE, State.STOPPED, State.WAITING]
    assert not any(one.runs() for one in world.actions)
    assert run(runbook, world, tmp_path).done
    assert acted(world) == ["a", "b", "b", "c"]


@pytest.mark.parametrize(
    ("answer", "reason"), [(False, "ada said no: seen"), (None, "nobody answered as commander within 60 s")]
)
def test_gate_not_passed(tmp_path: Path, answer: bool | None, reason: str) -> None:
    """Without an approval nothing behind a gate begins, whether it was refused or nobody was there."""
    world = World()
    world.answers = {} if answer is None else {"gate": answer}
    result = run(make_runbook(gate=[], a=["gate"]), world, tmp_path)
    assert [fate.state for fate in result.fates] == [State.FAILED, State.BLOCKED]
    assert result.fates[0].reason == reason
    assert acted(world) == []


def test_gate_is_in_the_journal(tmp_path: Path) -> None:
    """Who answered, why and after how long is journalled; resumed, an approval is not asked for again."""
    world = World()
    world.answers, world.fails = {"gate": True}, {"a": 1}
    runbook = make_runbook(gate=[], a=["gate"])
    assert run(runbook, world, tmp_path).named(State.FAILED) == ["a"]
    (answer,) = [one for one in read_journal(tmp_path / "journal.jsonl") if one.kind == "gate.answered"]
    assert (answer.data["who"], answer.data["why"]) == ("ada", "seen")
    assert answer.data["waited_seconds"] == pytest.approx(1, abs=0.2)
    world.fails = {}
    assert run(runbook, world, tmp_path).done
    assert world.asked == 1


def test_what_was_undone_is_done_again(tmp_path: Path) -> None:
    """A resumed run believes what it observes: what somebody undid meanwhile is done again."""
    world = World()
    runbook = make_runbook(a=[])
    assert run(runbook, world, tmp_path).done
    world.actions.clear()
    assert run(runbook, world, tmp_path).done
    assert acted(world) == ["a"]


def test_what_programs_say_is_in_the_journal(tmp_path: Path) -> None:
    """So that a person's reason to override a refusal, which a program prints, stands there with its time."""
    world = World()
    assert run(make_runbook(a=[]), world, tmp_path).done
    events = {one.kind: one for one in read_journal(tmp_path / "journal.jsonl")}
    assert events["step.acted"].data["said"] == "said"
    assert events["step.observed"].data["said"] == "not yet"
    assert events["step.acted"].utc.startswith("2026-01-01T00:00:01")
