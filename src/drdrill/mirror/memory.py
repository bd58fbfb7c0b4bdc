"""What a mirror has in memory: the processes of every host, and what lies on its disk, which is memory too.

A page that several processes share counts in each by its share (the kernel's Pss), so that the parts add up to the
whole: a sum of resident sizes would count PostgreSQL's and Go's pages many times.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drdrill.mirror.host import WorldHost

_NS_GET_PARENT = 0xB702  # of the kernel's nsfs.h
_KIB = 1024


@dataclass(slots=True)
class Memory:
    """Bytes of processes, and of files on disks."""

    processes: int = 0
    disks: int = 0


class MemoryReadings:
    """What is in memory, by host, when it is asked for over the control socket."""

    def __init__(self, hosts: Callable[[], Sequence[WorldHost]], processes: Path = Path("/proc")) -> None:
        self._hosts = hosts
        self._processes = processes

    def table(self) -> Mapping[str, Callable[..., Mapping[str, Any]]]:
        """Return the operations by name."""
        return {"memory": self.read}

    def read(self) -> Mapping[str, Any]:
        """Return the bytes of every host, and of the mirror's own processes, which run on none."""
        hosts = self._hosts()
        found = {host.name: Memory(disks=_read_used(host.disk)) for host in hosts}
        own = Memory()
        owners = {self._namespace(host.init_pid): found[host.name] for host in hosts if host.init_pid}
        for folder in self._processes.iterdir():
            if folder.name.isdigit():
                pss = _read_pss(folder / "smaps_rollup")
                (self._find_owner(folder, owners) or own).processes += pss
        return {"hosts": {name: asdict(memory) for name, memory in found.items()}, "own": asdict(own)}

    def _namespace(self, pid: int) -> int:
        try:
            return (self._processes / str(pid) / "ns" / "pid").stat().st_ino
        except OSError:  # it lost its power meanwhile
            return 0

    def _find_owner(self, folder: Path, owners: Mapping[int, Memory]) -> Memory | None:
        """Return whose a process is: its namespace is that of a host, or lies in it, as those of pods do."""
        with contextlib.ExitStack() as opened:
            try:
                namespace = opened.enter_context((folder / "ns" / "pid").open("rb", buffering=0)).fileno()
                while (number := os.fstat(namespace).st_ino) not in owners:
                    namespace = fcntl.ioctl(namespace, _NS_GET_PARENT)
                    opened.callback(os.close, namespace)
            except OSError:  # it ended meanwhile, or that was the world's own
                return None
        return owners[number]


def _read_pss(rollup: Path) -> int:
    """Return the proportional size of a process; 0 for one that ended, or is the kernel's."""
    try:
        for line in rollup.read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * _KIB
    except OSError:
        pass
    return 0


def _read_used(disk: Path) -> int:
    """Return what lies on a disk; nothing where a host has none of its own, as routers."""
    try:
        if not disk.is_mount():
            return 0
        status = os.statvfs(disk)
    except OSError:  # it was taken away meanwhile
        return 0
    return (status.f_blocks - status.f_bfree) * status.f_frsize
