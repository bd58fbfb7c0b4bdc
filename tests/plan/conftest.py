"""The reference plan, which the tests read, edit and damage."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.one_scenario import leave_one_entry

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def plan_text() -> str:
    """Return the text of the reference plan with one of its scenarios: what a test alters stands there once."""
    return leave_one_entry((REPOSITORY / "scenarios" / "plan.yaml").read_text(encoding="utf-8"))
