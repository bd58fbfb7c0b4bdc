"""What programs leave on a machine while they run, and afterwards: processes, ports, worlds."""

from __future__ import annotations

from pathlib import Path

from drdrill.core.process import ProcessId

_LISTEN = "0A"


def find_children(pid: int) -> list[int]:
    """Return the children of a process, as they are numbered outside of every world."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:  # it ended while we looked
        return []


def find_descendants(pid: int) -> list[ProcessId]:
    """Return all processes that a process started, directly and indirectly, in whatever namespaces they are."""
    found, pending = [], [pid]
    while pending:
        children = find_children(pending.pop())
        pending += children
        found += [identity for child in children if (identity := ProcessId.read(child))]
    return found


def find_listening() -> set[str]:
    """Return the addresses at which something listens on this machine, outside every mirror."""
    lines = [
        line.split()
        for name in ("tcp", "tcp6")
        if (table := Path("/proc/net") / name).exists()
        for line in table.read_text(encoding="ascii").splitlines()[1:]
    ]
    return {fields[1] for fields in lines if fields[3] == _LISTEN}


def find_controller(world: ProcessId, part: str) -> ProcessId | None:
    """Return one of the processes on which a world hangs, or the one above it that is there; None: the world is gone.

    `part`: `holder` (`unshare`, outside), `init` (the world's first process) or `supervisor` (its child).
    """
    chain = [world.pid, *find_children(world.pid)[:1]]
    chain += [child for init in chain[1:] for child in find_children(init) if _is_supervisor(child)]
    wanted = ("holder", "init", "supervisor").index(part)
    return ProcessId.read(chain[min(wanted, len(chain) - 1)]) if world.lives() else None


def _is_supervisor(pid: int) -> bool:
    try:
        return b"drdrill.mirror.world_init" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
