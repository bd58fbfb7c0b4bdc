"""The host port: what a driver needs of the machine that its server runs on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping, Sequence
    from datetime import timedelta
    from pathlib import Path


class RunningProcess(Protocol):
    """A program that runs on a host, as `subprocess.Popen` is one."""

    def poll(self) -> int | None:
        """Return the exit status, or None while it runs."""
        ...


class Host(Protocol):
    """A machine with an address, a data disk that survives a power cut, and programs on it."""

    @property
    def name(self) -> str:
        """Its name, unique in the mirror."""
        ...

    @property
    def zone(self) -> str:
        """The availability zone it stands in."""
        ...

    @property
    def address(self) -> str:
        """Its IPv4 address."""
        ...

    @property
    def disk(self) -> Path:
        """The mount point of its data disk."""
        ...

    @property
    def powered(self) -> bool:
        """Whether it has power."""
        ...

    def run(
        self, command: Sequence[str], *, within: timedelta, environment: Mapping[str, str] | None = None
    ) -> str:
        """Run a program to its end and return what it wrote; raises `CommandFailedError`."""
        ...

    def spawn(self, command: Sequence[str], *, log: Path, unprivileged: bool = False) -> RunningProcess:
        """Start a program; its output goes to `log`. `unprivileged`: under a uid that is not 0."""
        ...

    def spawn_piped(self, command: Sequence[str], *, log: Path) -> subprocess.Popen[str]:
        """Start a program that is talked to over its standard input and output; its errors go to `log`."""
        ...
