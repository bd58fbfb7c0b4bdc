"""A program whose machine dies: `python -m drdrill.drill.mortal FOLDER REPORT DONE SECONDS -- COMMAND...`.

It runs a runbook's executor and reads the journal in the runbook's FOLDER. When so many steps are DONE, and SECONDS
later while a step is under way (`at-once`: right then), it kills the executor and all that came of it, with SIGKILL:
nobody is asked, nothing is saved. What lost its parent comes to this program, so that nothing of it is missed, and
nothing else is hit. REPORT says where that fell; the exit status is then 137, and otherwise the executor's own.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drdrill.core.clock import NANOSECONDS, SystemClock
from drdrill.core.errors import EXIT_USAGE
from drdrill.core.waiting import wait_until
from drdrill.record.directory import write_json
from drdrill.record.journal import read_journal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drdrill.core.clock import Clock
    from drdrill.record.journal import Event

STATUS = 128 + signal.SIGKILL
AT_ONCE = "at-once"
_JOURNAL = "journal.jsonl"
_OWN_ARGUMENTS = 5  # with the dashes before the command
_EVERY = timedelta(milliseconds=50)  # a look at a whole journal takes 5 ms
_AT_MOST = timedelta(days=1)  # whoever runs it ends it before
_GONE_WITHIN = timedelta(seconds=10)
_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of linux/prctl.h
_SHOWN = 5  # words of a command


class Progress:
    """How far a runbook came, by its journal, and whether the moment of a death is there."""

    def __init__(self, journal: Path, done: int, seconds: float | None, clock: Clock) -> None:
        self._journal, self._done, self._seconds, self._clock = journal, done, seconds, clock
        self._size, self._began = -1, False
        self._since_ns: int | None = None
        self._earlier = len(read_journal(journal)) if journal.exists() else 0
        self.done: list[str] = []
        self.under_way: list[str] = []

    def is_due(self) -> bool:
        """Look; true once the moment is there, in a run that has begun."""
        size = self._journal.stat().st_size if self._journal.exists() else 0
        if size != self._size:
            self._size = size
            self._read(read_journal(self._journal) if size else ())
        if not self._began or len(self.done) < self._done:
            return False
        if self._seconds is None:
            return True
        if self._since_ns is None:
            self._since_ns = self._clock.now_ns()
        over = self._clock.now_ns() - self._since_ns >= self._seconds * NANOSECONDS
        return over and bool(self.under_way)

    def _read(self, events: Sequence[Event]) -> None:
        own = events[self._earlier :]
        self._began = any(event.kind == "runbook.begun" for event in own)
        ended = [event for event in events if event.kind == "step.ended" and event.data["state"] == "done"]
        self.done = list(dict.fromkeys(str(event.data["step"]) for event in ended))
        running: dict[str, None] = {}
        for event in own:
            if event.kind == "step.begun":
                running[str(event.data["step"])] = None
            elif event.kind == "step.ended":
                running.pop(str(event.data["step"]), None)
        self.under_way = list(running)


def run_until_death(command: Sequence[str], progress: Progress, clock: Clock) -> tuple[int, int, list[str]]:
    """Run a command until it ends or is to die; return its status, when it died, and the commands that were killed."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:

        def pass_on(number: int, frame: object) -> None:
            del frame
            process.send_signal(number)

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, pass_on)
        wait_until(
            lambda: process.poll() is not None or progress.is_due(),
            what="the end", within=_AT_MOST, every=_EVERY, clock=clock,
        )  # fmt: skip
        if process.poll() is not None:  # also while it was looked whether it is due
            return process.returncode, 0, []
        at_ns = clock.now_ns()
        return STATUS, at_ns, kill_family(clock)


def kill_family(clock: Clock) -> list[str]:
    """Kill all that came of this process, parents first, until nothing is left; return their commands."""
    killed: dict[int, str] = {}

    def is_alone() -> bool:
        for pid in find_family(os.getpid()):
            killed.setdefault(pid, _describe(pid))
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        return not find_family(os.getpid())

    wait_until(is_alone, what="the end of all", within=_GONE_WITHIN, every=_EVERY / 10, clock=clock)
    return [command for command in killed.values() if command]  # what had ended by itself has none


def find_family(pid: int) -> list[int]:
    """Return the ids of all that came of a process and still hang on it, parents first."""
    found = [pid]
    for one in found:
        with contextlib.suppress(OSError):  # it ended meanwhile
            for task in Path(f"/proc/{one}/task").iterdir():
                found += map(int, (task / "children").read_text(encoding="ascii").split())
    return found[1:]


def _describe(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return ""
    return " ".join(Path(word).name if number == 0 else word for number, word in enumerate(words[:_SHOWN]))


def main(arguments: Sequence[str]) -> int:
    """Run it, and die; return the exit status."""
    try:
        folder, report, done, seconds, dashes = arguments[:_OWN_ARGUMENTS]
        after = None if seconds == AT_ONCE else float(seconds)
        progress = Progress(Path(folder) / _JOURNAL, int(done), after, clock := SystemClock())
    except ValueError as error:
        sys.stderr.write(
            f"usage: python -m drdrill.drill.mortal FOLDER REPORT DONE SECONDS -- COMMAND: {error}\n"
        )
        return EXIT_USAGE
    del dashes
    status, at_ns, killed = run_until_death(arguments[_OWN_ARGUMENTS:], progress, clock)
    if killed:
        fell: dict[str, Any] = {
            "at_ns": at_ns, "done": progress.done, "under_way": progress.under_way, "killed": killed,
        }  # fmt: skip
        write_json(Path(report), fell)
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
