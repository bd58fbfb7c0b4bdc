"""The experiments of the drill repository run with the plain `chaos` command, each in a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.record.journal import read_journal
from tests.faults.fakes import PLAN_TEXT, STORE, FakePort

if TYPE_CHECKING:
    from drdrill.record.directory import DrillDirectory

ROOT = Path(__file__).parents[2]
METADATA = "Metadata-Version: 2.1\nName: fake-environment\nVersion: 1\n"
INJECT, HEAL = (
    ROOT / "chaos" / "experiments" / f"database_host_power_loss.{part}.yaml" for part in ("inject", "heal")
)


@pytest.fixture
def shell(tmp_path: Path, port: FakePort, directory: DrillDirectory) -> dict[str, str]:
    """Return the variables of a shell in a standing environment, installed as `aws` for this shell only."""
    installed = tmp_path / "installed" / "fake_environment-1.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text(METADATA, encoding="utf-8")
    (installed / "entry_points.txt").write_text(
        "[drdrill.environments]\naws = tests.faults.fakes:StandingEnvironment\n", encoding="utf-8"
    )
    plan = tmp_path / "plan.yaml"
    plan.write_text(PLAN_TEXT.replace("[embedded]", "[aws]"), encoding="utf-8")
    (port.state_directory / "identity.json").write_text(
        json.dumps({"environment": "aws", "instance": "m1", "expendable": True}), encoding="utf-8"
    )
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONPATH": f"{ROOT}:{installed.parent}",
        "DRDRILL_ENVIRONMENT": "aws",
        "DRDRILL_CONTROL": str(port.state_directory),
        "DRDRILL_PLAN": str(plan),
        "DRDRILL_INSTANCE": "m1",
        "DRDRILL_DRILL": str(directory.path),
        "DRDRILL_STORE": STORE,
    }


def chaos(experiment: Path, variables: dict[str, str], directory: Path) -> list[dict[str, Any]]:
    """Run an experiment with the plain command, and return what Chaos Toolkit wrote of each activity."""
    journal = directory / f"{experiment.stem}.json"
    command = [
        sys.executable, "-m", "chaostoolkit", "--no-version-check", "--no-log-file",
        "--settings", str(directory / "none.yaml"), "run", "--journal-path", str(journal), str(experiment),
    ]  # fmt: skip
    done = subprocess.run(
        command, env=variables, cwd=directory, capture_output=True, text=True, timeout=60, check=False
    )
    assert journal.exists(), done.stderr
    run: list[dict[str, Any]] = json.loads(journal.read_text(encoding="utf-8"))["run"]
    return run


def test_inject_then_heal(
    shell: dict[str, str], tmp_path: Path, port: FakePort, directory: DrillDirectory
) -> None:
    """One process injects and sees the effect, another heals; both write to the drill's journal."""
    injected = chaos(INJECT, shell, tmp_path)
    assert [activity["status"] for activity in injected] == ["succeeded", "succeeded"], injected
    assert port.broken
    healed = chaos(HEAL, shell, tmp_path)
    assert [activity["status"] for activity in healed] == ["succeeded", "succeeded"], healed
    assert not port.broken
    assert not (port.state_directory / "active-faults.json").exists()
    assert [event.kind for event in read_journal(directory.journal_path)] == [
        "fault.injecting",
        "fault.injected",
        "fault.observed",
        "fault.healing",
        "fault.healed",
    ]


def test_refused_by_the_guard(shell: dict[str, str], tmp_path: Path, port: FakePort) -> None:
    """The guard stands before the plain command too."""
    injected = chaos(INJECT, {**shell, "DRDRILL_INSTANCE": "m2"}, tmp_path)
    assert injected[0]["status"] == "failed"
    assert "the drill started `m2`" in "".join(injected[0]["exception"])
    assert not port.broken


def alone(experiment: Path, variables: dict[str, str], directory: Path, *settings: str) -> dict[str, Any]:
    """Run an experiment in a process of its own as a drill does, and return what it said."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "drdrill.faults.alone", str(experiment), *settings],
        env=variables, cwd=directory, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_alone(shell: dict[str, str], tmp_path: Path, port: FakePort, directory: DrillDirectory) -> None:
    """What a drill runs beside the runbook is judged as in its own process, and recorded in its directory."""
    assert alone(INJECT, shell, tmp_path, f"store={STORE}") == {"refused": False, "reason": ""}
    assert port.broken
    refused = alone(INJECT, shell, tmp_path, "store=letters")
    assert refused["refused"]
    assert "does not name `letters`" in refused["reason"]
    assert (directory.evidence / f"chaos-{INJECT.stem}.json").exists()
    assert read_journal(directory.journal_path)[1].kind == "fault.injected"


def test_alone_without_a_drill(shell: dict[str, str], tmp_path: Path, port: FakePort) -> None:
    """Without a drill's directory nothing is run, and the exit status says so."""
    variables = {name: value for name, value in shell.items() if name != "DRDRILL_DRILL"}
    command = [sys.executable, "-P", "-m", "drdrill.faults.alone", str(INJECT)]
    done = subprocess.run(
        command, env=variables, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "DRDRILL_DRILL" in done.stderr
    assert not port.broken
