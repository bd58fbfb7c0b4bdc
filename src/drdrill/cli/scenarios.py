"""Runs the scenarios of a disaster class by pytest, in this process and on its main thread: Chaos Toolkit needs it."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# Plugins that drills do not need: Hypothesis' alone takes 0.6 s, a cache would be a file beside the reports.
_WITHOUT = ("hypothesispytest", "cacheprovider")


@dataclass(frozen=True, slots=True)
class RunFiles:
    """`reports/runs/<UTC time>/`: what one call of `drdrill run` writes beside the drills' own directories."""

    path: Path

    @property
    def record(self) -> Path:
        """One JSON line a scenario."""
        return self.path / "record.jsonl"

    @property
    def junit(self) -> Path:
        """The results for CI systems."""
        return self.path / "junit.xml"

    @property
    def allure(self) -> Path:
        """The results for Allure."""
        return self.path / "allure-results"

    @property
    def log(self) -> Path:
        """What pytest printed."""
        return self.path / "pytest.log"

    @property
    def document(self) -> Path:
        """The same document that `--json` prints."""
        return self.path / "run.json"


@dataclass(frozen=True, slots=True)
class Ended:
    """A scenario that was run, as the plugin recorded it.

    `exit_status`: its error's, None for others. `cleanup`: what went wrong while it was ended, None: nothing.
    """

    scenario: str
    title: str
    outcome: str
    directory: Path | None
    summary: str
    exit_status: int | None
    cleanup: str | None = None


def run_scenarios(
    root: Path,
    files: RunFiles,
    *,
    disaster_class: str,
    names: Sequence[str],
    environment: str,
    plan: Path,
    reports: Path,
    seed: int,
    mirror: str | None,
    plugins: Sequence[object],
    failover_command: str | None = None,
    failover_event: Path | None = None,
) -> int:
    """Run them and return pytest's exit status; what it prints goes to `files.log`.

    `failover_command`: what is run in the runbook's place, and, of a handler, the event that it gets.
    """
    import pytest

    arguments = [
        str(root / "scenarios"), f"--rootdir={root}", "--capture=no", "--verbose",
        f"--environment={environment}", f"--drill-class={disaster_class}", f"--drill-plan={plan}",
        f"--drill-reports={reports}", f"--drill-seed={seed}", f"--drill-record={files.record}",
        f"--junitxml={files.junit}", f"--alluredir={files.allure}",
        # This process has imported drdrill already; its assertions need no rewriting.
        "-Wignore::pytest.PytestAssertRewriteWarning",
        # A signal that comes while a file is being opened leaves it to the collector, which would tell of it.
        "-Wignore::ResourceWarning",
        *(f"--drill-scenario={name}" for name in names),
        *(f"-pno:{name}" for name in _WITHOUT),
        *((f"--drill-mirror={mirror}",) if mirror else ()),
        *((f"--drill-failover-command={failover_command}",) if failover_command else ()),
        *((f"--drill-failover-event={failover_event}",) if failover_event else ()),
    ]  # fmt: skip
    files.path.mkdir(parents=True)
    with files.log.open("w", encoding="utf-8") as log, contextlib.redirect_stdout(log):
        return int(pytest.main(arguments, plugins=list(plugins)))


def read_record(files: RunFiles, root: Path) -> tuple[Ended, ...]:
    """Return the scenarios that were run, in order."""
    if not files.record.exists():
        return ()
    lines: list[dict[str, Any]] = [
        json.loads(line) for line in files.record.read_text(encoding="utf-8").splitlines()
    ]
    return tuple(
        Ended(
            scenario=line["scenario"] or line["title"],
            title=line["title"],
            outcome=line["outcome"],
            directory=root / line["directory"] if line["directory"] else None,
            summary=line["summary"],
            exit_status=line["exit_status"],
            cleanup=line["cleanup"],
        )
        for line in lines
    )
