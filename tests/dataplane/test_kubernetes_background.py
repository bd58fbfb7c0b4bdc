"""Kubernetes' programs are built while something else goes on: whoever needs them waits, and an end ends it."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from drdrill.core.errors import EnvironmentFailedError, MissingPrerequisiteError
from drdrill.core.waiting import wait_until
from drdrill.dataplane.kubernetes_background import BackgroundBuild
from drdrill.dataplane.kubernetes_build import BuildEndedError
from drdrill.dataplane.kubernetes_programs import (
    await_programs,
    build_entry,
    expect_program,
    is_being_built,
    read_version,
)

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.dataplane.kubernetes_build import BuildProgress

_WITHIN, _EVERY = timedelta(seconds=30), timedelta(milliseconds=10)
# Compiles until somebody lets it, by the file that it is told of.
_GO = """#!/bin/sh
case "$1" in
env) echo go1.26.0 ;;
list) echo one ;;
build)
    while [ "$1" != -o ]; do shift; done
    echo $$ > "$GO.pid"
    while [ ! -e "$GO.free" ]; do sleep 0.02; done
    [ ! -s "$GO.free" ] || { cat "$GO.free"; exit 1; }
    echo program > "$2" ;;
esac
"""


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """Return the variables of a machine whose Go compiles until it is let."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "go").write_text(_GO, encoding="utf-8")
    (tmp_path / "bin" / "go").chmod(0o755)
    return {
        "PATH": f"{tmp_path / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "GO": str(tmp_path / "go"),
    }


def test_others_wait_for_it(machine: dict[str, str], tmp_path: Path) -> None:
    """From the first moment on others see that it goes on, and where its programs will be; then they have them."""
    assert not is_being_built(machine)
    with pytest.raises(EnvironmentFailedError, match="drdrill setup"):
        await_programs(machine)
    told: list[BuildProgress] = []
    with BackgroundBuild(told.append, machine) as build, ThreadPoolExecutor(1) as pool:
        assert is_being_built(machine)
        assert expect_program("kubectl", machine) == str(build_entry(machine) / "bin" / "kubectl")
        waiting = pool.submit(await_programs, machine)
        (tmp_path / "go.free").touch()
        assert waiting.result(_WITHIN.total_seconds()).version == read_version()
        assert build.programs.result()["kubectl"] == expect_program("kubectl", machine)
    assert not is_being_built(machine)
    assert [one.total for one in told][-1] == 1
    with BackgroundBuild(told.append, machine) as again:
        assert again.programs.result().version == read_version()


def test_leaving_ends_it(machine: dict[str, str], tmp_path: Path) -> None:
    """Nothing of it runs on, nothing half-made is left, and who waits for it hears that there is none."""
    with BackgroundBuild(lambda _: None, machine) as build:
        pid = wait_until(lambda: _read_pid(tmp_path), what="the compiler", within=_WITHIN, every=_EVERY)
    with pytest.raises(BuildEndedError):
        build.programs.result(0)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert [path.name for path in build_entry(machine).parent.iterdir()] == [".building"]
    with pytest.raises(EnvironmentFailedError, match="drdrill setup"):
        await_programs(machine)


def test_its_failure_is_heard(machine: dict[str, str], tmp_path: Path) -> None:
    """Whoever asked for it has Go's own words, at once."""
    failed = threading.Event()
    with BackgroundBuild(lambda _: None, machine) as build:
        build.programs.add_done_callback(lambda _: failed.set())
        (tmp_path / "words").write_text("no route to the proxy", encoding="utf-8")
        (tmp_path / "words").rename(tmp_path / "go.free")
        assert failed.wait(_WITHIN.total_seconds())
        with pytest.raises(MissingPrerequisiteError, match="no route to the proxy"):
            build.programs.result(0)


def _read_pid(folder: Path) -> int:
    file = folder / "go.pid"
    return int(file.read_text(encoding="ascii") or 0) if file.exists() else 0
