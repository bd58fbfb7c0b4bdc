"""Copies of the drill repository for whole drills; whatever a test does, nothing of them is left running."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.live.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    """Return a copy of the drill repository."""
    copy = Repository.copy(tmp_path)
    try:
        yield copy
    finally:
        copy.clear()
