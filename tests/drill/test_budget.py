"""The budget of an environment: every mistake is told with its field."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from drdrill.core.errors import InvalidInputError
from drdrill.drill.budget import BUDGET_NAME, load_budget
from drdrill.plan.scenario import MirrorExtent

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """\
figures:
  rta_seconds: 20 s
system: {rta_seconds: 4 min}
patience:
  steady_state: 60 s
  recovery: 3 min
  re_protection: 3 min
"""


def test_a_budget(tmp_path: Path) -> None:
    """Figures come in seconds, patience as durations."""
    (tmp_path / BUDGET_NAME).write_text(TEXT, encoding="utf-8")
    budget = load_budget(tmp_path)
    assert budget.seconds() == {"rta_seconds": 20.0}
    assert budget.seconds(MirrorExtent.SYSTEM) == {"rta_seconds": 240.0}
    assert budget.patience.recovery == timedelta(minutes=3)


def test_figures_may_be_missing(tmp_path: Path) -> None:
    """An environment without usual figures has none; its patience is still needed."""
    (tmp_path / BUDGET_NAME).write_text(TEXT[TEXT.index("patience") :], encoding="utf-8")
    assert load_budget(tmp_path).seconds() == {}


@pytest.mark.parametrize(
    ("before", "after", "field"),
    [
        ("20 s", "fast", "figures.rta_seconds"),
        ("20 s", "0 s", "figures.rta_seconds"),
        ("recovery: 3 min", "recovery: -1 s", "patience.recovery"),
        ("  recovery: 3 min\n", "", "patience.recovery"),
        ("steady_state", "steady", "patience.steady"),
    ],
)
def test_mistakes(tmp_path: Path, before: str, after: str, field: str) -> None:
    """A wrong, missing or unknown field is named with its file."""
    (tmp_path / BUDGET_NAME).write_text(TEXT.replace(before, after), encoding="utf-8")
    with pytest.raises(InvalidInputError) as caught:
        load_budget(tmp_path)
    assert field in [mistake.field for mistake in caught.value.mistakes]
    assert all(mistake.file.endswith(BUDGET_NAME) for mistake in caught.value.mistakes)


def test_no_budget(tmp_path: Path) -> None:
    """A budget that is not there is the user's mistake, told with its path."""
    with pytest.raises(InvalidInputError, match=BUDGET_NAME):
        load_budget(tmp_path)
