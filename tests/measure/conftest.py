"""The fixtures of the measurement's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.measure.regional import RegionalStory, make_regional
from tests.measure.story import Story, make_story

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def story(tmp_path: Path) -> Story:
    """Return a drill that is MET; nothing is written before `measure` or `store`."""
    return make_story(tmp_path)


@pytest.fixture
def regional(tmp_path: Path) -> RegionalStory:
    """Return a drill in which a region is lost and a runbook moves users: MET, and not written yet."""
    return make_regional(tmp_path)
