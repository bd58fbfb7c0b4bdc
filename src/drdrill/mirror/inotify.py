"""Inotify instances: the kernel gives each user a number of them, and a whole system takes most of the usual 128.

Kubelets and proxies watch files. One that gets no instance ends in the middle of coming up, with words that nobody
understands, so that what is left is said before.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from drdrill.mirror.prerequisites import Finding, Machine, Need

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

WHOLE_SYSTEM = (
    100  # measured 90: 9 of each of 6 proxies, 6 of each of 4 kubelets, those of two control planes
)
_LIMIT = "sys/fs/inotify/max_user_instances"
_TARGET = "anon_inode:inotify"


def check_inotify(machine: Machine) -> Finding:
    """Look how many instances this user has left; changes nothing."""
    limit = _read_limit(machine.proc / _LIMIT)
    used = sum(_list_instances(machine.proc))
    return Finding(
        "inotify",
        found=limit is None or limit - used >= WHOLE_SYSTEM,
        detail="no limit" if limit is None else f"{used} of {limit} inotify instances are in use",
        need=Need.LATER,
        disables=f"the company's whole system, which takes about {WHOLE_SYSTEM}",
        remedy="As root: sysctl fs.inotify.max_user_instances=1024.",
    )


def warn_of_shortage(tell: Callable[[str], None]) -> None:
    """Say what there is not enough of, and the remedy. Not refused: a small system needs less."""
    finding = check_inotify(Machine.this())
    if not finding.found:
        tell(f"{finding.detail}; too few are left for {finding.disables}. {finding.remedy}")


def _read_limit(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):  # a kernel without it
        return None


def _list_instances(processes: Path) -> Iterator[bool]:
    """Tell of every open file of this user's processes that can be seen whether it is one."""
    user = os.geteuid()
    for folder in processes.iterdir():
        if not folder.name.isdigit():
            continue
        try:
            if folder.stat().st_uid == user:
                for file in (folder / "fd").iterdir():
                    yield _is_instance(file)
        except OSError:  # it ended meanwhile, or is nobody's business
            continue


def _is_instance(file: Path) -> bool:
    try:
        return str(file.readlink()) == _TARGET
    except OSError:  # closed meanwhile
        return False
