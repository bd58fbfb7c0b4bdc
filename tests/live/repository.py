"""A copy of the drill repository in which the command line is used as people use it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drdrill.core.cache import cache_root
from drdrill.core.waiting import wait_until
from drdrill.mirror.directory import MirrorDirectory, list_mirrors
from drdrill.mirror.world import take_down
from drdrill.record.directory import DrillDirectory
from drdrill.record.journal import read_journal
from tests.one_scenario import FIRST, ask_less, leave_one_scenario

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from drdrill.record.journal import Event

SOURCE = Path(__file__).parents[2]
_FOLDERS = ("scenarios", "steps", "chaos", "failover", "environments", "system", "reports/allure")
_FILES = ("conftest.py", "pyproject.toml")
_SHORT = ("stability: 10 s", "stability: 3 s")  # of the plan: a drill takes 15 s less
_WITHIN = timedelta(minutes=3)  # a drill was measured to take 26 s, 40 s on a loaded machine
_GONE_WITHIN = timedelta(seconds=30)  # measured 0.3 s
_ATTEMPTS = 3
_TOO_LITTLE_EVIDENCE = (3, 4)  # INCONCLUSIVE, INVALID
EVERY = timedelta(milliseconds=50)


@dataclass(frozen=True, slots=True)
class Repository:
    """The copy at `path`; `home` and `temporary` are where its programs would leave what belongs nowhere.

    `processes` were started here; `earlier` says how many drills had begun before each, by its id. `variables` are
    added to the environment of all that are started.
    """

    path: Path
    home: Path
    temporary: Path
    processes: list[subprocess.Popen[str]] = field(default_factory=list)
    earlier: dict[int, int] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)

    @classmethod
    def copy(cls, folder: Path, scenario: str = FIRST) -> Repository:
        """Copy everything but the engine into a new folder, with one scenario and a short stability time."""
        made = cls(folder / "copy", folder / "home", folder / "temporary")
        for each in (made.path, made.home, made.temporary):
            each.mkdir(parents=True)
        for name in _FOLDERS:
            shutil.copytree(SOURCE / name, made.path / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in _FILES:
            shutil.copyfile(SOURCE / name, made.path / name)
        leave_one_scenario(made.path, scenario)
        made.alter("scenarios/plan.yaml", *_SHORT)
        ask_less(made.path)
        return made

    def alter(self, file: str, old: str, new: str) -> None:
        """Replace the first place of a text in a file of the copy; the text must be there."""
        path = self.path / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{file} has no {old!r}"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def tolerate_overload(self) -> None:
        """Let users count as served on a machine that has no time for them, for tests that want no figures."""
        self.alter("scenarios/plan.yaml", "success_ratio: 0.99", "success_ratio: 0.2")
        self.alter("scenarios/plan.yaml", "latency_p99: 500 ms", "latency_p99: 20 s")
        self.alter("scenarios/plan.yaml", "minimum_samples: 20", "minimum_samples: 2")

    def start(
        self,
        *arguments: str,
        module: str = "drdrill.cli.main",
        before: Sequence[str] = (),
        stdin: int = subprocess.DEVNULL,
    ) -> subprocess.Popen[str]:
        """Start the command line in the copy; `before` is a command that it is to be run by."""
        environment = {
            **os.environ,
            "HOME": str(self.home),
            "TMPDIR": str(self.temporary),
            "XDG_CACHE_HOME": str(
                cache_root(os.environ).parent
            ),  # an empty one would be filled by every test
            **self.variables,
        }
        process = subprocess.Popen(
            [*before, sys.executable, "-m", module, *arguments],
            cwd=self.path, env=environment, text=True,
            stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.processes.append(process)
        self.earlier[process.pid] = len(self.find_drills())
        return process

    def run(
        self, *arguments: str, said: str | None = None, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run the command line in the copy and return how it ended; `said` is typed into it."""
        if said is None:
            return finish(self.start(*arguments, **options))
        return finish(self.start(*arguments, stdin=subprocess.PIPE, **options), said=said)

    def drill(
        self, *options: str, meanwhile: Callable[[subprocess.Popen[str]], object], before: Sequence[str] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Run the drills of databases; `meanwhile` is called with each process while it runs.

        An overloaded machine gives too little evidence for a verdict: then it is run again, three times in all.
        A miss, or a broken harness, is never run again.
        """
        attempt = 1
        while True:
            process = self.start("run", "database", "--json", *options, before=before)
            meanwhile(process)
            ended = finish(process)
            if ended.returncode not in _TOO_LITTLE_EVIDENCE or attempt == _ATTEMPTS:
                return ended
            print(f"attempt {attempt} of {_ATTEMPTS}: {ended.stdout}{ended.stderr}")  # noqa: T201
            attempt += 1

    def find_drills(self) -> list[DrillDirectory]:
        """Return the directories of all drills that were begun here, in order."""
        return [
            DrillDirectory(path.parent) for path in sorted((self.path / "reports").glob("*/journal.jsonl"))
        ]

    def await_event(self, kind: str, process: subprocess.Popen[str]) -> tuple[Event, ...]:
        """Wait until the journal of this process's drill has an event of this kind, and return all its events."""

        def look() -> tuple[Event, ...]:
            ended = process.poll() is not None
            drills = self.find_drills()[self.earlier[process.pid] :]
            events = read_journal(drills[-1].journal_path) if drills else ()
            found = any(event.kind == kind for event in events)
            assert found or not ended, f"it ended without {kind}: {finish(process)}"
            return events if found else ()

        return wait_until(look, what=kind, within=_WITHIN, every=EVERY)

    def find_processes(self) -> dict[int, str]:
        """Return the processes, in any namespace, that name the copy on their command line or environment."""
        needle = os.fsencode(self.path)
        found = {}
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit() or int(folder.name) == os.getpid():
                continue
            for file in ("cmdline", "environ"):
                try:
                    content = (folder / file).read_bytes()
                except OSError:  # it ended, or is somebody else's
                    continue
                if needle in content:
                    command = (folder / "cmdline").read_bytes() if (folder / "cmdline").exists() else b""
                    found[int(folder.name)] = command.replace(b"\0", b" ").decode(errors="replace")
        return found

    def find_new_files(self) -> set[str]:
        """Return which entries of the copy are not the drill repository's own, but for Python's compiled modules."""
        new = {path.name for path in self.path.iterdir() if not (SOURCE / path.name).exists()}
        new |= {path.name for path in self.path.iterdir() if path.name in ("reports", ".drdrill")}
        for folder in _FOLDERS:
            below = (path.relative_to(self.path) for path in (self.path / folder).rglob("*"))
            new |= {
                str(path)
                for path in below
                if "__pycache__" not in path.parts and not (SOURCE / path).exists()
            }
        return new

    def await_nothing_left(self, *, mirrors: int = 0) -> None:
        """Wait until no process or mount of the copy is left, and only so many directories of mirrors."""
        wait_until(
            lambda: not self.find_processes(), what="no process left", within=_GONE_WITHIN, every=EVERY
        )
        assert str(self.path) not in Path("/proc/self/mountinfo").read_text(encoding="utf-8")
        assert len(list_mirrors(self.path)) == mirrors
        assert list(self.home.iterdir()) == []
        assert list(self.temporary.iterdir()) == []

    def clear(self) -> None:
        """End every process that was started here, and take down every mirror, whatever happened."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.communicate()
        for mirror in list_mirrors(self.path):
            _take_down(mirror)


def _take_down(mirror: MirrorDirectory) -> None:
    owner = mirror.read_owner()
    if owner is not None:
        wait_until(
            lambda: not mirror.lives(), what="the end of an owned world", within=_GONE_WITHIN, every=EVERY
        )
    take_down(mirror)


def finish(
    process: subprocess.Popen[str], *, said: str | None = None, within: timedelta = _WITHIN
) -> subprocess.CompletedProcess[str]:
    """Wait for a process to end, kill it when it does not, and return how it ended; `said` is its input."""
    try:
        output, errors = process.communicate(said, timeout=within.total_seconds())
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)
