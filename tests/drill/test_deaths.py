"""The operators' machine dies in the middle of a runbook: what the seed draws, what is killed, and that they resume."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from drdrill.core.clock import SystemClock
from drdrill.core.errors import CommandFailedError, UsageError
from drdrill.core.waiting import wait_until
from drdrill.drill.deaths import Moment, Where, draw_deaths
from drdrill.drill.failover_command import require_resumable
from drdrill.drill.mortal import STATUS, Progress
from drdrill.drill.runbook_code import RunbookCode
from drdrill.measure.deaths import read_doom
from drdrill.record.journal import Journal, read_journal
from tests.drill.fakes import FakeEnvironment
from tests.faults.fakes import ManualClock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drdrill.record.directory import DrillDirectory

WITHIN = timedelta(minutes=1)
SECOND = 1_000_000_000
RUNBOOK = """\
version: 1
title: Three files
loses: primary
steps:
  one:
    action: {command: [sh, -c, "echo acted >> acts; touch one"]}
    verify: {command: [test, -e, one]}
    within: 1 min
    phase: restore
    by: machine
    duration: &guess {distribution: constant, typical: 1 s, source: a guess}
  two:
    action: {command: [sh, -c, "sleep 0.4; touch two; (setsid sleep 987 &) ; sleep 0.4"]}
    verify: {command: [test, -e, two]}
    needs: [one]
    within: 1 min
    phase: restore
    by: machine
    duration: *guess
  three:
    action: {command: [touch, three]}
    verify: {command: [test, -e, three]}
    needs: [two]
    within: 1 min
    phase: restore
    by: machine
    duration: *guess
"""


class HereEnvironment(FakeEnvironment):
    """Runs what operators run, here; nothing else of it is there."""

    def run_for_operator(
        self,
        command: Sequence[str],
        *,
        within: timedelta,
        output: Path | None = None,
        errors: Path | None = None,
        grace: timedelta = timedelta(),
    ) -> str:
        """Run it, and raise with its status."""
        del grace
        self.operated.append(command)
        assert output is not None
        assert errors is not None
        with output.open("wb") as out, errors.open("wb") as err:
            status = subprocess.run(
                command, check=False, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                timeout=within.total_seconds(),
            ).returncode  # fmt: skip
        if status:
            raise CommandFailedError(command, status, errors.read_text(encoding="utf-8"))
        return ""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a drill repository with a runbook of three steps, each of which makes a file there."""
    (tmp_path / "failover").mkdir()
    (tmp_path / "failover" / "runbook.yaml").write_text(RUNBOOK, encoding="utf-8")
    (tmp_path / "scenarios").mkdir(exist_ok=True)
    (tmp_path / "scenarios" / "plan.yaml").touch()
    return tmp_path


@pytest.fixture
def code(repository: Path, environment: FakeEnvironment, directory: DrillDirectory) -> RunbookCode:
    """Return what runs it, on this machine."""
    here = HereEnvironment(repository, environment.plan)
    return RunbookCode(repository, here, directory, clock=SystemClock())


def run(code: RunbookCode, *deaths: Moment) -> bool:
    """Run the runbook on a machine that dies at these moments."""
    return code.run(
        "failover/runbook.yaml", within=WITHIN, gates="approve", why="a test", draw=lambda _: deaths
    )


