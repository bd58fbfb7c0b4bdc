"""What happens while a runbook runs: at a moment drawn from the seed, told in the journal, and never lost."""

from __future__ import annotations

import subprocess
import threading
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.core.clock import SystemClock
from drdrill.core.errors import (
    CommandFailedError,
    EnvironmentFailedError,
    InvalidDrillError,
    RefusedError,
    UsageError,
)
from drdrill.drill.about import draw_from
from drdrill.drill.experiments import run_alone
from drdrill.drill.meanwhile import Meanwhile, draw_moment, list_moments
from drdrill.drill.request import DrillRequest
from drdrill.plan.runbook_checking import load_runbook
from drdrill.record.following import FollowedJournal
from drdrill.record.journal import Journal, read_journal

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.plan.runbook import Runbook
    from drdrill.record.directory import DrillDirectory
    from tests.drill.fakes import FakeEnvironment

ROOT = Path(__file__).parents[2]
WITHIN = timedelta(seconds=20)


@pytest.fixture(scope="module")
def runbook() -> Runbook:
    """Return the reference company's runbook."""
    return load_runbook(ROOT / "failover" / "runbook.yaml")


def test_moments_lie_between_declaration_and_switch(runbook: Runbook) -> None:
    """The switch waits for each of them, and none is before the declaration."""
    moments = list_moments(runbook)
    assert {"declaration", "fence", "payments_database", "go_no_go"} <= set(moments)
    assert not {"detection", "first_notice", "switch", "drain", "scale_up", "validation"} & set(moments)


def test_the_same_seed_draws_the_same_moment(runbook: Runbook) -> None:
    """A drill can be repeated; another seed may draw another moment, and every moment is drawn by some seed."""
    drawn = [draw_moment(runbook, seed) for seed in range(200)]
    assert drawn == [draw_moment(runbook, seed) for seed in range(200)]
    assert set(drawn) == set(list_moments(runbook))
    assert len({draw_from(["a", "b", "c"], 7, what) for what in map(str, range(50))}) == 3


def test_a_runbook_without_moments(runbook: Runbook) -> None:
    """Where nobody declares, nothing can be drawn, and that is said before the runbook is run."""
    steps = {name: step for name, step in runbook.steps.items() if name == "switch"}
    with pytest.raises(UsageError, match="no step between"):
        draw_moment(runbook.model_copy(update={"steps": steps}), 1)


class Run:
    """A runbook that runs: its journal, and what was done beside it."""

    def __init__(self, directory: DrillDirectory) -> None:
        self.directory = directory
        self.path = directory.path / "failover" / "journal.jsonl"
        self.path.parent.mkdir()
        self.acted = threading.Event()
        self.ended = False
        self._steps = Journal(self.path, actor="operator")

    def end(self, step: str, state: str = "done") -> None:
        """Note that a step has ended."""
        self._steps.append("step.ended", step=step, state=state, acted=True, reason="")

    def beside(self, act: Callable[[], None] | None = None) -> Meanwhile:
        """Return what acts beside it."""
        journal = self.directory.journal("meanwhile")
        return Meanwhile(
            "zone_power_loss begins", act or self.acted.set, journal=journal, clock=SystemClock()
        )

    def go(self, meanwhile: Meanwhile, error: Exception | None = None) -> None:
        """Run to the end of a step, and to its own end, or to an error."""
        with meanwhile.after("fence", self.path, within=WITHIN):
            self.end("fence")
            if error is not None:
                raise error
            self.ended = True

    def told(self) -> list[str]:
        """Return the kinds of what the drill's journal tells."""
        return [event.kind for event in read_journal(self.directory.journal_path)]


@pytest.fixture
def run(directory: DrillDirectory) -> Run:
    """Return a runbook that runs."""
    return Run(directory)


def test_it_acts_once_the_step_is_done(run: Run) -> None:
    """Not before, not after another step, and while the runbook runs; what was drawn stands in the journal."""
    with run.beside().after("fence", run.path, within=WITHIN):
        run.end("declaration")
        assert not run.acted.wait(0.3)
        run.end("fence")
        assert run.acted.wait(10)
    drawn, *_ = read_journal(run.directory.journal_path)
    assert (drawn.kind, drawn.data["after"]) == ("meanwhile.drawn", "fence")
    assert run.told() == ["meanwhile.drawn", "meanwhile.began", "meanwhile.ended"]


def test_it_acts_on_a_step_that_ends_the_runbook(run: Run) -> None:
    """What the runbook wrote last is read, too."""
    with run.beside().after("fence", run.path, within=WITHIN):
        run.end("fence")
    assert run.acted.is_set()


