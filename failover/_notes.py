"""What an operator's host remembers from one program to the next: a small file for each thing, and since when."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Note:
    """What was noted, and when."""

    at: datetime
    text: str


def open_notes() -> Notes:
    """Return the notes of whoever runs this."""
    return Notes(Path.home() / ".meqenet" / "failover")


class Notes:
    """Notes by their names, in a folder that may not be there yet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, name: str) -> Path:
        """Return where a note is."""
        return self._folder / f"{name}.json"

    def write(self, name: str, text: str) -> Note:
        """Note something as of now, in the place of what was noted before."""
        note = Note(datetime.now(UTC), text)
        self._folder.mkdir(parents=True, exist_ok=True)
        content = json.dumps({"at": note.at.isoformat(), "text": text})
        self.path(name).write_text(f"{content}\n", encoding="utf-8")
        return note

    def remove(self, name: str) -> None:
        """Forget what was noted, where there is such a note."""
        self.path(name).unlink(missing_ok=True)

    def read(self, name: str, *, valid: timedelta) -> Note | None:
        """Return a note that is not older than that; None: there is none. One of another disaster is none."""
        try:
            said = json.loads(self.path(name).read_text(encoding="utf-8"))
            note = Note(datetime.fromisoformat(said["at"]), said["text"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return note if datetime.now(UTC) - note.at <= valid else None
