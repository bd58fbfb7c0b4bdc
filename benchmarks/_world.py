"""What the processes of a mirror's world use, as the kernel counts it: processor time and resident memory."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_PARENT, _USER, _SYSTEM, _CHILDREN_USER, _CHILDREN_SYSTEM, _RESIDENT = 1, 11, 12, 13, 14, 21


def find_world(world: int) -> list[int]:
    """Return all processes of a world by its first one: whatever lost its parent in it belongs to an init in it."""
    children: defaultdict[int, list[int]] = defaultdict(list)
    for pid in _list_processes():
        fields = _read_stat(pid)
        if fields:
            children[int(fields[_PARENT])].append(pid)
    found, pending = [], [world]
    while pending:
        pid = pending.pop()
        found.append(pid)
        pending += children[pid]
    return found


def find_host(init: int) -> list[int]:
    """Return the processes of one host by its first one: those that are in no pod of it."""
    inside = _namespace(init)
    return [pid for pid in _list_processes() if _namespace(pid) == inside]


def processor_seconds(processes: list[int]) -> float:
    """Return the processor time that processes used, and their children that have ended."""
    counted = (_USER, _SYSTEM, _CHILDREN_USER, _CHILDREN_SYSTEM)
    return (
        sum(int(fields[one]) for pid in processes if (fields := _read_stat(pid)) for one in counted) / _TICKS
    )


def resident_bytes(processes: list[int]) -> int:
    """Return the memory that processes have in use; what several share counts in each."""
    return sum(int(fields[_RESIDENT]) for pid in processes if (fields := _read_stat(pid))) * _PAGE


def _list_processes() -> list[int]:
    return [int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit()]


def _read_stat(pid: int) -> list[str]:
    """Return the fields of `/proc/PID/stat` after the program's name, which may have anything in it."""
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        )
    except OSError:  # it ended meanwhile
        return []


def _namespace(pid: int) -> Path | None:
    try:
        return Path(f"/proc/{pid}/ns/pid").readlink()
    except OSError:
        return None
