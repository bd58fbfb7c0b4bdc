"""The directory of one mirror: everything it writes, who owns it, and whether it still lives."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from drdrill.core.errors import DamagedRecordError, UsageError
from drdrill.core.process import ProcessId
from drdrill.core.waiting import wait_until
from drdrill.record.directory import read_json, write_json

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_REMOVED_WITHIN = timedelta(seconds=10)  # measured 0.01 s
_POLL = timedelta(milliseconds=50)
_LAST_WORDS = 10
_WALKS = 3  # until nothing is there: a child may change its parent during one


@dataclass(frozen=True, slots=True)
class MirrorDirectory:
    """`.drdrill/mirrors/<id>/`."""

    path: Path

    @property
    def name(self) -> str:
        """The mirror's id."""
        return self.path.name

    @property
    def control(self) -> Path:
        """The control socket."""
        return self.path / "control"

    @property
    def disks(self) -> Path:
        """Mount points of the hosts' disks; empty as seen from outside the world."""
        return self.path / "disks"

    @property
    def logs(self) -> Path:
        """Logs of everything that runs in the world."""
        return self.path / "logs"

    @property
    def supervisor_log(self) -> Path:
        """What the supervisor logged: it serves AWS's APIs."""
        return self.logs / "supervisor.log"

    def last_words(self) -> list[str]:
        """Return the last lines that the supervisor logged; none where there is no log."""
        try:
            said = self.supervisor_log.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return []
        return said.splitlines()[-_LAST_WORDS:]

    @property
    def backups(self) -> Path:
        """Backups of databases, a folder for each region: on no host's disk."""
        return self.path / "backups"

    @property
    def secrets(self) -> Path:
        """Passwords and the authority's key: readable by the owner only, gone with the mirror."""
        return self.path / "secrets"

    def create(self) -> None:
        """Make the directory and its folders, all or nothing; raises `UsageError` when there is one."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with hold_mirrors(self.path.parent):
            try:
                self.path.mkdir()
            except FileExistsError as error:
                raise UsageError(self._say_taken()) from error
            try:
                self._write_owner(None, ProcessId.read_own())
                self.disks.mkdir()
                self.logs.mkdir()
                self.backups.mkdir(mode=0o700)
                self.secrets.mkdir(mode=0o700)
            except BaseException:  # a signal may come at any moment
                shutil.rmtree(self.path, ignore_errors=True)
                raise

    def _say_taken(self) -> str:
        """Say why there can be no new mirror of this name, and what to do."""
        world = self.read_world()
        if world is None or world.lives():  # without one it is just being made
            return f"there is a mirror {self.name} already: take it down, or choose another --name."
        return (
            f"the mirror {self.name} has ended, and everything in it with it, whatever was under way: its world was "
            f"killed. Nothing of it can be repaired. Its logs are in {self.logs}; "
            f"`drdrill env down --name {self.name}` clears it away, and then it can be brought up anew."
        )

    def write_owner(self, *, world: ProcessId, owner: ProcessId | None) -> None:
        """Note the world's process, and the process that owns it or still makes it (None: it stands by itself)."""
        self._write_owner(world, owner)

    def _write_owner(self, world: ProcessId | None, owner: ProcessId | None) -> None:
        noted = {
            name: process.to_json() if process else None
            for name, process in (("world", world), ("owner", owner))
        }
        write_json(self.path / "owner.json", noted)

    def read_world(self) -> ProcessId | None:
        """Return the world's process as noted, whether it lives or not; None when nothing was noted."""
        return self._read_process("world")

    def read_owner(self) -> ProcessId | None:
        """Return the runner that owns the world; None: it stands by itself, or nothing was noted."""
        return self._read_process("owner")

    def _read_process(self, field: str) -> ProcessId | None:
        try:
            return ProcessId.parse(read_json(self.path / "owner.json").get(field))
        except DamagedRecordError:
            return None

    def lives(self) -> bool:
        """Say whether the mirror's world runs."""
        world = self.read_world()
        return world is not None and world.lives()

    def remove(self) -> None:
        """Remove the directory of a mirror whose world is gone; harmless when somebody else removes it, too.

        The last processes of a killed world may still be writing for a moment, so it is tried again.
        """

        def removed() -> bool:
            shutil.rmtree(self.path, ignore_errors=True)
            return not self.path.exists()

        wait_until(removed, what=f"the end of {self.path}", within=_REMOVED_WITHIN, every=_POLL)


@contextlib.contextmanager
def hold_mirrors(folder: Path) -> Iterator[None]:
    """Keep others from making a mirror's directory, or from judging one, while the block runs."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def list_mirrors(root: Path) -> tuple[MirrorDirectory, ...]:
    """Return all mirrors of a drill repository, living or not."""
    folder = mirrors_folder(root)
    return (
        tuple(MirrorDirectory(path) for path in sorted(folder.iterdir()) if path.is_dir())
        if folder.exists()
        else ()
    )


def find_mirror(root: Path, name: str) -> MirrorDirectory:
    """Return the directory of a mirror by its name; raises `UsageError` for what is no name: it becomes a path."""
    if not _NAME.fullmatch(name):
        raise UsageError(f"`{name}` is no name of a mirror: letters, digits, `-` and `_` were expected.")
    return MirrorDirectory(mirrors_folder(root) / name)


def mirrors_folder(root: Path) -> Path:
    """Return the folder in which a drill repository's mirrors live."""
    return root / ".drdrill" / "mirrors"


def find_outer_pid(world: ProcessId, inner_pid: int) -> int | None:
    """Return the pid outside the world of the process that has `inner_pid` inside it, or None.

    Walks the world's own descendants only, so two mirrors with equal inner pids cannot be mixed up. Children of a
    thread that ends meanwhile go to another one, which may have been looked at before: what is not found is looked for
    again.
    """
    return next((pid for _ in range(_WALKS) if (pid := _walk(world, inner_pid)) is not None), None)


def _walk(world: ProcessId, inner_pid: int) -> int | None:
    pending = [world.pid]
    while pending:
        pid = pending.pop()
        try:
            status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
            tasks = list(Path(f"/proc/{pid}/task").iterdir())
        except OSError:
            continue  # it ended while we looked
        for task in tasks:
            with contextlib.suppress(OSError):  # this thread ended; the others have children, too
                pending += map(int, (task / "children").read_text(encoding="ascii").split())
        ids = next((line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:")), [])
        # outside, in the world, in its host: the world's own view is the one before the last for a host's init
        if len(ids) >= 3 and ids[-1] == "1" and int(ids[-2]) == inner_pid:  # noqa: PLR2004
            return pid
    return None
