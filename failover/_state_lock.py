"""A lock of Terraform's state that this machine left behind when it died: told from everybody else's, and given up.

Terraform says who holds a lock, by user and machine, and both may have namesakes elsewhere. So the program that applies
roots notes beside a root, before it locks its state, which process does that (`holders/`, `system/terraform/roots.py`).
A lock belongs to nobody any more when it was made just after such a note, and that process is certainly dead: this
machine was started anew, or does not know it any more. Nothing of Terraform may run here, either. Any other lock is
left to people.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import re
import shutil
import socket
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from failover._telling import StoppedError, say

if TYPE_CHECKING:
    from collections.abc import Callable

LOCKED = "acquiring the state lock"
PROGRAMS = ("terraform", "tofu")
# Terraform dates its lock when it begins to ask for it, seconds after it was started: an assumption for a busy machine.
_LOCKS_WITHIN = timedelta(minutes=1)
_UNLOCKS_WITHIN = timedelta(minutes=2)  # it asks S3 for one small object
_PROCESSES = Path("/proc")


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


def is_busy(folder: Path, processes: Path = _PROCESSES) -> bool:
    """Tell whether a program works in a folder, or Terraform anywhere."""
    for process in processes.glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it ended meanwhile, or is another user's
            if (process / "comm").read_text(encoding="utf-8").strip() in PROGRAMS:
                return True
            if (process / "cwd").readlink() == folder:
                return True
    return False


def was_left_behind(lock: Lock, *, is_busy: Callable[[Path], bool] = is_busy) -> bool:
    """Tell whether a lock is one of this machine's whose holder is certainly dead."""
    me = f"{getpass.getuser()}@{socket.gethostname()}"
    folder = find_folder(lock.root)
    holders = _read_holders(folder, lock)
    return (
        lock.who == me
        and bool(holders)
        and all(_is_dead(one) for one in holders)
        and not is_busy(folder.resolve())
    )


def _read_holders(folder: Path, lock: Lock) -> list[dict[str, Any]]:
    """Return who may have made a lock, as far as it was noted here; a note that died half-written says nothing."""
    try:
        created = datetime.strptime(lock.created[:19], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return []
    found = []
    for path in (folder / "holders").glob("*.json"):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            noted = json.loads(path.read_text(encoding="utf-8"))
            # A lock's own time has no fractions here.
            began = datetime.fromtimestamp(noted["at"], UTC).replace(microsecond=0)
            if began <= created <= began + _LOCKS_WITHIN:
                found.append(noted)
    return found


def _is_dead(noted: dict[str, Any], processes: Path = _PROCESSES) -> bool:
    """Tell whether a noted process certainly is no more; one of another space of processes cannot be seen from here."""
    boot = (processes / "sys" / "kernel" / "random" / "boot_id").read_text(encoding="utf-8").strip()
    if noted.get("boot") != boot:
        return bool(noted.get("boot"))
    if noted.get("space") != str((processes / "self" / "ns" / "pid").readlink()):
        return False
    try:
        stat = (processes / str(noted.get("pid")) / "stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return True
    return stat.rpartition(")")[2].split()[19] != noted.get("start")


def give_up(lock: Lock, *, within: timedelta = _UNLOCKS_WITHIN) -> None:
    """Have Terraform remove it; raises `StoppedError` when it cannot."""
    folder = find_folder(lock.root)
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        raise _not_given_up(lock, "neither `terraform` nor `tofu` is on the PATH.")
    try:
        ended = subprocess.run(
            [program, "force-unlock", "-force", lock.identifier],
            cwd=folder,
            env={**os.environ, "TF_DATA_DIR": str(folder / ".terraform"), "TF_IN_AUTOMATION": "1"},
            check=False,
            capture_output=True,
            text=True,
            timeout=within.total_seconds(),
        )
    except subprocess.TimeoutExpired as error:
        said = f"`terraform force-unlock` did not end within {within.total_seconds():.0f} s."
        raise _not_given_up(lock, said) from error
    if ended.returncode:
        raise _not_given_up(lock, (ended.stderr or ended.stdout).strip())
    say("a lock of Terraform's state that this machine left when it died was given up",
        root=lock.root, lock=lock.identifier, operation=lock.operation, created=lock.created)  # fmt: skip


def _not_given_up(lock: Lock, said: str) -> StoppedError:
    return StoppedError(
        f"The lock {lock.identifier} that this machine left on Terraform's state of {lock.root} could not be given "
        f"up:\n{said}\nWhat to do: remove it by `terraform force-unlock`. Then run the same command again."
    )
