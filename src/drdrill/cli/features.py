"""Checks all features of a drill repository without running anything: `drdrill run` does it before it starts.

It lets pytest itself collect them, in a process of its own: the same conftest.py, the same step modules and
the same search for step definitions as in the run. About one second, most of it Python's imports.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from datetime import timedelta
from typing import IO, TYPE_CHECKING

from drdrill.core.errors import EnvironmentFailedError, Mistake

if TYPE_CHECKING:
    from pathlib import Path

_WITHIN = timedelta(seconds=60)  # measured: 1.0 s on an idle machine of two cores
_NOTHING_COLLECTED = 5
# Plugins that collection does not need; Hypothesis' alone takes 0.6 s.
_WITHOUT = ("hypothesispytest", "allure_pytest", "cacheprovider")
_FRAME = re.compile(r"^(?P<file>[^\s:]+\.py):(?P<line>\d+): in ", re.MULTILINE)
_ERROR = re.compile(r"^E\s+(?P<text>.+)$", re.MULTILINE)


def check_features(folder: Path, *, plan: Path | None = None) -> tuple[Mistake, ...]:
    """Return all mistakes of the feature files under `folder`: syntax, tags, steps, names that no plan has.

    `plan` is the plan's file if it is not `scenarios/plan.yaml` of the repository. A step module that cannot
    be imported is a mistake too, with its file and line. Raises `EnvironmentFailedError` when pytest does not
    answer.
    """
    folder = folder.absolute()
    if not folder.exists():
        return (Mistake(str(folder), 0, "", "there is no such file or folder."),)
    with tempfile.TemporaryFile() as record:  # without a name, so that a kill leaves none
        command = [sys.executable, "-m", "pytest", "--collect-only", "--quiet", "--no-header"]
        command += [f"-pno:{plugin}" for plugin in _WITHOUT]
        command += ["--drill-mistakes", f"/dev/fd/{record.fileno()}"]
        if plan is not None:
            command += ["--drill-plan", str(plan.absolute())]
        try:
            ended = subprocess.run(
                [*command, str(folder)],
                cwd=_root_of(folder),
                pass_fds=[record.fileno()],
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=_WITHIN.total_seconds(),
            )
        except subprocess.TimeoutExpired as error:
            raise EnvironmentFailedError(
                f"{folder}: the features were not read within {_WITHIN.total_seconds():g} s; "
                "does a step module wait for something when it is imported?"
            ) from error
        mistakes = _read(record)
    if mistakes or ended.returncode == 0:
        return mistakes
    if ended.returncode == _NOTHING_COLLECTED:
        problem = "there is no scenario here."
        return (Mistake(str(folder), 0, "", problem, "Scenarios stand in files that end in `.feature`."),)
    return (_read_failure(ended.stdout, folder),)


def _root_of(folder: Path) -> Path:
    """Return the repository that the folder belongs to, so that pytest prints the names that people use."""
    above = (folder, *folder.parents)
    return next(
        (each for each in above if (each / "conftest.py").is_file()), folder if folder.is_dir() else above[1]
    )


def _read(record: IO[bytes]) -> tuple[Mistake, ...]:
    record.seek(0)
    lines = record.read().decode().splitlines()
    return tuple(
        sorted((Mistake(**json.loads(line)) for line in lines), key=lambda each: (each.file, each.line))
    )


def _read_failure(output: str, folder: Path) -> Mistake:
    """Make a mistake of what pytest printed when it could not begin: mostly a module that does not import."""
    frames = list(_FRAME.finditer(output))
    errors = [match["text"].strip() for match in _ERROR.finditer(output)]
    said = [line for line in output.splitlines() if line.strip()]
    problem = (
        errors[-1] if errors else (said[-1].removeprefix("ERROR: ") if said else "pytest failed silently.")
    )
    if frames:
        return Mistake(frames[-1]["file"], int(frames[-1]["line"]), "", problem)
    return Mistake(str(folder), 0, "", problem)
