"""What containers use of memory and processor, read from `/proc`.

There are no control groups for an ordinary user. A process belongs to the container whose mount namespace it is in,
however it was started. Memory is what a program cannot give back: anonymous and shared pages, not those of files.
Processor time is that of the living processes and of the children they waited for.
"""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
_KIB = 1024


@dataclass(frozen=True, slots=True)
class Usage:
    """What the processes of one container use together. `memory_bytes` counts pages that they share once for each."""

    processes: tuple[int, ...] = ()
    memory_bytes: int = 0
    resident_bytes: int = 0
    processor_ns: int = 0
    minor_faults: int = 0
    major_faults: int = 0


def read_usage() -> dict[str, Usage]:
    """Return the usage of all mount namespaces on the node, by their names in `/proc/PID/ns/mnt`."""
    return {mounts: add_up(processes) for mounts, processes in read_members().items()}


def read_members() -> dict[str, tuple[int, ...]]:
    """Return the processes of all mount namespaces on the node but our own, by the namespaces' names."""
    members: dict[str, list[int]] = defaultdict(list)
    for name in os.listdir("/proc"):  # noqa: PTH208  (a tenth of the time, and this runs four times a second)
        if name.isdigit():
            try:
                members[os.readlink(f"/proc/{name}/ns/mnt")].append(int(name))  # noqa: PTH115
            except OSError:  # it ended meanwhile
                continue
    own = os.readlink("/proc/self/ns/mnt")  # noqa: PTH115
    return {mounts: tuple(processes) for mounts, processes in members.items() if mounts != own}


def read_resident(processes: tuple[int, ...]) -> int:
    """Return the bytes that some processes have in memory, pages of files too: never less than what they use."""
    pages = 0
    for pid in processes:
        try:
            with open(f"/proc/{pid}/statm", "rb") as file:  # noqa: PTH123  (half of the time, as above)
                pages += int(file.read().split()[1])
        except OSError:  # it ended meanwhile
            continue
    return pages * _PAGE


def read_exact_memory(processes: tuple[int, ...]) -> int:
    """Return the memory in bytes of some processes, pages that several share counted once. Costs 1 ms a process."""
    total = 0
    for pid in processes:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        except OSError:  # it ended meanwhile
            continue
        total += sum(
            int(line.split()[1]) for line in text.splitlines() if line.startswith(("Pss_Anon:", "Pss_Shmem:"))
        )
    return total * _KIB


def read_network(keeper: int) -> tuple[int, int, int, int]:
    """Return bytes and errors received, then sent, by the `eth0` of a keeper's network namespace; zeros without one."""
    for line in Path(f"/proc/{keeper}/net/dev").read_text(encoding="ascii").splitlines():
        name, _, counters = line.partition(":")
        if name.strip() == "eth0":
            fields = [int(field) for field in counters.split()]
            return fields[0], fields[2], fields[8], fields[10]
    return 0, 0, 0, 0


def add_up(processes: tuple[int, ...]) -> Usage:
    """Return what some processes use together."""
    memory = resident = ticks = minor = major = 0
    for pid in processes:
        try:
            status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:  # it ended meanwhile
            continue
        for line in status.splitlines():
            if line.startswith(("RssAnon:", "RssShmem:")):
                memory += int(line.split()[1]) * _KIB
        fields = stat.rpartition(")")[2].split()
        minor += int(fields[7])
        major += int(fields[9])
        ticks += sum(int(field) for field in fields[11:15])
        resident += int(fields[21]) * _PAGE
    return Usage(processes, memory, resident, ticks * _TICK_NS, minor, major)
