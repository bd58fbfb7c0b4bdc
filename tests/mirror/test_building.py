"""The company's script that builds its system: every line is told, and its last words when it fails."""

from __future__ import annotations

import os
import sys
from concurrent.futures import Future
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from drdrill.core.errors import CommandFailedError, MissingPrerequisiteError
from drdrill.mirror.building import build

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_FOREVER = "import subprocess, sys; print('begun', flush=True); subprocess.run(['sleep', '600'])"


def _build(
    script: str,
    log: Path,
    tell: Callable[[str], object],
    *,
    seconds: float = 60,
    beside: Future[None] | None = None,
) -> None:
    build(
        [sys.executable, "-c", script],
        script=log.parent / "build.py",
        environment=os.environ,
        log=log,
        within=timedelta(seconds=seconds),
        tell=lambda line: (tell(line), None)[1],
        beside=beside,
    )


def test_lines_are_told_as_they_come(tmp_path: Path) -> None:
    """Output is told line by line, and the log has it, with what was said to standard error."""
    told: list[str] = []
    _build(
        "import sys; print('one'); print('two'); print('three', file=sys.stderr)",
        tmp_path / "log",
        told.append,
    )
    assert told == ["one", "two"]
    assert sorted((tmp_path / "log").read_text().split()) == ["one", "three", "two"]


def test_a_script_that_fails(tmp_path: Path) -> None:
    """The error has its status and its last words."""
    with pytest.raises(
        CommandFailedError, match=r"build\.py` ended with status 1:\nno such region"
    ) as failed:
        _build("import sys; sys.exit('no such region')", tmp_path / "log", lambda _: None)
    assert failed.value.status == 1


def test_a_script_that_is_late_is_ended_with_what_it_started(tmp_path: Path) -> None:
    """Its output ends with the last of its programs, so this would wait for ten minutes otherwise."""
    with pytest.raises(CommandFailedError, match="ended by us after 1 s"):
        _build(_FOREVER, tmp_path / "log", lambda _: None, seconds=1)


def test_what_goes_on_beside_it_fails(tmp_path: Path) -> None:
    """The script is ended at once, and the error is that of what failed."""
    beside: Future[None] = Future()
    with pytest.raises(MissingPrerequisiteError, match="no Go"):
        _build(
            _FOREVER,
            tmp_path / "log",
            lambda _: beside.set_exception(MissingPrerequisiteError("no Go")),
            beside=beside,
        )


def test_an_interruption_ends_it_at_once(tmp_path: Path) -> None:
    """Whoever is told a line may be interrupted: the script does not go on, and nobody waits for its end."""

    def interrupt(line: str) -> None:
        assert line == "begun"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _build(_FOREVER, tmp_path / "log", interrupt)
