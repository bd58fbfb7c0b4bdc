"""The repository that each test spoils."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sabotage.drill_copy import DrillCopy

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def drill_copy(tmp_path: Path) -> DrillCopy:
    """Return a copy of the drill repository whose drill is MET as it stands, and quicker."""
    return DrillCopy(tmp_path / "copy")
