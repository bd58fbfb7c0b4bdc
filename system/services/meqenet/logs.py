"""Structured logs: one JSON object a line on standard output. Whoever logs gives no secret.

By hand: what makes logs colourful for people takes 5 MB of every pod's memory.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime


class Log:
    """Writes lines which all say this of their writer."""

    def __init__(self, **always: str) -> None:
        self._always = always

    def info(self, event: str, **said: object) -> None:
        """Say what happened."""
        self._write("info", event, said)

    def warning(self, event: str, **said: object) -> None:
        """Say what went wrong and is dealt with."""
        self._write("warning", event, said)

    def error(self, event: str, **said: object) -> None:
        """Say what failed."""
        self._write("error", event, said)

    def _write(self, level: str, event: str, said: dict[str, object]) -> None:
        line = {
            **self._always, **said, "event": event, "level": level, "timestamp": datetime.now(UTC).isoformat(),
        }  # fmt: skip
        print(json.dumps(line, default=repr), flush=True)
