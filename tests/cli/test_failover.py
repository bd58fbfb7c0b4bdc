"""A runbook from the command line: real processes, really killed, and on from what is observed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from drdrill.cli.main import main
from drdrill.core.waiting import wait_until
from drdrill.record.journal import read_journal

RUNBOOK = """\
version: 1
title: Failover of a test
loses: primary
steps:
  declare:
    action: {{gate: {{role: commander, question: "Is it lost?"}}}}
    within: 30 s
    phase: declare
    by: person
    duration: {{distribution: constant, typical: 10 s, source: a guess}}
  promote:
    action: {{command: {action}}}
    verify: {{command: [test, -e, promoted]}}
    needs: [declare]
    within: 30 s
    phase: restore
    by: machine
    touches: [the database]
    duration: {{distribution: uniform, minimum: 5 s, maximum: 10 s, source: a guess}}
  switch:
    action: {{python: "work:switch"}}
    verify: {{python: "work:is_switched"}}
    needs: [promote]
    within: 30 s
    phase: switch
    by: machine
    duration: {{distribution: constant, typical: 5 s, source: a guess}}
"""
WORK = """\
import pathlib
def switch(): pathlib.Path("switched").touch()
def is_switched(): return pathlib.Path("switched").exists()
"""
POLICY = ("--gates", "approve", "--why", "a test")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder to run in, with a runbook that works."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "work.py").write_text(WORK)
    write(tmp_path, "[touch, promoted]")
    return tmp_path


def write(folder: Path, action: str) -> None:
    """Write the runbook with an action for its second step."""
    (folder / "runbook.yaml").write_text(RUNBOOK.format(action=action))


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    """Run a command that prints JSON; return its exit status and what it printed."""
    capsys.readouterr()
    status = main([*arguments, "--json"])
    return status, json.loads(capsys.readouterr().out)


def test_done(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A runbook that works ends with 0; run again on what is there, it acts no more."""
    status, told = run(capsys, "failover", "--runbook", "runbook.yaml", *POLICY)
    assert (status, told["done"]) == (0, True)
    assert [one["acted"] for one in told["steps"]] == [False, True, True]
    assert [one["critical"] for one in told["waterfall"]] == [True, True, True]
    assert "promote (restore, machine)" in Path(told["directory"], "waterfall.svg").read_text(
        encoding="utf-8"
    )
    status, told = run(capsys, "resume", told["directory"], *POLICY)
    assert (status, [one["acted"] for one in told["steps"]]) == (0, [False, False, False])
    assert (repository / "switched").exists()


def test_failed_and_resumed(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A program that is not there fails its step, says so and how to go on; resumed, only the rest is done."""
    write(repository, "[no-such-program]")
    assert main(["failover", "--runbook", "runbook.yaml", *POLICY]) == 1
    told = capsys.readouterr().out
    assert "Done: declare." in told
    assert (
        "Not done: promote (failed): its action ended with 127: `no-such-program` could not be started"
        in told
    )
    assert "Not done: switch (blocked): `promote` was not done" in told
    directory = told.rsplit("drdrill resume ", 1)[1].strip()
    (repository / "promoted").touch()  # an operator did it by hand
    status, document = run(capsys, "resume", directory, *POLICY)
    assert (status, [one["acted"] for one in document["steps"]]) == (0, [False, False, True])


def test_refused(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A gate that is refused lets nothing behind it begin."""
    arguments = ("failover", "--runbook", "runbook.yaml", "--gates", "refuse", "--why", "not lost")
    status, told = run(capsys, *arguments)
    assert (status, [one["state"] for one in told["steps"]]) == (1, ["failed", "blocked", "blocked"])
    assert "policy:refuse said no: not lost" in told["steps"][0]["reason"]
    assert not (repository / "promoted").exists()


def test_dry_run(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A dry run shows critical path, what would be touched and how long it takes, and runs nothing."""
    assert main(["failover", "--runbook", "runbook.yaml", "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert "* promote (restore, machine, after declare)" in told
    assert "touches the database" in told
    assert "not measured" in told
    assert not (repository / ".drdrill").exists()


@pytest.mark.usefixtures("repository")
def test_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """A policy without a reason, a folder without a run and a missing runbook are refused."""
    assert main(["failover", "--runbook", "runbook.yaml", "--gates", "approve"]) == 2
    assert main(["resume", "nowhere"]) == 2
    assert main(["failover"]) == 2
    told = capsys.readouterr().err
    assert "--why" in told
    assert "there is no run of a runbook here" in told
    assert "runbook.yaml: there is no such file" in told


@pytest.mark.parametrize(("number", "seconds"), [(signal.SIGKILL, 1.5), (signal.SIGINT, 15)])
def test_ended_in_the_middle(
    repository: Path, capsys: pytest.CaptureFixture[str], number: signal.Signals, seconds: float
) -> None:
    """Ended while an action runs, a killed one's action lives on and is waited for; an interrupted one's is ended."""
    write(repository, f'[sh, -c, "echo x >> begun; sleep {seconds}; touch promoted"]')
    command = [sys.executable, "-m", "drdrill.cli.main", "failover", "--runbook", "runbook.yaml", *POLICY]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(
            (repository / "begun").exists,
            what="the action",
            within=timedelta(seconds=60),
            every=timedelta(seconds=0.02),
        )
        os.kill(process.pid, number)
        assert process.wait(timeout=60) == (-signal.SIGKILL if number is signal.SIGKILL else 130)
    finally:
        process.kill()
        process.wait()
    (directory,) = (repository / ".drdrill" / "failovers").iterdir()
    if number is signal.SIGINT:
        assert not (repository / "promoted").exists()
        return
    status, told = run(capsys, "resume", str(directory), *POLICY)
    assert (status, told["done"]) == (0, True)
    assert (repository / "begun").read_text() == "x\n"
    asked = [one for one in read_journal(directory / "journal.jsonl") if one.kind == "gate.asked"]
    assert len(asked) == 1
