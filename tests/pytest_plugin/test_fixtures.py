"""What the fixtures note in a drill's journal."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from drdrill.core.errors import EnvironmentFailedError
from drdrill.pytest_plugin.fixtures import drill_key, pytest_bdd_step_error
from drdrill.record.journal import Journal, read_journal

if TYPE_CHECKING:
    from pathlib import Path


def _request(stash: pytest.Stash) -> Any:
    return cast("pytest.FixtureRequest", SimpleNamespace(node=SimpleNamespace(stash=stash)))


def test_a_step_that_fails_is_in_the_journal(tmp_path: Path) -> None:
    """Which step of the scenario failed, and why, stands where the verdict is made from."""
    journal, stash = Journal(tmp_path / "journal.jsonl", actor="test"), pytest.Stash()
    stash[drill_key] = cast("Any", SimpleNamespace(journal=journal))
    error = EnvironmentFailedError("the region is not lit")
    pytest_bdd_step_error(_request(stash), cast("Any", SimpleNamespace(name="the region returns")), error)
    (event,) = read_journal(journal.path)
    assert event.kind == "step.failed"
    assert event.data == {
        "of": "scenario", "step": "the region returns", "reason": "EnvironmentFailedError: the region is not lit",
    }  # fmt: skip


def test_a_step_before_there_is_a_drill() -> None:
    """A scenario that has no drill has nowhere to note anything."""
    pytest_bdd_step_error(_request(pytest.Stash()), cast("Any", SimpleNamespace(name="x")), ValueError())
