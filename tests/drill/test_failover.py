"""The company's failover code: run as operators run it, told before and after, and loud when it fails."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from drdrill.core.errors import CommandFailedError, UsageError
from drdrill.drill.failover import FailoverCode
from drdrill.record.journal import read_journal
from tests.faults.fakes import ManualClock

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.record.directory import DrillDirectory
    from tests.drill.fakes import FakeEnvironment

WITHIN = timedelta(seconds=60)


@pytest.fixture
def code(tmp_path: Path, environment: FakeEnvironment, directory: DrillDirectory) -> FailoverCode:
    """Return the failover code of a repository with one module."""
    folder = tmp_path / "failover"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "promote_replica.py").touch()
    return FailoverCode(tmp_path, environment, directory, clock=ManualClock())


def test_runs_as_a_module(
    code: FailoverCode, environment: FakeEnvironment, directory: DrillDirectory
) -> None:
    """The module is run with its arguments, what it printed is returned and kept, and the journal tells both ends."""
    environment.says = "promoted\n"
    assert code.run("promote_replica", "--to", "eu-central-1", within=WITHIN) == "promoted\n"
    shown = ["-m", "failover.promote_replica", "--to", "eu-central-1"]
    assert environment.operated == [[sys.executable, "-P", *shown]]
    assert (directory.logs / "failover-1-promote_replica.out").read_text(encoding="utf-8") == "promoted\n"
    began, ended = read_journal(directory.journal_path)
    assert (began.kind, began.data["command"]) == ("failover_code.started", ["python", *shown])
    assert (ended.kind, ended.data["status"], ended.data["said"]) == ("failover_code.ended", 0, "")


def test_a_failure_is_raised_and_told(
    code: FailoverCode, environment: FakeEnvironment, directory: DrillDirectory
) -> None:
    """Code that fails raises its command, status and last words, and the journal keeps them."""
    environment.fails, environment.complains = 3, "DBInstanceNotFound"
    with pytest.raises(
        CommandFailedError, match=r"failover\.promote_replica` ended with status 3:\n.*NotFound"
    ):
        code.run("promote_replica", within=WITHIN)
    ended = read_journal(directory.journal_path)[-1]
    assert (ended.data["status"], ended.data["said"]) == (3, "DBInstanceNotFound within 0:01:00")


def test_two_runs_have_two_logs(code: FailoverCode, directory: DrillDirectory) -> None:
    """Code that is run again does not overwrite what it said before."""
    code.run("promote_replica", within=WITHIN)
    code.run("promote_replica", within=WITHIN)
    assert sorted(path.name for path in directory.logs.glob("*.err")) == [
        "failover-1-promote_replica.err",
        "failover-2-promote_replica.err",
    ]


def test_unknown_code_is_named(code: FailoverCode, environment: FakeEnvironment) -> None:
    """A mistyped name runs nothing and offers the nearest one."""
    with pytest.raises(UsageError, match="Did you mean `promote_replica`"):
        code.run("promote_replca", within=WITHIN)
    assert environment.operated == []
