"""A lock that this machine left when it died is given up; anybody else's, and one that is held, is left alone."""

from __future__ import annotations

import getpass
import json
import os
import socket
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from failover._state_lock import Lock, find_folder, give_up, is_busy, read_lock, was_left_behind
from failover._telling import StoppedError
from failover.scale_up import Ended, run_once, run_roots, scale_up
from tests.failover.test_scale_up import LOCKED

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

# Terraform that locks its state and is killed with what runs it; the next one finds the lock, and the one after none.
KILLED = """\
#!{python}
import os, pathlib, signal, sys, time
lock = pathlib.Path("{lock}")
said = '''{said}'''.replace("2026-11-29 17:00:00", time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime()))
if sys.argv[1] == "init":
    pathlib.Path(os.environ["TF_DATA_DIR"]).mkdir(exist_ok=True)
elif sys.argv[1] == "force-unlock":
    lock.unlink()
elif lock.exists():
    sys.exit(lock.read_text())
elif not pathlib.Path("{lock}.once").exists():
    pathlib.Path("{lock}.once").touch()
    lock.write_text(said)
    os.kill(os.getppid(), signal.SIGKILL)
"""
CREATED = datetime(2026, 11, 29, 17, 0, tzinfo=UTC).timestamp()


def _note(folder: Path, **changes: object) -> None:
    """Note that this very process began to apply the root when the lock was made, or another one as changed."""
    stat = Path("/proc/self/stat").read_text(encoding="utf-8")
    noted = {
        "at": CREATED,
        "boot": Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip(),
        "space": str(Path("/proc/self/ns/pid").readlink()),
        "pid": os.getpid(),
        "start": stat.rpartition(")")[2].split()[19],
        **changes,
    }
    held = folder / "holders"
    held.mkdir(exist_ok=True)
    (held / f"{len(list(held.iterdir()))}.json").write_text(json.dumps(noted), encoding="utf-8")


def _is_left(lock: Lock) -> bool:
    """Tell as the program does, whoever else runs Terraform on this machine."""
    return was_left_behind(lock, is_busy=lambda _: False)


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
    """It is this user's and machine's, who noted that died, and no program works in the folder."""
    _note(folder, boot="of another day")
    lock = read_lock(said)
    assert lock is not None
    assert was_left_behind(lock, is_busy=lambda one: busy and one == folder.resolve()) is left


@pytest.mark.parametrize(
    ("noted", "left"),
    [
        ({}, False),
        ({"start": "1"}, True),
        ({"pid": 1 << 30}, True),
        ({"pid": 1 << 30, "space": "pid:[1]"}, False),
        ({"boot": "of another day"}, True),
        ({"boot": ""}, False),
        ({"boot": "of another day", "at": CREATED - 3600}, False),
        ({"boot": "of another day", "at": CREATED + 5}, False),
        ({"boot": "of another day", "at": None}, False),
    ],
    ids=[
        "alive", "another process has its number", "ended", "not to be seen from here", "before a restart",
        "not known when it was", "the lock is later", "the lock is earlier", "half-written",
    ],
)  # fmt: skip
def test_whose_holder_is_certainly_dead(folder: Path, noted: dict[str, object], *, left: bool) -> None:
    """The process that was noted just before the lock was made is looked for, on this machine."""
    _note(folder, **noted)
    lock = read_lock(MINE)
    assert lock is not None
    assert was_left_behind(lock, is_busy=lambda _: False) is left


def test_one_of_two_may_hold_it(folder: Path) -> None:
    """Where two were noted at that time both have to be dead."""
    _note(folder, boot="of another day")
    _note(folder, at=CREATED - 1)
    lock = read_lock(MINE)
    assert lock is not None
    assert not was_left_behind(lock, is_busy=lambda _: False)


def test_a_holder_elsewhere(folder: Path) -> None:
    """One of the same user on a machine of the same name holds it: nothing here says so, and it is left to people."""
    lock = read_lock(MINE)
    assert lock is not None
    assert not was_left_behind(lock, is_busy=lambda _: False)
    with pytest.raises(StoppedError, match=rf"locked by {ME}(.|\n)*What to do: ask them"):
        scale_up(lambda arguments: run_roots(arguments, lambda _: Ended(1, MINE)))
    assert folder.is_dir()


def test_who_is_busy(tmp_path: Path) -> None:
    """Programs are found by the folder in which they run, and Terraform wherever it runs."""
    assert is_busy(tmp_path.cwd())
    processes = tmp_path / "proc"
    for number, name in enumerate(("python", "terraform-provi")):
        (processes / str(number)).mkdir(parents=True)
        (processes / str(number) / "comm").write_text(f"{name}\n", encoding="utf-8")
        (processes / str(number) / "cwd").symlink_to("/")
    assert not is_busy(tmp_path, processes)
    for name in ("terraform", "tofu"):
        (processes / "1" / "comm").write_text(f"{name}\n", encoding="utf-8")
        assert is_busy(tmp_path, processes)


def test_what_applies_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the company's own program, while it runs; what is killed leaves its note, and the lock is given up then."""
    lock, program = tmp_path / "lock", tmp_path / "bin" / "terraform"
    program.parent.mkdir()
    program.write_text(KILLED.format(python=sys.executable, lock=lock, said=MINE), encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("TF_DATA_DIR", str(tmp_path / "data"))
    folder = find_folder("platform/recovery")
    assert run_once(["apply", "platform/recovery", "--set", "capacity=production"]).status < 0
    assert len(list((folder / "holders").iterdir())) == 1
    assert run_roots(["apply", "platform/recovery", "--set", "capacity=production"], left=_is_left) == Ended(
        0, ""
    )
    assert list((folder / "holders").iterdir()) == []


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

    _note(folder, boot="of another day")
    lock.write_text("8e4f1d2a", encoding="utf-8")
    assert run_roots(["apply", "platform/recovery"], run, left=_is_left).status == 0
    assert len(asked) == 2
    lock.write_text("another one", encoding="utf-8")
    with pytest.raises(StoppedError, match="could not be given up:\nno such lock"):
        run_roots(["apply", "platform/recovery"], run, left=_is_left)


def test_what_keeps_it_from_being_given_up(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No Terraform, and one that does not end, are told with what to do."""
    lock = read_lock(MINE)
    assert lock is not None
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StoppedError, match=r"neither `terraform` nor `tofu` is on the PATH\.\nWhat to do: "):
        give_up(lock)
    program = tmp_path / "terraform"
    program.write_text(f"#!{sys.executable}\nimport time\ntime.sleep(60)\n", encoding="utf-8")
    program.chmod(0o755)
    with pytest.raises(StoppedError, match=r"did not end within 1 s\.\nWhat to do: "):
        give_up(lock, within=timedelta(seconds=1))
    assert folder.is_dir()
