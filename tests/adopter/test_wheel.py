"""The wheel brings the engine and the template of `init`, and works where there is no checkout."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from drdrill.cli.starting.template import FILES, FOLDERS
from tests.adopter.programs import succeed, succeed_at_last
from tests.live.repository import Repository
from tests.missing import not_run

SOURCE = Path(__file__).parents[2]
_DRILL = ("run", "database", "--scenario", "primary_host_loses_power")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    succeed([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], SOURCE)
    (built,) = folder.iterdir()
    return built


def test_brings_the_whole_template(wheel: Path) -> None:
    """Every file of the drill repository that Git knows is in it, byte for byte, and no test or cache is."""
    known = succeed(["git", "ls-files", "-z", "--", *FOLDERS, *FILES], SOURCE).split("\0")
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
    succeed([sys.executable, "-m", "venv", "--without-pip", str(folder)], SOURCE)
    uv = [str(Path(sys.executable).with_name("uv")), "pip", "install", "--offline", "--quiet"]
    uv += ["--python", str(folder / "bin" / "python")]
    locked = [*uv, "--require-hashes", "-r", str(SOURCE / "requirements" / "lock.txt")]
    if subprocess.run(locked, check=False, capture_output=True).returncode:
        not_run("uv-cache", "uv's cache has not all locked requirements; `./drdrill` fills it.")
    succeed([*uv, "--no-deps", str(wheel)], SOURCE)
    return folder / "bin"


@pytest.mark.drill
@pytest.mark.long
def test_drills_where_no_checkout_is(installed: Path, tmp_path: Path) -> None:
    """Installed elsewhere, it writes a repository in which `env up` and the first drill work at once."""
    drdrill = str(installed / "drdrill")
    succeed([drdrill, "init", "shop", "--name", "Corner Shop"], tmp_path)
    shop = Repository(tmp_path / "shop", tmp_path, tmp_path)
    assert "no mistakes" in succeed([drdrill, "plan", "check"], shop.path)
    try:
        succeed([drdrill, "env", "up", "--only", "databases", "--name", "w"], shop.path)
        said = succeed_at_last([drdrill, *_DRILL, "--mirror", "w"], shop.path)
        assert "MET  every objective is met" in said
        assert "orders, orders-database" in said
    finally:
        shop.clear()
