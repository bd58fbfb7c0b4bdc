"""The register of runs: `reports/register.jsonl`. Whoever begins a drill is on it before anything breaks.

So a report can list every run that was begun, also those that never finished: failures cannot be thrown away.
One JSON line a moment (`begun`, `ended`, `lost`), appended under a lock.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from typing import TYPE_CHECKING, Any

from drdrill.core.process import ProcessId

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REGISTER_NAME = "register.jsonl"


def append_to_register(reports: Path, moment: str, /, **data: object) -> int:
    """Append a line and return its number, beginning with 1; it is on the disk when this returns."""
    reports.mkdir(parents=True, exist_ok=True)
    with _open(reports, os.O_RDWR | os.O_CREAT | os.O_APPEND) as descriptor:
        return _append(descriptor, moment, data)


def enter_lost(reports: Path) -> tuple[str, ...]:
    """Enter as `lost` every drill whose process is gone and that never ended; return their directories' names.

    Each is returned once: to whoever looks first, and may write there.
    """
    if not os.access(reports / REGISTER_NAME, os.W_OK):
        return ()
    with _open(reports, os.O_RDWR | os.O_APPEND) as descriptor:
        lost = tuple(_find_lost(_read(descriptor)))
        for name in lost:
            _append(descriptor, "lost", {"directory": name})
    return lost


def _find_lost(content: bytes) -> Iterator[str]:
    begun: dict[str, ProcessId] = {}
    for line in content.splitlines():
        try:
            entry: dict[str, Any] = json.loads(line)
        except ValueError:  # a dying process left it half written
            continue
        name, process = str(entry.get("directory")), ProcessId.parse(entry.get("process"))
        if entry.get("moment") != "begun":
            begun.pop(name, None)
        elif process is not None:
            begun[name] = process
    return (name for name, process in begun.items() if not process.lives())


@contextlib.contextmanager
def _open(reports: Path, flags: int) -> Iterator[int]:
    descriptor = os.open(reports / REGISTER_NAME, flags, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _read(descriptor: int) -> bytes:
    with open(descriptor, "rb", closefd=False) as stream:
        stream.seek(0)
        return stream.read()


def _append(descriptor: int, moment: str, data: dict[str, object]) -> int:
    content = _read(descriptor)
    # A line that a dying process left half written ends here, so that the next one is whole.
    separator = b"" if not content or content.endswith(b"\n") else b"\n"
    number = (content + separator).count(b"\n") + 1
    line = json.dumps({"number": number, "moment": moment, **data}, separators=(",", ":"))
    os.write(descriptor, separator + line.encode() + b"\n")
    os.fsync(descriptor)
    return number
