"""The template of drill repositories: the reference company's own, in the wheel or in the checkout of the engine."""

from __future__ import annotations

import shutil
from pathlib import Path

import drdrill
from drdrill.core.errors import EnvironmentFailedError

# Everything that a drill repository is made of. The wheel brings these (pyproject.toml, `only-include`).
FOLDERS = ("scenarios", "steps", "chaos", "failover", "environments", "system", "reports/allure")
FILES = ("conftest.py",)
_GENERATED = ("__pycache__", "node_modules", ".terraform", "*.tfstate*")


def find_template() -> Path:
    """Return the folder of the template; raises `EnvironmentFailedError` where the engine came without it."""
    package = Path(drdrill.__file__).parent
    for folder in (package / "template", package.parents[1]):
        if (folder / "scenarios" / "plan.yaml").is_file():
            return folder
    raise EnvironmentFailedError("this drdrill came without its template; install it from its wheel.")


def copy_template(target: Path) -> None:
    """Copy the whole template into an existing folder."""
    source = find_template()
    for name in FOLDERS:
        shutil.copytree(source / name, target / name, ignore=shutil.ignore_patterns(*_GENERATED))
    for name in FILES:
        shutil.copyfile(source / name, target / name)
