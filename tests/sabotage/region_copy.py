"""A copy of the whole drill repository whose runbook a test may spoil, and the drill of the lost region in it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from drdrill.record.directory import DrillDirectory
from tests.sabotage.drill_copy import Ended, end_politely

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]
SCENARIO: Final = "region_loses_power"
RUNBOOK: Final = "failover/runbook.yaml"
NOTHING: Final = ("python", "-c", "pass")  # does nothing, and sees nothing amiss
_FOLDERS = ("scenarios", "steps", "chaos", "failover", "environments", "system")
_FILES = ("conftest.py", "pyproject.toml")
_RUN_WITHIN_SECONDS = (
    1800  # measured 4 min, 6 where users are never served again; building the system takes 5
)


class RegionCopy:
    """The drill repository without its engine. Text that is to be replaced must be there exactly once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for folder in _FOLDERS:
            shutil.copytree(ROOT / folder, path / folder, ignore=shutil.ignore_patterns("__pycache__"))
        for file in _FILES:
            shutil.copyfile(ROOT / file, path / file)
        # Users who are not served again within a minute of TTL and 20 s of stability will not be.
        self.replace("environments/embedded/budget.yaml", "  recovery: 3 min\n", "  recovery: 90 s\n")

    def replace(self, file: str, old: str, new: str) -> None:
        """Replace a text of a file."""
        path = self.path / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, (
            f"{file} has {old!r} {text.count(old)} times; this sabotage needs it once."
        )
        path.write_text(text.replace(old, new), encoding="utf-8")

    def spoil(self, *steps: str, action: Sequence[str] = NOTHING, verify: Sequence[str] = NOTHING) -> None:
        """Have steps of the runbook do something else, and believe that it is done."""
        path = self.path / RUNBOOK
        runbook: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        for name in steps:
            runbook["steps"][name] |= {"action": {"command": [*action]}, "verify": {"command": [*verify]}}
        path.write_text(yaml.safe_dump(runbook, sort_keys=False), encoding="utf-8")

    def run(self, scenario: str = SCENARIO) -> Ended:
        """Run the drill to its verdict; nothing of it is left when this returns or raises."""
        command = [
            sys.executable, "-m", "drdrill.cli.main", "run", "region", "--scenario", scenario, "--json", "--seed", "7",
        ]  # fmt: skip
        with (self.path / "run.log").open("wb") as log:
            process = subprocess.Popen(
                command, cwd=self.path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log
            )
            try:
                printed, _ = process.communicate(timeout=_RUN_WITHIN_SECONDS)
            finally:
                end_politely(process)
        assert sorted(path.name for path in self.path.glob(".drdrill/mirrors/*")) == [], "a mirror is left"
        said = (self.path / "run.log").read_text(encoding="utf-8", errors="replace")
        assert printed, f"the drill printed no document (exit status {process.returncode}):\n{said}"
        document = json.loads(printed)
        directory = DrillDirectory(self.path / document["scenarios"][0]["directory"])
        verdict = json.loads(directory.verdict_path.read_text(encoding="utf-8"))
        return Ended(process.returncode, document, verdict, directory)
