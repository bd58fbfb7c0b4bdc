"""A lock of Terraform's state that this machine left behind when it died: told from everybody else's, and given up.

Terraform says who holds a lock. One of this very user and machine, while no program works in the folder from which
this machine applies that root, belongs to nobody any more: what held it was killed, or lost its power. Anybody else's
lock is left to people.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import re
import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from failover._telling import StoppedError, say

if TYPE_CHECKING:
    from collections.abc import Callable

LOCKED = "acquiring the state lock"


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock as Terraform tells of it; `root`: the one that could not be done."""

    root: str
    identifier: str
    who: str
    operation: str
    created: str


def read_lock(said: str) -> Lock | None:
    """Return the lock that Terraform's words tell of; None: they tell of none."""
    if LOCKED not in said:
        return None
    root = re.search(r"terraform \w+ of (\S+) failed", said)
    return Lock(
        root[1] if root else "unknown",
        *(_find(key, said) for key in ("ID", "Who", "Operation", "Created")),
    )


def _find(key: str, said: str) -> str:
    found = re.search(rf"^\W*{key}:\s+(.+)$", said, re.MULTILINE)
    return found[1].strip() if found else "unknown"


def find_folder(root: str) -> Path:
    """Return from where this machine applies a root."""
    return Path(os.environ.get("TF_DATA_DIR") or Path.home() / ".meqenet" / "terraform") / root


def is_worked_in(folder: Path, processes: Path = Path("/proc")) -> bool:
    """Tell whether a program works in a folder."""
    for link in processes.glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):  # it ended meanwhile, or is another user's
            if link.readlink() == folder:
                return True
    return False


def was_left_behind(lock: Lock, *, is_busy: Callable[[Path], bool] = is_worked_in) -> bool:
    """Tell whether a lock is one of this machine's that nothing here holds any more."""
    me = f"{getpass.getuser()}@{socket.gethostname()}"
    folder = find_folder(lock.root)
    return lock.who == me and folder.is_dir() and not is_busy(folder.resolve())


def give_up(lock: Lock) -> None:
    """Have Terraform remove it; raises `StoppedError` when it cannot."""
    folder = find_folder(lock.root)
    program = shutil.which("terraform") or shutil.which("tofu") or "terraform"
    ended = subprocess.run(
        [program, "force-unlock", "-force", lock.identifier],
        cwd=folder,
        env={**os.environ, "TF_DATA_DIR": str(folder / ".terraform"), "TF_IN_AUTOMATION": "1"},
        check=False,
        capture_output=True,
        text=True,
    )
    if ended.returncode:
        raise StoppedError(
            f"The lock {lock.identifier} that this machine left on Terraform's state of {lock.root} could not be given "
            f"up:\n{(ended.stderr or ended.stdout).strip()}\nWhat to do: remove it by `terraform force-unlock`. "
            "Then run the same command again."
        )
    say("a lock of Terraform's state that this machine left when it died was given up",
        root=lock.root, lock=lock.identifier, operation=lock.operation, created=lock.created)  # fmt: skip
