"""What a run shows while it runs, on standard error: the drill's journal, told to people as it grows."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

import pytest
from rich.text import Text

from drdrill.core.clock import NANOSECONDS
from drdrill.record.following import FollowedJournal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rich.console import Console

_LOOK_EVERY_SECONDS = 0.1
_GOOD, _BAD, _PLAIN = "green", "bold red", ""
_Line = tuple[str, str]


def _started(data: dict[str, Any]) -> _Line:
    return f"drill of {data['scenario']} in {data['environment']}, seed {data['seed']}", "bold"


def _steady(data: dict[str, Any]) -> _Line:
    if data["holds"]:
        return "steady state: users are served, the database is protected", _GOOD
    return f"the steady state does not hold: {data['reason']}", _BAD


def _observed(data: dict[str, Any]) -> _Line:
    if data["effective"]:
        return f"its effect was observed by another: {data['observer']}", _PLAIN
    return "its effect was NOT observed", _BAD


def _recovered(data: dict[str, Any]) -> _Line:
    if data["recovered"]:
        return f"users are served again, {data['outage_seconds']:.2f} s after the fault", _GOOD
    return "users were not seen to be served again", _BAD


def _step(data: dict[str, Any]) -> _Line:
    because = f": {data['reason'].splitlines()[0]}" if data.get("reason") else ""
    return f"  {data['step']}: {data['state']}{because}", "dim" if data["state"] == "done" else _BAD


def _judged(data: dict[str, Any]) -> _Line:
    return f"judged: {data['verdict']}", _GOOD if data["verdict"] == "MET" else _BAD


_LINES: dict[str, Callable[[dict[str, Any]], _Line]] = {
    "drill.started": _started,
    "environment.told": lambda data: (data["line"], "dim"),
    "environment.failed": lambda data: (f"the environment did NOT come up: {data['reason']}", _BAD),
    "environment.started": lambda data: (f"environment up in {data['seconds']:.1f} s", _PLAIN),
    "load.started": lambda data: (f"{len(data['clients'])} clients begin to ask", _PLAIN),
    "steady_state.observed": _steady,
    "fault.injected": lambda data: (
        f"fault: {data['kind'].replace('_', ' ')} of {data['resource']}",
        "yellow",
    ),
    "fault.observed": _observed,
    "fault.failed": lambda data: (f"fault: {data['reason']}", _BAD),
    "fault.heal_failed": lambda data: (f"NOT healed: {data['reason']}", _BAD),
    "outage.observed": lambda data: (
        "users are not served" if data["seen"] else "users were not seen to be hit",
        _PLAIN if data["seen"] else _BAD,
    ),
    "runbook.started": lambda data: (f"operators run {data['runbook']}, gates: {data['gates']}", _PLAIN),
    "step.ended": _step,
    "operators.died": lambda data: (
        f"the operators' machine died with {len(data['done'])} steps done; they resume",
        "yellow",
    ),
    "meanwhile.began": lambda data: (
        f"meanwhile, after {data['after']}: {data['what'].replace('_', ' ')}",
        "yellow",
    ),
    "meanwhile.failed": lambda data: (f"that FAILED: {data['reason']}", _BAD),
    "runbook.finished": lambda data: (
        f"the runbook is {'done' if data['status'] == 0 else 'NOT done'} after {data['seconds']:.1f} s",
        _PLAIN if data["status"] == 0 else _BAD,
    ),
    "failover_command.started": lambda data: (f"operators run: {data['command']}", _PLAIN),
    "failover_command.ended": lambda data: (
        f"that ended with status {data['status']} after {data['seconds']:.1f} s",
        _PLAIN if data["status"] == 0 else _BAD,
    ),
    "store.said": lambda data: (f"{data['resource']} is {data['status']}", _PLAIN),
    "recovery.observed": _recovered,
    "fault.healed": lambda data: (f"healed: {data['resource']}", _PLAIN),
    "store.protected": lambda data: (f"{data['resource']} is protected again", _GOOD),
    "store.unprotected": lambda data: (f"{data['resource']} was not seen protected again", _BAD),
    "load.stopped": lambda _: ("clients have left", _PLAIN),
    "survivors.read": lambda data: (f"survivors read back ({data['number']} of 2)", _PLAIN),
    "survivors.unreadable": lambda data: (f"survivors could not be read ({data['number']} of 2)", _BAD),
    "drill.judged": _judged,
    "drill.interrupted": lambda data: (f"interrupted by {data['signal']}: healing and taking down", _BAD),
    "environment.stopped": lambda data: (
        "the mirror is left standing" if data["standing"] else "environment down, nothing left",
        _PLAIN,
    ),
}
_NEXT = {
    "drill.started": "building the environment",
    "environment.started": "bringing users",
    "load.started": "waiting for the steady state",
    "steady_state.observed": "injecting the fault",
    "fault.injected": "looking for its effect",
    "fault.observed": "waiting until users are served again, stably",
    "recovery.observed": "healing",
    "fault.healed": "waiting until the store is protected",
    "store.protected": "sending users away",
    "load.stopped": "reading the survivors",
    "survivors.read": "measuring",
    "drill.judged": "taking the environment down",
    "drill.interrupted": "healing and taking down",
}


class Progress:
    """A pytest plugin that follows the journal of the drill that runs."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.selected = 0
        self._begun = 0
        self._journal: Path | None = None
        self._stopped = threading.Event()
        self._status = console.status("starting") if console.is_terminal else None

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note how many scenarios are to be run: fewer that were run is no complete result."""
        self.selected = len(session.items)

    @pytest.hookimpl
    def pytest_drill_begun(self, directory: Path, title: str) -> None:
        """Follow this drill from now on."""
        self._begun += 1
        number = f"{self._begun} of {self.selected}: " if self.selected > 1 else ""
        self._console.print(Text(f"{number}{title}", style="bold"), soft_wrap=True)
        self._journal = directory / "journal.jsonl"

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """Show progress while the block runs."""
        thread = threading.Thread(target=self._follow, name="progress", daemon=True)
        with self._status or contextlib.nullcontext():
            thread.start()
            try:
                yield
            finally:
                self._stopped.set()
                thread.join()

    def _follow(self) -> None:
        followed: Path | None = None
        journals: list[FollowedJournal] = []
        begun_ns = 0
        while True:
            last = self._stopped.wait(_LOOK_EVERY_SECONDS)
            if self._journal is not None and self._journal != followed:
                followed, begun_ns = self._journal, 0
                # What operators run in the drill has a journal of its own.
                journals = [
                    FollowedJournal(one) for one in (followed, followed.parent / "failover" / followed.name)
                ]
            for journal in journals:
                for event in journal.read():
                    begun_ns = begun_ns or event["at_ns"]
                    self._show(event, (event["at_ns"] - begun_ns) / NANOSECONDS)
            if last:
                return

    def _show(self, event: dict[str, Any], seconds: float) -> None:
        if self._status is not None and event["kind"] in _NEXT:
            self._status.update(_NEXT[event["kind"]])
        describe = _LINES.get(event["kind"])
        if describe is not None:
            text, style = describe(event["data"])
            self._console.print(
                Text(f"{seconds:7.1f} s  ", style="dim") + Text(text, style=style), soft_wrap=True
            )
