"""Drill directories to be rendered, made by hand: one that is MET, and ways to spoil it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.measure import measure
from drdrill.record.directory import DrillDirectory, write_json
from tests.measure.regional import RegionalStory, make_regional
from tests.measure.story import Story, make_story

if TYPE_CHECKING:
    from pathlib import Path


def store(story: Story) -> DrillDirectory:
    """Write a drill's directory with its verdict."""
    directory = story.store()
    write_json(directory.verdict_path, measure(directory).to_json())
    return directory


@pytest.fixture
def story(tmp_path: Path) -> Story:
    """Return a drill that is MET; nothing is written before `store`."""
    return make_story(tmp_path)


@pytest.fixture
def regional(tmp_path: Path) -> RegionalStory:
    """Return a drill in which a region is lost and a runbook moves users: MET, and not written yet."""
    return make_regional(tmp_path)