@pytest.mark.parametrize("state", ["failed", "blocked"])
def test_a_step_that_is_not_done_is_no_moment(run: Run, state: str) -> None:
    """A drill in which nothing happened meanwhile proves nothing, and says so."""
    with (
        pytest.raises(InvalidDrillError, match="the step `fence` of the runbook was not done"),
        run.beside().after("fence", run.path, within=WITHIN),
    ):
        run.end("fence", state)
    assert not run.acted.is_set()
    assert run.told() == ["meanwhile.drawn"]


def _fail() -> None:
    raise EnvironmentFailedError("the zone has no power already.")


def test_a_failure_is_told_and_not_lost(run: Run) -> None:
    """The runbook goes on to its end; then what failed beside it is raised, and the journal says so."""
    with pytest.raises(EnvironmentFailedError, match="no power already"):
        run.go(run.beside(_fail))
    assert run.ended
    assert run.told() == ["meanwhile.drawn", "meanwhile.began", "meanwhile.failed"]


def test_an_error_of_the_runbook_comes_first(run: Run) -> None:
    """Of two failures the runbook's is raised, with the other one in its notes."""
    failing = threading.Event()

    def fail() -> None:
        failing.set()
        _fail()

    def go() -> None:
        with run.beside(fail).after("fence", run.path, within=WITHIN):
            run.end("fence")
            assert failing.wait(10)
            raise EnvironmentFailedError("the runbook could not be run")

    with pytest.raises(EnvironmentFailedError, match="the runbook could not be run") as caught:
        go()
    assert caught.value.__notes__ == ["And meanwhile: the zone has no power already."]


def test_nothing_begins_when_the_runbook_was_broken_off(run: Run) -> None:
    """What its journal says last is no moment once the block was left by an error: the drill is being ended."""
    meanwhile = run.beside()

    def break_off() -> None:
        with meanwhile.after("fence", run.path, within=WITHIN):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    run.end("fence")
    meanwhile._wait_and_act("fence", FollowedJournal(run.path), WITHIN)
    assert not run.acted.is_set()
    assert run.told() == ["meanwhile.drawn"]


def _run_alone(
    environment: FakeEnvironment, directory: DrillDirectory, monkeypatch: pytest.MonkeyPatch, said: str
) -> tuple[str, list[str], dict[str, str]]:
    """Return why it did not succeed, and the command and the variables that a process had which prints this."""
    told: dict[str, Any] = {}

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        told.update(options, command=command)
        return subprocess.CompletedProcess(command, 0, said, "")

    monkeypatch.setattr("drdrill.drill.experiments.subprocess.run", run)
    reason = run_alone(environment, _request(), directory, "zone.inject.yaml", {"zone": "b"})
    return reason, told["command"], told["env"]


def _request() -> DrillRequest:
    return DrillRequest(
        "", "fake", root=ROOT, plan=ROOT / "scenarios" / "plan.yaml", reports=ROOT / "nowhere"
    )


@pytest.mark.parametrize("reason", ["", "The probe `the zone is dark` failed"])
def test_an_experiment_in_a_process_of_its_own(
    environment: FakeEnvironment, directory: DrillDirectory, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    """It runs beside the drill and not among operators, knows its directory, and says why it did not succeed."""
    said = f'{{"refused": false, "reason": "{reason}"}}\n'
    told, command, variables = _run_alone(environment, directory, monkeypatch, said)
    assert told == reason
    assert environment.operated == []
    experiment = str(ROOT / "chaos" / "experiments" / "zone.inject.yaml")
    assert command[-3:] == ["drdrill.faults.alone", experiment, "zone=b"]
    assert (
        variables.items()
        >= {
            "DRDRILL_ENVIRONMENT": "fake",
            "DRDRILL_CONTROL": environment.control,
            "DRDRILL_INSTANCE": "m1",
            "DRDRILL_PLAN": str(ROOT / "scenarios" / "plan.yaml"),
            "DRDRILL_DRILL": str(directory.path),
        }.items()
    )


def test_an_experiment_that_was_refused(
    environment: FakeEnvironment, directory: DrillDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard's refusal is one here, too."""
    said = '{"refused": true, "reason": "safety.targets does not name `b`"}'
    with pytest.raises(RefusedError, match=r"safety\.targets"):
        _run_alone(environment, directory, monkeypatch, said)


def test_an_experiment_that_cannot_run(environment: FakeEnvironment, directory: DrillDirectory) -> None:
    """A process that ends before it ran the experiment, here for a file that is not there, is told with its words."""
    with pytest.raises(CommandFailedError, match="there is no such file"):
        run_alone(environment, _request(), directory, "zone.inject.yaml", {"zone": "b"})
