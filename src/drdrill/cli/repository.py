"""Where things are: the repository that a command works in, the checkout of the engine, the drills of a run."""

from __future__ import annotations

from pathlib import Path

import drdrill
from drdrill.core.errors import UsageError


def find_repository(start: Path | None = None) -> Path:
    """Return the nearest folder with a plan, from `start` or the current one upwards; else that folder."""
    here = (start or Path.cwd()).absolute()
    above = (here, *here.parents)
    return next((each for each in above if (each / "scenarios" / "plan.yaml").is_file()), here)


def find_checkout() -> Path:
    """Return the repository whose engine this is, if it is a checkout; else the current folder."""
    checkout = Path(drdrill.__file__).parents[2]
    return checkout if (checkout / "pyproject.toml").is_file() else Path.cwd()


def is_run(directory: Path) -> bool:
    """Tell whether this is the directory of a run, not of a drill."""
    return (directory / "run.json").is_file()


def find_drills(directory: Path) -> list[Path]:
    """Return a drill's directory itself, or those of a run. Raises `UsageError` when it is neither."""
    from drdrill.record.directory import read_json

    if (directory / "drill.json").is_file():
        return [directory]
    if not is_run(directory):
        raise UsageError(
            f"{directory}: this is the directory of no drill: it has no `drill.json`. They are in reports/."
        )
    root = find_repository(directory)
    named = [one["directory"] for one in read_json(directory / "run.json")["scenarios"] if one["directory"]]
    if not named:
        raise UsageError(f"{directory}: no drill of this run left a directory.")
    return [root / name for name in named]
