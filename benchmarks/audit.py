"""How long a drill's audit takes, and how much memory: ten million writes of seventeen clients.

The audit reads the ledger and the survivors and compares every row. A whole measurement reads them as
`drdrill measure` does: it also checks hashes, measures the outage, watches for two writers and runs the positive
controls. The drill is made up in a process of its own, and what is wrong in it is known: an audit that does not
find exactly that ends this script with status 1. Every sample is a new process; files are in the page cache.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from _figures import Figure, Reference, median, print_figures, round_all, say
from _long_drill import make_drill
from drdrill.measure import measure
from drdrill.measure.losing_side import find_losing_side
from drdrill.measure.loss import compare
from drdrill.measure.survivors import HEADER, ROW_DTYPE, TRAILER, read_survivors
from drdrill.record.directory import DrillDirectory
from drdrill.record.ledger import ATTEMPTS_DTYPE, OUTCOMES_DTYPE, read_ledger

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROWS = 10_000_000
AUDIT_SECONDS = 2.0
MEASURE_SECONDS = 4.0
FEWEST_ROWS = 200_000  # fewer make too short a drill
PEAK_MB = 500.0
_SURVIVORS = "survivors-1.pgcopy"


def audit(directory: DrillDirectory) -> dict[str, int]:
    """Read ledger and survivors and compare every row."""
    ledgers = read_ledger(directory.ledger)
    survivors = read_survivors(directory.evidence / _SURVIVORS)
    found = compare(ledgers, survivors)
    losing = find_losing_side(ledgers, survivors, found.lost)
    return {
        "lost": len(found.lost),
        "lost_amount": found.lost.amount,
        "recovered_unknown": found.recovered_unknown,
        "duplicated": found.duplicated,
        "phantom": found.phantom,
        "contradicted": found.contradicted,
        "altered": found.altered,
        "reordered": found.reordered,
        "rpa_ns": losing.rpa_ns if losing else 0,
        "holes": losing.holes if losing else 0,
    }


def measure_all(directory: DrillDirectory) -> dict[str, int]:
    """Measure and judge the drill; what it says of the rows must be what the audit says."""
    measured = measure(directory)
    if measured.integrity is None or not all(control.passed for control in measured.controls):
        raise SystemExit(f"The measurement did not work: {[reason.text for reason in measured.reasons]}")
    found, losing = measured.integrity.comparison, measured.integrity.losing_side
    return {
        "lost": len(found.lost),
        "lost_amount": found.lost.amount,
        "rpa_ns": measured.integrity.rpa_ns,
        "holes": losing.holes if losing else 0,
    }


def read_and_sort(directory: DrillDirectory) -> dict[str, int]:
    """Do what any audit that sorts does at the least: read the files, and sort the ids of both sides once."""
    attempted = []
    for path in sorted(directory.ledger.glob("*.attempts")):
        attempted.append(np.fromfile(path, ATTEMPTS_DTYPE)["id"].copy())
        np.fromfile(path.with_suffix(".outcomes"), OUTCOMES_DTYPE)
    path = directory.evidence / _SURVIVORS
    rows = (path.stat().st_size - len(HEADER) - len(TRAILER)) // ROW_DTYPE.itemsize
    survivors = np.fromfile(path, ROW_DTYPE, rows, offset=len(HEADER))
    np.sort(np.concatenate(attempted))
    np.sort(survivors["id"].astype(np.int64))
    return {}


_TASKS = {"audit": audit, "measure": measure_all, "reference": read_and_sort}


def run_here(task: str, path: Path) -> None:
    """Run one task in this process, and print its seconds, its peak of memory and what it found."""
    begun, spent = time.perf_counter(), time.process_time()
    found = _TASKS[task](DrillDirectory(path))
    seconds, processor_seconds = time.perf_counter() - begun, time.process_time() - spent
    # Not `ru_maxrss`: the kernel has it begin with the peak of the process that started this one.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak_kb = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
    took = {"seconds": seconds, "processor_seconds": processor_seconds, "peak_mb": peak_kb / 1024}
    print(json.dumps({**took, "found": found}))


def run_apart(*arguments: str) -> dict[str, Any]:
    """Run this script in a new process and return what it printed."""
    command = [sys.executable, __file__, *arguments]
    ran = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    printed: dict[str, Any] = json.loads(ran.stdout)
    return printed


def require_found(task: str, planted: Mapping[str, int], found: Mapping[str, int]) -> None:
    """End with status 1 where a task did not find exactly what was planted."""
    wrong = [
        f"{name}: planted {planted[name]}, found {count}"
        for name, count in found.items()
        if count != planted[name]
    ]
    if wrong:
        raise SystemExit(f"The {task} is wrong: {'; '.join(wrong)}")


def figures_of(rows: int, samples: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Figure]:
    """Return the figures of all samples."""
    sorting = statistics.median(one["processor_seconds"] for one in samples["reference"])
    ratios = [one["processor_seconds"] / sorting for one in samples["audit"]]
    method = (
        "processor time of the audit, divided by that in which numpy reads the same files and sorts the ids of "
        "both sides once"
    )
    reference = Reference("reading and sorting with numpy", float(f"{sorting:.4g}"), "s")
    ratio = Figure(
        "audit against reading and sorting",
        median(ratios),
        "ratio",
        "lower",
        method,
        round_all(ratios),
        None,
        reference,
    )
    writes = f"{rows} writes of 17 clients, made up"
    read = f"ledger and survivors read, every row compared; {writes}"
    measured = f"all that `drdrill measure` computes, hashes and controls included; {writes}"
    whole = rows == ROWS  # the targets are for so many
    return [
        *_figures_of_task(
            "audit of rows", read, samples["audit"], AUDIT_SECONDS if whole else None, whole=whole
        ),
        ratio,
        *_figures_of_task(
            "whole measurement", measured, samples["measure"], MEASURE_SECONDS if whole else None, whole=whole
        ),
    ]


def _figures_of_task(
    name: str, what: str, samples: Sequence[Mapping[str, Any]], target: float | None, *, whole: bool
) -> Iterator[Figure]:
    for kind, key, unit, method, limit in (
        ("", "seconds", "s", f"wall time without imports, files in the page cache: {what}", target),
        (
            ", processor time",
            "processor_seconds",
            "s",
            "as above, which other load on the machine disturbs less",
            None,
        ),
        (
            ", peak memory",
            "peak_mb",
            "MB",
            "VmHWM of the process, Python included",
            PEAK_MB if whole else None,
        ),
    ):
        values = [one[key] for one in samples]
        yield Figure(f"{name}{kind}", median(values), unit, "lower", method, round_all(values), limit)


def main() -> None:
    """Make a drill up, run each task several times in turn, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS, help="how many writes the clients attempted")
    parser.add_argument("--samples", type=int, default=5, help="how often everything is run")
    parser.add_argument("--child", nargs=2, metavar=("TASK", "DIR"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.rows < FEWEST_ROWS:
        parser.error(f"at least {FEWEST_ROWS} rows are needed")
    if arguments.child:
        task, path = arguments.child[0], Path(arguments.child[1])
        if task == "make":
            print(json.dumps(asdict(make_drill(path, arguments.rows))))
        else:
            run_here(task, path)
        return
    with tempfile.TemporaryDirectory() as folder:
        drill = str(Path(folder) / "drill")
        say(f"making up {arguments.rows} writes")
        planted = run_apart("--child", "make", drill, "--rows", str(arguments.rows))
        samples: dict[str, list[dict[str, Any]]] = {task: [] for task in _TASKS}
        for number in range(1, arguments.samples + 1):
            for task, ran in samples.items():
                ran.append(run_apart("--child", task, drill))
                require_found(task, planted, ran[-1]["found"])
                say(
                    f"{number}/{arguments.samples} {task}: {ran[-1]['seconds']:.2f} s, {ran[-1]['peak_mb']:.0f} MB"
                )
    print_figures("audit", figures_of(arguments.rows, samples))


if __name__ == "__main__":
    main()
