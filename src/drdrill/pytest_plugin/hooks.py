"""Hooks that this plugin offers to others."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def pytest_drill_begun(directory: Path, title: str) -> None:
    """Be told that a scenario's drill has begun: its directory exists, with a journal that grows from now on."""
