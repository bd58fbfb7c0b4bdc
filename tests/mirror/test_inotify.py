"""Inotify instances are counted before a whole system comes up: what there are not enough of is said."""

from __future__ import annotations

import ctypes
import dataclasses
import os
from typing import TYPE_CHECKING

import pytest

from drdrill.mirror.inotify import WHOLE_SYSTEM, check_inotify
from drdrill.mirror.prerequisites import Machine

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a machine with two processes of this user: one has three instances, the other is closing a file."""
    for number, files in (("7", ["anon_inode:inotify"] * 3 + ["/dev/null"]), ("9", ["/dev/null"])):
        (tmp_path / number / "fd").mkdir(parents=True)
        for index, target in enumerate(files):
            (tmp_path / number / "fd" / str(index)).symlink_to(target)
    (tmp_path / "9" / "fd" / "1").touch()
    (tmp_path / "sys" / "fs" / "inotify").mkdir(parents=True)
    return dataclasses.replace(Machine.this(), proc=tmp_path)


def _limit(machine: Machine, value: int) -> None:
    (machine.proc / "sys" / "fs" / "inotify" / "max_user_instances").write_text(
        f"{value}\n", encoding="ascii"
    )


def test_what_is_left_decides(machine: Machine) -> None:
    """What others have in use counts against the limit; the finding says both numbers, and the remedy."""
    _limit(machine, WHOLE_SYSTEM + 3)
    assert check_inotify(machine).found
    _limit(machine, WHOLE_SYSTEM + 2)
    found = check_inotify(machine)
    assert not found.found
    assert found.detail == f"3 of {WHOLE_SYSTEM + 2} inotify instances are in use"
    assert "sysctl fs.inotify.max_user_instances" in found.remedy


def test_without_a_limit_there_is_enough(machine: Machine) -> None:
    """A kernel that says no limit has none."""
    assert check_inotify(machine).found


def test_instances_of_this_machine_are_seen() -> None:
    """One that is opened here is counted."""
    libc = ctypes.CDLL(None)

    descriptor = libc.inotify_init()
    assert descriptor >= 0
    try:
        assert not check_inotify(Machine.this()).detail.startswith("0 of")
    finally:
        os.close(descriptor)
