"""The company's runbook in a drill: run as operators run it, its directory kept, and judged by what became of it."""

from __future__ import annotations

import sys
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from drdrill.core.errors import EnvironmentFailedError, UsageError
from drdrill.drill.runbook_code import RunbookCode
from drdrill.record.journal import read_journal
from tests.faults.fakes import ManualClock

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.record.directory import DrillDirectory
    from tests.drill.fakes import FakeEnvironment

WITHIN = timedelta(minutes=20)
RUNBOOK = "failover/runbook.yaml"


@pytest.fixture
def code(tmp_path: Path, environment: FakeEnvironment, directory: DrillDirectory) -> RunbookCode:
    """Return the runbook of a repository that has one."""
    (tmp_path / "failover").mkdir()
    (tmp_path / RUNBOOK).touch()
    return RunbookCode(tmp_path, environment, directory, clock=ManualClock())


def _run(code: RunbookCode) -> bool:
    return code.run(RUNBOOK, within=WITHIN, gates="approve", why="nobody is asked")


def test_runs_the_operators_command(
    code: RunbookCode, environment: FakeEnvironment, directory: DrillDirectory, tmp_path: Path
) -> None:
    """It is `drdrill failover` in the repository, with the drill's own directory; the journal tells both ends."""
    assert _run(code)
    (command,) = environment.operated
    assert list(command[:7]) == ["env", "-C", str(tmp_path), sys.executable, "-P", "-m", "drdrill.cli.main"]
    assert command[7] == "failover"
    options = dict(pairwise(command))
    assert options["--runbook"] == str(tmp_path / RUNBOOK)
    assert options["--directory"] == str(directory.path / "failover")
    assert (options["--gates"], options["--why"]) == ("approve", "nobody is asked")
    assert environment.grace > timedelta(minutes=2)  # asked to end, it lets its steps end first
    began, ended, recorded = read_journal(directory.journal_path)
    assert recorded.kind == "calls.recorded"
    assert (began.kind, began.data["gates"]) == ("runbook.started", "approve")
    assert (ended.kind, ended.data["status"]) == ("runbook.finished", 0)


@pytest.mark.parametrize("status", [1, 130])
def test_steps_that_were_not_done_are_for_the_verdict(
    code: RunbookCode, environment: FakeEnvironment, directory: DrillDirectory, status: int
) -> None:
    """A runbook that did not come to its end ends no drill: what became of it is judged with everything else."""
    environment.fails = status
    assert not _run(code)
    (ended,) = (one for one in read_journal(directory.journal_path) if one.kind == "runbook.finished")
    assert ended.data["status"] == status


@pytest.mark.parametrize(("status", "error"), [(2, UsageError), (5, EnvironmentFailedError)])
def test_a_run_that_could_not_be_made(
    code: RunbookCode, environment: FakeEnvironment, status: int, error: type[Exception]
) -> None:
    """A mistake in the runbook, or a broken harness, is told with the last words."""
    environment.fails, environment.complains = status, "steps.fence: nothing observes that this step is done"
    with pytest.raises(error, match=rf"status {status}:\n.*nothing observes"):
        _run(code)


def test_a_runbook_that_is_not_there(code: RunbookCode, environment: FakeEnvironment) -> None:
    """Nothing is run for a file that is not there."""
    with pytest.raises(UsageError, match=r"failover/elsewhere\.yaml: there is no such runbook"):
        code.run("failover/elsewhere.yaml", within=WITHIN, gates="approve", why="x")
    assert environment.operated == []
