"""The reference plan, which the tests read, edit and damage."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from drdrill.plan import check_plan
from tests.one_scenario import leave_one_entry

if TYPE_CHECKING:
    from drdrill.core.errors import Mistake
    from tests.plan.edited_plan import CheckEdited

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def plan_text() -> str:
    """Return the text of the reference plan with one of its scenarios: what a test alters stands there once."""
    return leave_one_entry((REPOSITORY / "scenarios" / "plan.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def check_edited(plan_text: str, tmp_path: Path) -> CheckEdited:
    """Return a function that checks the edited reference plan."""

    def check(*edits: tuple[str, str]) -> tuple[Mistake, ...]:
        text = plan_text
        for old, new in edits:
            assert text.count(old) == 1, f"{old!r} is in the plan {text.count(old)} times"
            text = text.replace(old, new)
        path = tmp_path / "plan.yaml"
        path.write_text(text, encoding="utf-8")
        return check_plan(path, promises=True)

    return check
