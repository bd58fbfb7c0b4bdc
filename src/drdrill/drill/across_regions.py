"""A store whose copy in another region is to take over: the company makes it, and what comes to it is worsened.

A circumstance is a fault that is not judged by itself, and makes another one worse: the journal says which they are, so
that the outage counts from the other one.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from drdrill.core.errors import InvalidDrillError
from drdrill.record.journal import read_journal

if TYPE_CHECKING:
    from collections.abc import Callable
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


def worsen(directory: DrillDirectory, fault: str, run: Callable[[str], str]) -> None:
    """Inject a fault as a circumstance of the one that comes next.

    Raises `InvalidDrillError` when its effect was not observed.
    """
    problem = run(f"{fault}.inject.yaml")
    if problem:
        raise InvalidDrillError(f"The fault {fault} did not take effect: {problem}")
    injected = [event for event in read_journal(directory.journal_path) if event.kind == "fault.injected"]
    if not injected:
        raise InvalidDrillError(f"The journal has no fault of the experiment {fault}.")
    latest = injected[-1].data
    directory.journal("drill").append("fault.circumstance", kind=latest["kind"], resource=latest["resource"])
