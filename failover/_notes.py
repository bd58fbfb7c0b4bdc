"""What an operator's host remembers from one program to the next: a small file for each thing, and since when."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Note:
    """What was noted, and when: by the wall clock, and by the clock of the machine's boot, which nobody sets."""

    at: datetime
    text: str
    boot: str = ""
    since_boot: float = 0

    @property
    def age(self) -> timedelta:
        """How long ago that was; by the wall clock only where the machine was started anew since."""
        if self.boot and self.boot == _read_boot():
            return timedelta(seconds=_read_boot_clock() - self.since_boot)
        return datetime.now(UTC) - self.at


def _read_boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()


def _read_boot_clock() -> float:
    """Return seconds of a clock that goes on while the machine is suspended."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


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
        note = Note(datetime.now(UTC), text, _read_boot(), _read_boot_clock())
        self._folder.mkdir(parents=True, exist_ok=True)
        content = json.dumps(
            {"at": note.at.isoformat(), "text": text, "boot": note.boot, "since_boot": note.since_boot}
        )
        self.path(name).write_text(f"{content}\n", encoding="utf-8")
        return note

    def remove(self, name: str) -> None:
        """Forget what was noted, where there is such a note."""
        self.path(name).unlink(missing_ok=True)

    def read(self, name: str, *, valid: timedelta) -> Note | None:
        """Return a note that is not older than that; None: there is none. One of another disaster is none."""
        try:
            said = json.loads(self.path(name).read_text(encoding="utf-8"))
            note = Note(
                datetime.fromisoformat(said["at"]),
                said["text"],
                str(said.get("boot", "")),
                float(said.get("since_boot", 0)),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return note if note.age <= valid else None
