"""How long a restore to a point in time takes in a mirror, beside a copy of the files that it is made of.

A single-AZ instance whose whole content is in the archived log after an almost empty base backup: the log has to be
replayed, which is the slow part of a restore. In turns with it, base backup and log are copied into memory.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from _figures import Figure, Reference, median, print_figures, round_all, say
from drdrill.mirror.embedded import Embedded
from drdrill.plan import load_plan

_ENVIRONMENT = Path("environments/embedded")
_DISK = "disk: 512 MiB"
_ROOM = 5  # times the data: the table, the log that a server keeps, and what a replay needs at its peak
_LARGE_MACHINE = 16 << 30  # bytes of memory: 1 GB of data takes 10 of them at its peak
_WITHIN = timedelta(minutes=15)  # measured 60 s for 300 MB, 120 s for 1 GB on a machine that did much else
_RESTORER = Path(__file__).with_name("_restorer.py")
_MEMORY = Path("/dev/shm")  # noqa: S108  (where hosts of the mirror have their disks, too: in memory)


def main() -> None:
    """Restore and copy, in turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--megabytes", type=int, default=_choose_size(), help="of data; hosts get five times as much disk"
    )
    arguments = parser.parse_args()
    restores: list[float] = []
    copies: list[float] = []
    with tempfile.TemporaryDirectory(prefix="drdrill-restore-") as name:
        root = Path(name) / "repository"
        _make_repository(root, arguments.megabytes)
        with Embedded(root, load_plan(root / "scenarios" / "plan.yaml")) as mirror:
            filled = _operate(mirror, "fill", "bench", "--megabytes", str(arguments.megabytes))
            base, log = _find_sources(mirror.world.directory.path)
            files = [path for path in log.iterdir() if not path.name.startswith(".")]  # whole segments
            size = sum(path.stat().st_size for path in (*base.rglob("*"), *files) if path.is_file())
            say(f"{filled['bytes'] / 1e6:.0f} MB of data; base backup and log: {size / 1e6:.0f} MB")
            for number in range(1, arguments.rounds + 1):
                copies.append(_copy(base, files))
                restored = _operate(mirror, "restore", "bench")
                if restored["rows"] != filled["rows"]:
                    raise RuntimeError(f"{restored['rows']} rows were restored of {filled['rows']}.")
                restores.append(restored["seconds"])
                say(
                    f"round {number} of {arguments.rounds}: copy {copies[-1]:.2f} s; restore {restores[-1]:.2f} s"
                )
    print_figures("restore", _figures(restores, copies, filled["bytes"], size))


def _choose_size() -> int:
    """Return how many megabytes of data this machine has room for."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return 1000 if memory >= _LARGE_MACHINE else 300


def _figures(restores: list[float], copies: list[float], data: int, size: int) -> list[Figure]:
    ratios = [ours / theirs for ours, theirs in zip(restores, copies, strict=True)]
    reference = Reference("copy of base backup and log", median(copies), "s")
    method = (
        f"{data / 1e6:.0f} MB of data, all of it in the log: from calling RestoreDBInstanceToPointInTime until the "
        f"SDK's waiter, every 50 ms, says available (single-AZ; the backup verified, the log replayed, a write "
        f"accepted), its rows counted afterwards; ÷ `cp --archive` of base backup and archived log ({size / 1e6:.0f} "
        "MB) into memory; in turns, median of the pairs."
    )
    return [
        Figure(
            name="restore to a point in time ÷ file copy",
            value=median(ratios), unit="ratio", better="lower", method=method, samples=round_all(ratios),
            reference=reference,
        ),
        Figure(
            name="restore to a point in time",
            value=median(restores), unit="s", better="lower", method=method, samples=round_all(restores),
            reference=reference,
        ),
    ]  # fmt: skip


def _make_repository(root: Path, megabytes: int) -> None:
    """Copy what a mirror needs, with larger disks."""
    shutil.copytree(_ENVIRONMENT, root / _ENVIRONMENT)
    for folder in ("scenarios", "failover"):
        shutil.copytree(folder, root / folder)
    configuration = root / _ENVIRONMENT / "environment.yaml"
    text = configuration.read_text(encoding="utf-8")
    if _DISK not in text:
        raise RuntimeError(f"{_ENVIRONMENT / 'environment.yaml'} has no `{_DISK}` any more.")
    configuration.write_text(
        text.replace(_DISK, f"disk: {max(512, _ROOM * megabytes)} MiB"), encoding="utf-8"
    )


def _operate(mirror: Embedded, *arguments: str) -> dict[str, Any]:
    # `-P`: beside this script lies one that is named as the company's package.
    said = mirror.run_for_operator([sys.executable, "-P", str(_RESTORER), *arguments], within=_WITHIN)
    answer: dict[str, Any] = json.loads(said)
    return answer


def _find_sources(mirror: Path) -> tuple[Path, Path]:
    """Return a base backup below a mirror, which are of empty databases, and the largest archived log."""
    logs = {path for path in mirror.glob("**/log-*") if path.is_dir()}
    bases = [path.parent for path in mirror.glob("**/backup_manifest")]
    log = max(logs, key=lambda one: sum(path.stat().st_size for path in one.iterdir() if path.is_file()))
    return bases[0], log


def _copy(base: Path, files: list[Path]) -> float:
    """Return the seconds that copying a base backup and the files of a log into memory takes."""
    with tempfile.TemporaryDirectory(prefix="drdrill-copy-", dir=_MEMORY) as name:
        began = time.perf_counter()
        subprocess.run(["cp", "--archive", "--", str(base), *map(str, files), name], check=True)
        return time.perf_counter() - began


if __name__ == "__main__":
    main()
