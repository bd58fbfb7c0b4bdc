"""The identity of a process of this machine: whether who began something still lives."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process that cannot be mistaken for a later one with the same number: its pid and its start time."""

    pid: int
    started_ticks: int

    @classmethod
    def read(cls, pid: int) -> ProcessId | None:
        """Return the identity of a process that lives now (a zombie does not), or None."""
        try:
            with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:  # noqa: PTH123  (half of the time)
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            return None
        return None if fields[0] in (b"Z", b"X") else cls(pid, int(fields[19]))

    @classmethod
    def read_own(cls) -> ProcessId | None:
        """Return the identity of this process; None where there is no `/proc`."""
        return cls.read(os.getpid())

    @classmethod
    def parse(cls, noted: object) -> ProcessId | None:
        """Return the process that `to_json` noted; None for anything else."""
        match noted:
            case [int(pid), int(started_ticks)]:
                return cls(pid, started_ticks)
        return None

    def to_json(self) -> list[int]:
        """Return what `parse` reads."""
        return [self.pid, self.started_ticks]

    def lives(self) -> bool:
        """Say whether exactly this process still runs."""
        return ProcessId.read(self.pid) == self
