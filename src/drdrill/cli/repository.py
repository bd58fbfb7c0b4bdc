"""The two repositories: the one that a command works in, and the checkout that the engine runs from."""

from __future__ import annotations

from pathlib import Path

import drdrill


def find_repository(start: Path | None = None) -> Path:
    """Return the nearest folder with a plan, from `start` or the current one upwards; else that folder."""
    here = (start or Path.cwd()).absolute()
    above = (here, *here.parents)
    return next((each for each in above if (each / "scenarios" / "plan.yaml").is_file()), here)


def find_checkout() -> Path:
    """Return the repository whose engine this is, if it is a checkout; else the current folder."""
    checkout = Path(drdrill.__file__).parents[2]
    return checkout if (checkout / "pyproject.toml").is_file() else Path.cwd()
