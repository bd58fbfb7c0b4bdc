"""A machine made of a folder of pretended programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.mirror.prerequisites import Machine

if TYPE_CHECKING:
    from pathlib import Path

PROGRAMS = {
    "unshare": "unshare from util-linux 2.39",
    "nsenter": "nsenter from util-linux 2.39",
    "mount": "mount from util-linux 2.39 (libmount)",
    "ip": "ip utility, iproute2-6.1.0",
    "postgres": "postgres (PostgreSQL) 18.6",
}


def write_program(folder: Path, name: str, says: str, *, status: int = 0) -> Path:
    """Write a program that says one thing whatever it is asked, and ends with this status."""
    program = folder / name
    program.write_text(f"#!/bin/sh\necho '{says}'\nexit {status}\n", encoding="utf-8")
    program.chmod(0o755)
    return program


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """Return the folder of the machine's programs: all that the mirror needs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, says in PROGRAMS.items():
        write_program(folder, name, says)
    return folder


@pytest.fixture
def machine(tmp_path: Path, programs: Path) -> Machine:
    """Return a machine that has everything, with nothing else on its path."""
    (tmp_path / "proc/sys/kernel").mkdir(parents=True)
    (tmp_path / "proc/sys/kernel/osrelease").write_text("6.1.0\n", encoding="ascii")
    (tmp_path / "proc/meminfo").write_text(
        "MemTotal: 8388608 kB\nMemAvailable: 4194304 kB\n", encoding="ascii"
    )
    (tmp_path / "shm").mkdir()
    return Machine(
        path=str(programs),
        proc=tmp_path / "proc",
        shared_memory=tmp_path / "shm",
        postgres=programs / "postgres",
        system="Linux",
        python=(3, 12, 1),
    )
