"""What tests of a drill's parts share: its directory, and an environment that only notes what it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.plan import load_plan
from drdrill.record.directory import DrillDirectory
from tests.drill.fakes import FakeEnvironment
from tests.faults.fakes import write_plan

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def directory(tmp_path: Path) -> DrillDirectory:
    """Return the directory of a drill."""
    drill = DrillDirectory(tmp_path / "drill")
    drill.create()
    return drill


@pytest.fixture
def environment(tmp_path: Path) -> FakeEnvironment:
    """Return an environment with one store, which notes what operators run."""
    return FakeEnvironment(tmp_path, load_plan(write_plan(tmp_path)))
