"""A store whose copy in another region is to take over: the company makes it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path

    from drdrill.environment.port import Environment
    from drdrill.record.directory import DrillDirectory

PART = "replicate.py"


def replicate(
    environment: Environment, folder: Path, directory: DrillDirectory, *, within: timedelta
) -> None:
    """Have the company's own script make the copy in the other region; raises `CommandFailedError` if it cannot."""
    journal = directory.journal("drill")
    environment.run_for_operator(
        [sys.executable, str(folder / PART)], within=within, output=directory.logs / "replicate.out"
    )
    journal.append("environment.extended", part=PART)
