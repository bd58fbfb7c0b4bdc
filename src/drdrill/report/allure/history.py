"""The results of earlier runs, for the trends on the page: `reports/allure-history.jsonl`, one JSON line a run.

Only whole lines are appended, so that runs may end at the same time. A run that is rendered again is shown as it
was: after the runs before it, and without itself or later ones.
"""

from __future__ import annotations

import fcntl
import json
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_SHOWN = 50  # earlier runs on a page: weekly drills of a year


def earlier_runs(history: Path, *, ended_ms: int) -> str:
    """Return the lines of the runs that ended before this one, oldest first."""
    runs = [run for run in _read(history) if run["timestamp"] < ended_ms]
    return "".join(f"{json.dumps(run)}\n" for run in sorted(runs, key=_ended)[-_SHOWN:])


def remember(history: Path, written: str) -> None:
    """Append the run that the generator wrote as the last of its lines, unless the history has it."""
    lines = written.splitlines()
    if not lines:
        return
    history.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(history, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if all(run["uuid"] != json.loads(lines[-1])["uuid"] for run in _read(history)):
            content = history.read_bytes()
            # A line that a dying process left half written ends here, so that this one is whole.
            separator = b"\n" if content and not content.endswith(b"\n") else b""
            os.write(descriptor, separator + lines[-1].encode() + b"\n")
    finally:
        os.close(descriptor)


def _read(history: Path) -> list[dict[str, Any]]:
    if not history.exists():
        return []
    runs = []
    for line in history.read_text(encoding="utf-8").splitlines():
        try:
            run = json.loads(line)
        except ValueError:
            continue  # half written by a process that died; the run's own results are still there
        if isinstance(run, dict) and {"uuid", "timestamp"} <= run.keys():
            runs.append(run)
    return runs


def _ended(run: dict[str, Any]) -> int:
    return int(run["timestamp"])
