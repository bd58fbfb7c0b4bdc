"""A lock that this machine left when it died is given up; anybody else's, and one that is held, is left alone."""

from __future__ import annotations

import getpass
import os
import socket
import sys
from typing import TYPE_CHECKING

import pytest

from failover._state_lock import Lock, find_folder, is_worked_in, read_lock, was_left_behind
from failover._telling import StoppedError
from failover.scale_up import Ended, run_roots
from tests.failover.test_scale_up import LOCKED

if TYPE_CHECKING:
    from pathlib import Path

ME = f"{getpass.getuser()}@{socket.gethostname()}"
MINE = LOCKED.replace("almaz@laptop", ME)
# Terraform as far as it is asked here: it is locked until somebody unlocks it, and says so as roots.py does.
TERRAFORM = """\
#!{python}
import pathlib, sys
lock = pathlib.Path("{lock}")
if sys.argv[1:3] == ["force-unlock", "-force"] and lock.exists() and lock.read_text() == sys.argv[3]:
    lock.unlink()
else:
    sys.exit("no such lock")
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return from where this machine applies the recovery region's root."""
    monkeypatch.setenv("TF_DATA_DIR", str(tmp_path))
    found = find_folder("platform/recovery")
    found.mkdir(parents=True)
    return found


def test_what_terraform_says_of_a_lock() -> None:
    """Root, holder and lock are read from its words; other words tell of none."""
    assert read_lock(LOCKED) == Lock(
        "platform/recovery", "8e4f1d2a", "almaz@laptop", "OperationTypeApply", "2026-11-29 17:00:00 UTC"
    )
    assert read_lock("Error: no such instance class") is None


@pytest.mark.parametrize(
    ("said", "busy", "left"), [(MINE, False, True), (MINE, True, False), (LOCKED, False, False)]
)
def test_only_a_lock_that_nobody_holds(folder: Path, said: str, *, busy: bool, left: bool) -> None:
    """It is this user's and machine's, and no program works in the folder."""
    lock = read_lock(said)
    assert lock is not None
    assert was_left_behind(lock, is_busy=lambda one: busy and one == folder.resolve()) is left


def test_a_machine_that_never_applied_left_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another machine of the same name may hold it: without the folder nothing is given up."""
    monkeypatch.setenv("TF_DATA_DIR", str(tmp_path / "nowhere"))
    lock = read_lock(MINE)
    assert lock is not None
    assert not was_left_behind(lock)


def test_who_works_in_a_folder(tmp_path: Path) -> None:
    """Programs are found by the folder in which they run."""
    assert is_worked_in(type(tmp_path).cwd())
    assert not is_worked_in(tmp_path)


def test_it_goes_on_where_it_died(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock is given up by Terraform itself, and the same is asked again; a second failure is told as ever."""
    program, lock = tmp_path / "bin" / "terraform", tmp_path / "lock"
    program.parent.mkdir()
    program.write_text(TERRAFORM.format(python=sys.executable, lock=lock), encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    asked: list[object] = []

    def run(arguments: object) -> Ended:
        asked.append(arguments)
        return Ended(1, MINE) if lock.exists() else Ended(0, "")

    lock.write_text("8e4f1d2a", encoding="utf-8")
    assert run_roots(["apply", "platform/recovery"], run).status == 0
    assert len(asked) == 2
    lock.write_text("another one", encoding="utf-8")
    with pytest.raises(StoppedError, match="could not be given up:\nno such lock"):
        run_roots(["apply", "platform/recovery"], run)
    assert folder.is_dir()
