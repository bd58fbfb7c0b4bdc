"""A benchmark of the repository: a script of its own that prints figures; run, read, and merged over repeats.

`benchmarks/NAME.py` prints one JSON document on standard output and progress on standard error. A file whose name
begins with `_` belongs to others and is none.
"""

from __future__ import annotations

import contextlib
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
from collections import deque
from typing import IO, TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_TAIL_LINES = 15
_END_WITHIN_SECONDS = 60.0  # after a signal: a mirror is taken down in 0.3 s, on a loaded machine in 5 s

Number = Annotated[float, Field(allow_inf_nan=False)]
Words = Annotated[str, Field(min_length=1)]


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Reference(_Document):
    """What a figure is compared with, measured in the same run."""

    name: Words
    value: Number
    unit: str


class Figure(_Document):
    """One figure. `value` null: it could not be measured, and `method` says why."""

    name: Words
    value: Number | None
    unit: str
    target: Number | None = None
    better: Literal["lower", "higher"]
    method: Words
    samples: tuple[Number, ...] = ()
    reference: Reference | None = None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without a target. What was not measured meets none."""
        if self.target is None:
            return None
        if self.value is None:
            return False
        return self.value <= self.target if self.better == "lower" else self.value >= self.target


class Benchmark(_Document):
    """What a script printed."""

    name: Words
    figures: Annotated[tuple[Figure, ...], Field(min_length=1)]


class FailedBenchmark(_Document):
    """A script that gave no figures: its exit status (negative: the signal that ended it), why, its last words."""

    name: Words
    status: int
    reason: str
    tail: tuple[str, ...]


def find_benchmarks(folder: Path) -> dict[str, Path]:
    """Return the scripts by name."""
    return {path.stem: path for path in sorted(folder.glob("*.py")) if not path.name.startswith("_")}


def run_benchmark(
    name: str, script: Path, root: Path, *, say: Callable[[str], object]
) -> Benchmark | FailedBenchmark:
    """Run a script to its end; each line of its progress goes to `say`, from another thread.

    It gets a process group and a TMPDIR of its own: whatever happens, both are gone when this returns.
    """
    tail: deque[str] = deque(maxlen=_TAIL_LINES)

    def follow(lines: IO[str]) -> None:
        for line in lines:
            tail.append(line.rstrip())
            say(line.rstrip())

    with (
        tempfile.TemporaryDirectory(prefix="drdrill-bench-", ignore_cleanup_errors=True) as folder,
        tempfile.TemporaryFile() as output,
        subprocess.Popen(
            [sys.executable, str(script)], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.PIPE, cwd=root,
            env={**os.environ, "TMPDIR": folder}, start_new_session=True, text=True, errors="replace",
        ) as process,
    ):  # fmt: skip
        follower = threading.Thread(target=follow, args=(process.stderr,), name=f"bench-{name}", daemon=True)
        follower.start()
        try:
            process.wait()
        finally:
            _end(process)
            follower.join()  # its pipe has no other end any more
        output.seek(0)
        return _read(name, process.returncode, output.read(), tuple(tail))


def _end(process: subprocess.Popen[str]) -> None:
    """Ask a script that still runs to end, as Ctrl-C does, and kill what is left of its process group."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_END_WITHIN_SECONDS)
    with contextlib.suppress(ProcessLookupError):  # nothing is left, as it should be
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _read(name: str, status: int, output: bytes, tail: tuple[str, ...]) -> Benchmark | FailedBenchmark:
    if status != 0:
        return FailedBenchmark(name=name, status=status, reason="it crashed", tail=tail)
    try:
        benchmark = Benchmark.model_validate_json(output)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        reason = f"it printed no document of figures: {f'{where}: ' if where else ''}{first['msg']}"
        return FailedBenchmark(name=name, status=status, reason=reason, tail=tail)
    names = [figure.name for figure in benchmark.figures]
    if len(set(names)) != len(names):
        reason = "it printed two figures of one name"
        return FailedBenchmark(name=name, status=status, reason=reason, tail=tail)
    return Benchmark(name=name, figures=benchmark.figures)


def merge(runs: Sequence[Benchmark]) -> Benchmark:
    """Return one benchmark of several runs of it: medians of values and references, all samples."""
    return Benchmark(
        name=runs[0].name,
        figures=tuple(
            _merge([one for run in runs for one in run.figures if one.name == figure.name])
            for figure in runs[0].figures
        ),
    )


def _merge(figures: Sequence[Figure]) -> Figure:
    last = figures[-1]
    values = [one.value for one in figures if one.value is not None]
    references = [one.reference.value for one in figures if one.reference is not None]
    changes: dict[str, Any] = {
        "value": statistics.median(values) if values else None,
        "samples": tuple(sample for one in figures for sample in one.samples),
    }
    if last.reference is not None:
        changes["reference"] = last.reference.model_copy(update={"value": statistics.median(references)})
    return last.model_copy(update=changes)
