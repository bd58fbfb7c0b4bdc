"""A drill's directory, a fake environment and a session in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.faults import FaultSession
from drdrill.plan import load_plan
from drdrill.record.directory import DrillDirectory
from tests.faults.fakes import FakePort, ManualClock, write_plan

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.plan import Plan
    from drdrill.record.journal import Journal


@pytest.fixture
def clock() -> ManualClock:
    """Return a clock that moves only when somebody sleeps."""
    return ManualClock()


@pytest.fixture
def port(tmp_path: Path) -> FakePort:
    """Return an environment with one host."""
    state = tmp_path / "state"
    state.mkdir()
    return FakePort(state)


@pytest.fixture
def directory(tmp_path: Path) -> DrillDirectory:
    """Return the directory of a drill."""
    drill = DrillDirectory(tmp_path / "drill")
    drill.create()
    return drill


@pytest.fixture
def journal(directory: DrillDirectory) -> Journal:
    """Return the journal of that drill."""
    return directory.journal("test")


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """Return a plan that allows faults in one store."""
    return load_plan(write_plan(tmp_path))


@pytest.fixture
def session(port: FakePort, plan: Plan, journal: Journal, clock: ManualClock) -> FaultSession:
    """Return a session in that environment."""
    return FaultSession("embedded", port, plan, instance="m1", journal=journal, clock=clock)