def find_living(words: bytes) -> list[int]:
    """Return the processes of this machine with these words in their command."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if words in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


@pytest.mark.parametrize("where", Where)
@pytest.mark.parametrize("times", [1, 3, 20])
def test_moments_are_drawn_from_the_seed(where: Where, times: int) -> None:
    """The same seed draws the same, another one others; they are spread in order over the steps of the runbook."""
    drawn = draw_deaths(7, times, where, 60)
    assert drawn == draw_deaths(7, times, where, 60)
    assert drawn != draw_deaths(8, times, where, 60)
    assert len(drawn) == times
    assert [one.done for one in drawn] == sorted(one.done for one in drawn)
    assert all(0 <= one.done < 60 for one in drawn)
    assert all(one.done > 0 for one in drawn if one.seconds is None)
    inside = [one.seconds is not None for one in drawn]
    assert inside == [True] * times if where is Where.INSIDE else where is Where.ANYWHERE or not any(inside)


def test_a_death_at_the_end_of_every_step() -> None:
    """Without a number it dies as each step but the last one ends, of a runbook as long as it is."""
    assert draw_deaths(7, None, Where.BOUNDARY, 4) == (Moment(1), Moment(2), Moment(3))
    assert Moment(1).words == "as soon as 1 step was seen done"
    assert Moment(2, 0.5).words == "inside of a step, 0.50 s after 2 steps were seen done"


def test_seeds_draw_both_kinds() -> None:
    """Which kind it is, is drawn as well."""
    drawn = [one for seed in range(20) for one in draw_deaths(seed, 3, Where.ANYWHERE, 19)]
    assert {one.seconds is None for one in drawn} == {True, False}


def test_killed_with_all_that_it_started_and_resumed(
    code: RunbookCode, repository: Path, directory: DrillDirectory
) -> None:
    """Twice killed, at a boundary and inside of a step, it comes to its end; nothing of it lives on in between.

    What a step left running in a session of its own, without a parent, dies too; what was done is not done again.
    """
    bystander = subprocess.Popen(["sleep", "986"])
    try:
        assert run(code, Moment(1), Moment(1, 0.7))
        assert find_living(b"sleep\x00986") == [bystander.pid]
    finally:
        bystander.kill()
        bystander.wait()
    left = find_living(b"sleep\x00987")
    events = [one for one in read_journal(directory.journal_path) if one.kind.startswith("operators.")]
    assert [one.kind for one in events] == ["operators.doomed", "operators.died", "operators.died"]
    for one in left:  # of the last run, which nobody killed
        subprocess.run(["kill", "-9", str(one)], check=True)
    assert len(left) <= 1
    first, second = (one.data for one in events[1:])
    assert (first["drawn"], first["done"]) == (Moment(1).words, ["one"])
    assert (second["done"], second["under_way"]) == (["one"], ["two"])
    assert any("drdrill.cli.main" in command for command in second["killed"])
    assert (repository / "acts").read_text(encoding="utf-8") == "acted\n"
    runs = read_journal(directory.path / "failover" / "journal.jsonl")
    assert [one.kind for one in runs].count("runbook.begun") == 3
    assert runs[-1].data["done"]
    kinds = [one.kind for one in read_journal(directory.journal_path)]
    assert kinds.count("runbook.resumed") == 2
    doom = read_doom(directory)
    assert [one.number for one in doom.deaths] == [1, 2]
    assert all(one.cost_ns is not None and one.cost_ns > 0 for one in doom.deaths)


def test_it_was_over_before(code: RunbookCode, directory: DrillDirectory) -> None:
    """A moment that never comes kills nobody: the runbook comes to its end, and that deaths are missing is known."""
    assert run(code, Moment(3, 30.0), Moment(3, 30.0))
    kinds = [one.kind for one in read_journal(directory.journal_path)]
    assert kinds == ["operators.doomed", "runbook.started", "runbook.finished", "calls.recorded"]
    doom = read_doom(directory)
    assert (len(doom.drawn), len(doom.deaths)) == (2, 0)
    for one in find_living(b"sleep\x00987"):
        subprocess.run(["kill", "-9", str(one)], check=True)


def test_an_interruption_is_passed_on(repository: Path, directory: DrillDirectory) -> None:
    """Who is asked to end has the executor end its steps, as without a death."""
    folder, root = directory.path / "failover", str(repository)
    command = [
        sys.executable, "-P", "-m", "drdrill.drill.mortal", str(folder), str(directory.path / "report.json"), "3",
        "30", "--", sys.executable, "-P", "-m", "drdrill.cli.main", "failover", "--runbook",
        str(repository / "failover" / "runbook.yaml"), "--directory", str(folder),
    ]  # fmt: skip
    journal = folder / "journal.jsonl"
    with subprocess.Popen(command, cwd=root, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_until(
            lambda: journal.exists() and "step.acting" in {one.kind for one in read_journal(journal)},
            what="a step", within=WITHIN, every=timedelta(milliseconds=20),
        )  # fmt: skip
        process.terminate()
        assert process.wait(60) == 130
    assert read_journal(journal)[-1].data["interrupted"]
    assert not (directory.path / "report.json").exists()


def test_progress_is_the_journals(tmp_path: Path) -> None:
    """A boundary is a step seen done, in any run; inside is later, while one is under way, in a run that has begun."""
    clock = ManualClock()
    path = tmp_path / "journal.jsonl"
    journal = Journal(path, actor="test", clock=clock)
    at_once, later = Progress(path, 1, None, clock), Progress(path, 1, 2.0, clock)
    assert not at_once.is_due()
    journal.append("runbook.begun")
    journal.append("step.begun", step="one")
    journal.append("step.ended", step="one", state="failed")
    assert not at_once.is_due()
    journal.append("step.ended", step="one", state="done")
    assert at_once.is_due()
    assert at_once.done == ["one"]
    assert not later.is_due()
    clock.ns += 2 * SECOND
    assert not later.is_due()  # nothing is under way
    journal.append("step.begun", step="two")
    assert later.is_due()
    assert later.under_way == ["two"]
    resumed = Progress(path, 1, None, clock)
    assert not resumed.is_due()  # the next run has not begun
    journal.append("runbook.begun")
    assert resumed.is_due()
    assert resumed.under_way == []


def test_only_a_runbook_is_resumed() -> None:
    """Somebody else's failover cannot die in the middle in its place."""
    require_resumable("./failover.sh", 0)
    with pytest.raises(UsageError, match=r"`\./failover\.sh` cannot take the place"):
        require_resumable("./failover.sh", 3)


def test_a_death_is_told_by_its_status() -> None:
    """What kills itself ends as a shell says of what was killed."""
    assert STATUS == 137
    assert (Moment(3, 0.25).arguments, Moment(3).arguments) == (["3", "0.250"], ["3", "at-once"])
