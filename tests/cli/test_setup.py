"""`drdrill setup`, and what a run makes ready by itself: only what the environment says it needs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from rich.console import Console

from drdrill.cli.setup import command, prepare_environment
from drdrill.core.errors import MissingPrerequisiteError
from drdrill.dataplane.kubernetes_programs import NAMES, read_version

if TYPE_CHECKING:
    from pathlib import Path

_GO = """#!/bin/sh
case "$1" in
env) echo go1.26.0 ;;
list) echo one ;;
build) while [ "$1" != -o ]; do shift; done; echo program > "$2"; echo one ;;
esac
"""
_ENVIRONMENT = "build: build.py\nrds: {failure_detection: 2 s, disk: 64 MiB}\n"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of programs of a machine without Kubernetes and without Go."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "bin"


def _repository(tmp_path: Path, more: str = "") -> Path:
    folder = tmp_path / "repository" / "environments" / "embedded"
    folder.mkdir(parents=True)
    (folder / "environment.yaml").write_text(_ENVIRONMENT + more, encoding="utf-8")
    return tmp_path / "repository"


def test_setup_says_what_is_ready_and_where(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every stage is told on standard error, the result on standard output, as JSON when that is asked for."""
    (machine / "go").write_text(_GO, encoding="utf-8")
    (machine / "go").chmod(0o755)
    monkeypatch.setenv("PATH", f"{machine}:/usr/bin:/bin")
    ended = CliRunner().invoke(command, ["--json"])
    assert ended.exit_code == 0, ended.output
    said = json.loads(ended.stdout)["kubernetes"]
    assert said["version"] == read_version()
    assert set(said["programs"]) == set(NAMES)
    assert f"compiling Kubernetes {read_version()}" in ended.stderr
    assert CliRunner().invoke(command, []).stdout.startswith(f"Kubernetes {read_version()} is ready, from ")


@pytest.mark.usefixtures("machine")
def test_a_run_prepares_what_its_environment_needs_and_nothing_else(tmp_path: Path) -> None:
    """Without a word in the file nothing is looked for; with it a machine that cannot build is told."""
    console = Console(quiet=True)
    prepare_environment(_repository(tmp_path), "embedded", console)
    prepare_environment(tmp_path / "nowhere", "another", console)
    needing = _repository(tmp_path / "needing", "kubernetes: {needed: true}\n")
    with pytest.raises(MissingPrerequisiteError, match="no `go` to build them"):
        prepare_environment(needing, "embedded", console)
