"""The experiments of the drill repository, run in a drill."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.core.errors import RefusedError

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.record.directory import DrillDirectory


def run_named(experiment: Path, directory: DrillDirectory, **configuration: str) -> str:
    """Return why the experiment did not succeed, `` if it did. Raises `RefusedError` when the guard refused."""
    from drdrill.faults.toolkit import run_experiment  # noqa: PLC0415 (Chaos Toolkit's start, 0.3 s)

    result = run_experiment(experiment, configuration=configuration, directory=directory)
    if result.refused:
        raise RefusedError(result.reason)
    return result.reason
