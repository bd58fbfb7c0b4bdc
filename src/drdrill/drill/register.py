"""The register of runs: `reports/register.jsonl`. Whoever begins a drill is on it before anything breaks.

So a report can list every run that was begun, also those that never finished: failures cannot be thrown away.
One JSON line a moment (`begun`, `ended`), appended under a lock.
"""

from __future__ import annotations

import fcntl
import json
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

REGISTER_NAME = "register.jsonl"


def append_to_register(reports: Path, moment: str, /, **data: object) -> int:
    """Append a line and return its number, beginning with 1; it is on the disk when this returns."""
    reports.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(reports / REGISTER_NAME, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with open(descriptor, "rb", closefd=False) as stream:
            content = stream.read()
        # A line that a dying process left half written ends here, so that the next one is whole.
        separator = b"" if not content or content.endswith(b"\n") else b"\n"
        number = (content + separator).count(b"\n") + 1
        line = json.dumps({"number": number, "moment": moment, **data}, separators=(",", ":"))
        os.write(descriptor, separator + line.encode() + b"\n")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return number
