"""The wheel brings the engine and the template of `init`, and works where there is no checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest

from drdrill.cli.starting.template import FILES, FOLDERS
from tests.live.repository import Repository
from tests.missing import not_run

SOURCE = Path(__file__).parents[2]
_WITHIN = timedelta(minutes=5)
_DRILL = ("run", "database", "--scenario", "primary_host_loses_power")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    _succeed([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], SOURCE)
    (built,) = folder.iterdir()
    return built


def test_brings_the_whole_template(wheel: Path) -> None:
    """Every file of the drill repository that Git knows is in it, byte for byte, and no test or cache is."""
    known = _succeed(["git", "ls-files", "-z", "--", *FOLDERS, *FILES], SOURCE).split("\0")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        for name in filter(None, known):
            assert archive.read(f"drdrill/template/{name}") == (SOURCE / name).read_bytes()
    assert "drdrill/pytest_plugin/plugin.py" in names
    assert [name for name in names if name.startswith(("tests/", "src/")) or "__pycache__" in name] == []


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the programs of a fresh virtual environment with the wheel and the locked requirements."""
    folder = tmp_path_factory.mktemp("fresh") / "venv"
    _succeed([sys.executable, "-m", "venv", "--without-pip", str(folder)], SOURCE)
    uv = [str(Path(sys.executable).with_name("uv")), "pip", "install", "--offline", "--quiet"]
    uv += ["--python", str(folder / "bin" / "python")]
    locked = [*uv, "--require-hashes", "-r", str(SOURCE / "requirements" / "lock.txt")]
    if subprocess.run(locked, check=False, capture_output=True).returncode:
        not_run("uv-cache", "uv's cache has not all locked requirements; `./drdrill` fills it.")
    _succeed([*uv, "--no-deps", str(wheel)], SOURCE)
    return folder / "bin"


@pytest.mark.drill
@pytest.mark.long
def test_drills_where_no_checkout_is(installed: Path, tmp_path: Path) -> None:
    """Installed elsewhere, it writes a repository in which `env up` and the first drill work at once."""
    drdrill = str(installed / "drdrill")
    _succeed([drdrill, "init", "shop", "--name", "Corner Shop"], tmp_path)
    shop = Repository(tmp_path / "shop", tmp_path, tmp_path)
    shop.alter("scenarios/plan.yaml", "stability: 10 s", "stability: 3 s")
    shop.tolerate_overload()
    assert "no mistakes" in _succeed([drdrill, "plan", "check"], shop.path)
    try:
        _succeed([drdrill, "env", "up", "--only", "databases", "--name", "w"], shop.path)
        said = _succeed([drdrill, *_DRILL, "--mirror", "w"], shop.path)
        assert "MET  every objective is met" in said
        assert "orders, orders-database" in said
    finally:
        shop.clear()


def _succeed(command: list[str], folder: Path) -> str:
    """Run a program that has to succeed, without this checkout's engine on its path, and return what it printed."""
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    ended = subprocess.run(
        command, check=False, cwd=folder, env=variables, capture_output=True, text=True,
        timeout=_WITHIN.total_seconds(),
    )  # fmt: skip
    assert ended.returncode == 0, f"{command}: {ended.stdout}{ended.stderr}"
    return ended.stdout
