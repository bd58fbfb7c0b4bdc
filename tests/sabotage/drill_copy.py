"""A copy of the drill repository that a test may spoil, and the drill that is run in it as a program."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from drdrill.record.directory import DrillDirectory
from tests.one_scenario import FIRST, ask_less, leave_one_scenario

ROOT = Path(__file__).parents[2]
ACTS = Path(__file__).parent / "acts"
_FOLDERS = ("scenarios", "steps", "chaos", "failover", "environments")
_FILES = ("conftest.py", "pyproject.toml")
_RUN_WITHIN_SECONDS = 180  # measured 24 to 49 s, 105 s on a machine of 2 cores with a load of 20
_END_WITHIN_SECONDS = 30  # healed and taken down: measured 1 to 5 s

FEATURE: Final = "scenarios/database_failure.feature"
PLAN: Final = "scenarios/plan.yaml"
ENVIRONMENT: Final = "environments/embedded/environment.yaml"
WORKLOAD: Final = "environments/embedded/workload.yaml"
MEASURED: Final = "    And recovery is measured\n"


@dataclass(frozen=True, slots=True)
class Ended:
    """A drill that ended: its exit status, the printed document, `verdict.json`, and its directory."""

    status: int
    document: dict[str, Any]
    verdict: dict[str, Any]
    directory: DrillDirectory

    @property
    def codes(self) -> set[str]:
        """Return the codes of the verdict's reasons."""
        return {reason["code"] for reason in self.verdict["reasons"]}

    def require(self, verdict: str, status: int, code: str) -> None:
        """Demand a verdict, in the document, in `verdict.json` and as exit status, with this reason for it."""
        told = json.dumps(self.verdict["reasons"], indent=1)
        assert (self.document["verdict"], self.verdict["verdict"], self.status) == (
            verdict,
            verdict,
            status,
        ), told
        assert (verdict, code) in {(one["verdict"], one["code"]) for one in self.verdict["reasons"]}, told


class DrillCopy:
    """The drill repository without its engine, and with one scenario.

    Text that is to be replaced must be there exactly once.
    """

    def __init__(self, path: Path, scenario: str = FIRST) -> None:
        self.path = path
        for folder in _FOLDERS:
            shutil.copytree(ROOT / folder, path / folder, ignore=shutil.ignore_patterns("__pycache__"))
        for file in _FILES:
            shutil.copyfile(ROOT / file, path / file)
        leave_one_scenario(path, scenario)
        ask_less(path)
        self.replace(PLAN, "  stability: 10 s\n", "  stability: 4 s\n")

    def replace(self, file: str, old: str, new: str) -> None:
        """Replace a text of a file."""
        path = self.path / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, (
            f"{file} has {old!r} {text.count(old)} times; this sabotage needs it once."
        )
        path.write_text(text.replace(old, new), encoding="utf-8")

    def add_act(self, name: str, folder: str) -> None:
        """Put the module `acts/NAME.py` into a package of the copy, as `sabotage`."""
        shutil.copyfile(ACTS / f"{name}.py", self.path / folder / "sabotage.py")

    def add_steps(self, name: str) -> None:
        """Let scenarios use the steps of `acts/NAME.py`."""
        self.add_act(name, "steps")
        self.replace("conftest.py", '"steps.verdict",\n', '"steps.verdict",\n    "steps.sabotage",\n')

    def stop_asking_for_redundancy(self) -> None:
        """Have no standby promised, and none waited for: an asynchronous one is never in sync."""
        self.replace(
            PLAN, "resource: payments\n    standby: synchronous", "resource: payments\n    standby: none"
        )
        self.replace(PLAN, "\n    re_protection: 1 h\n", "\n")
        self.replace(FEATURE, "    And the database is protected again\n", "")
        self.replace(FEATURE, "    And redundancy was back within its objective\n", "")

    def replicate_asynchronously(self, *, delay: str, fencing: bool = True) -> None:
        """Have the standby follow over a link that delays, and loses what it holds with its host."""
        added = f"rds:\n  standby: asynchronous\n  link_delay: {delay}\n  fencing: {str(fencing).lower()}\n"
        self.replace(ENVIRONMENT, "rds:\n", added)
        self.stop_asking_for_redundancy()

    def run(self) -> Ended:
        """Run the drill to its verdict; nothing of it is left when this returns or raises."""
        command = [sys.executable, "-m", "drdrill.cli.main", "run", "database", "--json", "--seed", "7"]
        with (self.path / "run.log").open("wb") as log:
            process = subprocess.Popen(
                command, cwd=self.path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log
            )
            try:
                printed, _ = process.communicate(timeout=_RUN_WITHIN_SECONDS)
            finally:
                end_politely(process)
        remains = sorted(path.name for path in self.path.glob(".drdrill/mirrors/*"))
        assert remains == [], "the drill left a mirror"
        said = (self.path / "run.log").read_text(encoding="utf-8", errors="replace")
        assert printed, f"the drill printed no document (exit status {process.returncode}):\n{said}"
        document = json.loads(printed)
        directory = DrillDirectory(self.path / document["scenarios"][0]["directory"])
        verdict = json.loads(directory.verdict_path.read_text(encoding="utf-8"))
        return Ended(process.returncode, document, verdict, directory)


def end_politely(process: subprocess.Popen[bytes]) -> None:
    """Have a drill end that still runs: politely first; a mirror whose owner was killed ends by itself."""
    if process.poll() is None:
        process.terminate()
        try:
            process.communicate(timeout=_END_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
