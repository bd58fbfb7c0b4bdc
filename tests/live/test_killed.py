"""SIGKILL at random moments over the whole course of a drill: of the runner, of the world, and of `env up`.

The moments are drawn over the course of a drill that is measured first, from a seed that is printed; set DRDRILL_SEED
to draw them again.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import signal
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from drdrill.core.clock import NANOSECONDS, SystemClock
from drdrill.core.process import ProcessId
from drdrill.core.waiting import wait_until
from drdrill.mirror.directory import list_mirrors
from drdrill.record.directory import DrillDirectory
from drdrill.record.journal import read_journal
from tests.live.repository import Repository, finish
from tests.live.traces import find_controller, find_descendants, find_listening

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from drdrill.mirror.directory import MirrorDirectory


pytestmark = [pytest.mark.drill, pytest.mark.long]
SEED = int(os.environ.get("DRDRILL_SEED") or secrets.randbits(32))
KILLS = 20
STARTS_KILLED = 10
BEGINNING_SECONDS = 0.5
TAKING_DOWN_KILLS = 3
READINGS = 2  # of the rows that survived
CONTROLLERS = ("supervisor", "init", "holder")
EVERY = timedelta(milliseconds=5)
WITHIN = timedelta(seconds=90)  # the bound for noticing: measured 0.2 to 3 s
_COURSE_WITHIN = timedelta(minutes=5)  # measured 25 to 40 s; its own patience counts on a loaded machine


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment of a drill: so long after an event of its journal, or after its process was started; `number` counts.

    So it means the same on a machine that is slower or quicker than while the course was measured.
    """

    event: str
    number: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.seconds:.3f} s after {self.event}"


@dataclass(frozen=True, slots=True)
class Course:
    """When things happened in one whole drill, in seconds after its process was started."""

    events: tuple[tuple[float, str], ...]
    ended: float

    def find(self, kind: str) -> float:
        """Return when an event happened."""
        return next(seconds for seconds, each in self.events if each == kind)

    def locate(self, seconds: float) -> Moment:
        """Return what a time of this course means in another one."""
        before = [(at, kind) for at, kind in self.events if at <= seconds]
        if not before:
            return Moment("the start", 0, seconds)
        at, kind = before[-1]
        return Moment(kind, len(before), seconds - at)

    def draw_for_runner(self, kill: int) -> Moment:
        """Return the moment of a kill: the first one is at once, the last ones while the mirror is taken down."""
        judged = self.find("drill.judged")
        parts = [
            (0, BEGINNING_SECONDS),
            *spread(BEGINNING_SECONDS, judged, KILLS - 1 - TAKING_DOWN_KILLS),
            *spread(judged, self.ended, TAKING_DOWN_KILLS),
        ]
        return self.locate(_random("runner", kill).uniform(*parts[kill]))

    def draw_for_world(self, kill: int) -> Moment:
        """Return the moment of a kill, from the beginning of the world to its end; the last ones after the verdict."""
        judged = self.find("drill.judged")
        parts = [
            *spread(self.find("environment.starting"), judged, KILLS - TAKING_DOWN_KILLS),
            *spread(judged, self.find("environment.stopped"), TAKING_DOWN_KILLS),
        ]
        return self.locate(_random("world", kill).uniform(*parts[kill]))


def _random(whom: str, kill: int) -> random.Random:
    return random.Random(f"{SEED} {whom} {kill}")  # noqa: S311 (moments, no secrets)


def spread(begin: float, end: float, parts: int) -> list[tuple[float, float]]:
    """Divide a time into equal parts, so that no stretch of it stays without a kill."""
    return list(pairwise(begin + (end - begin) * number / parts for number in range(parts + 1)))


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    """Measure the course of one drill that nobody kills."""
    repository = _copy(tmp_path_factory.mktemp("course"))
    try:
        clock = SystemClock()
        started_ns = clock.now_ns()
        ended = finish(repository.start("run", "database", "--json"))
        assert ended.stdout, ended.stderr
        ended_ns = clock.now_ns()
        (drill,) = repository.find_drills()
        events = read_journal(drill.journal_path)
        yield Course(
            events=tuple(((event.at_ns - started_ns) / NANOSECONDS, event.kind) for event in events),
            ended=(ended_ns - started_ns) / NANOSECONDS,
        )
    finally:
        repository.clear()


@pytest.fixture(scope="module")
def start_seconds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[float]:
    """Measure how long it takes to bring a standing mirror up."""
    repository = _copy(tmp_path_factory.mktemp("start"))
    try:
        clock = SystemClock()
        started_ns = clock.now_ns()
        ended = repository.run("env", "up", "--only", "databases", "--name", "a")
        assert ended.returncode == 0, ended.stderr
        yield (clock.now_ns() - started_ns) / NANOSECONDS
    finally:
        repository.clear()


def _copy(folder: Path) -> Repository:
    repository = Repository.copy(folder)
    repository.tolerate_overload()
    return repository


@pytest.mark.parametrize("kill", range(KILLS))
def test_a_runner_killed_at_any_moment(repository: Repository, course: Course, kill: int) -> None:
    """The kernel ends the mirror; the drill is readable and registered; the next command tells and clears the rest."""
    repository.tolerate_overload()
    moment = course.draw_for_runner(kill)
    listening = find_listening()
    process = repository.start("run", "database", "--json")
    _await_moment(repository, process, moment)
    family = find_descendants(process.pid)
    process.kill()
    ended = finish(process)
    wait_until(lambda: not any(one.lives() for one in family), what="the end", within=WITHIN, every=EVERY)
    mirrors = list_mirrors(repository.path)
    repository.await_nothing_left(mirrors=len(mirrors))
    wait_until(lambda: find_listening() <= listening, what="ports closed", within=WITHIN, every=EVERY)
    assert len(mirrors) <= 1
    assert [path for mirror in mirrors for path in mirror.disks.rglob("*") if path.is_file()] == []
    verdict = _judge_what_is_stored(repository)
    lost = _list_registered(repository, "begun") - _list_registered(repository, "ended")
    status = repository.run("env", "status")
    assert status.returncode == 0, status.stderr
    told = [
        f"found the remains of mirror {mirror.name}: the run that owned it was killed" for mirror in mirrors
    ]
    assert all(one in status.stderr for one in told), status.stderr
    assert all(f"the drill {name} was begun and never ended" in status.stderr for name in lost), status.stderr
    assert _list_registered(repository, "lost") == lost
    assert "no mirror is up" in status.stdout
    repository.await_nothing_left()
    assert repository.find_new_files() <= {"reports", ".drdrill"}
    _say(
        "runner",
        kill,
        moment,
        status=ended.returncode,
        family=len(family),
        mirrors=len(mirrors),
        verdict=verdict,
    )
    assert ended.returncode in (-signal.SIGKILL, 0, 1, 3, 4), (
        ended.stderr
    )  # it may have been quicker this time


@pytest.mark.parametrize("kill", range(KILLS))
def test_a_world_killed_at_any_moment(repository: Repository, course: Course, kill: int) -> None:
    """The runner notices, ends in bounded time with words or an honest verdict, and leaves nothing but its records."""
    repository.tolerate_overload()
    moment, part = course.draw_for_world(kill), CONTROLLERS[kill % len(CONTROLLERS)]
    process = repository.start("run", "database", "--json")
    _await_moment(repository, process, moment)
    victim = _find_victim(repository, process, part)
    if victim is not None:
        os.kill(victim.pid, signal.SIGKILL)
    ended = finish(process, within=WITHIN)
    assert "Traceback" not in ended.stderr
    assert "bug in drdrill" not in ended.stderr
    repository.await_nothing_left()
    (drill,) = repository.find_drills()
    assert read_journal(drill.journal_path)[-1].kind == "drill.ended"
    verdict = _judge_what_is_stored(repository)
    whole = _count(repository, "survivors.read") == READINGS  # nothing was left to look at in the mirror
    _say(part, kill, moment, status=ended.returncode, killed=victim is not None, whole=whole, verdict=verdict)
    if victim is not None and not whole:
        assert ended.returncode in (4, 5), ended.stdout + ended.stderr
        assert verdict in ("INVALID", "INCONCLUSIVE", "MISSED")
        assert "the mirror" in ended.stderr + ended.stdout


@pytest.mark.parametrize("kill", range(STARTS_KILLED))
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_start_ended_at_any_moment(
    repository: Repository, start_seconds: float, kill: int, number: signal.Signals
) -> None:
    """A mirror that is being brought up stands, is listed and can be taken down, or ends with whoever brought it up."""
    part = spread(0, start_seconds, STARTS_KILLED)[kill]
    moment = Moment("the start", 0, _random(number.name, kill).uniform(*part))
    process = repository.start("env", "up", "--only", "databases", "--name", "a")
    _await_moment(repository, process, moment)
    process.send_signal(number)
    ended = finish(process)
    wait_until(
        lambda: not repository.find_processes() or any(one.lives() for one in _find_standing(repository)),
        what="the end, or a mirror that stands", within=WITHIN, every=EVERY,
    )  # fmt: skip
    standing = _find_standing(repository)
    status = repository.run("env", "status")
    assert status.returncode == 0, status.stderr
    if standing:
        assert "a: stands by itself" in status.stdout
        assert repository.run("env", "down", "--name", "a").returncode == 0
    repository.await_nothing_left()
    _say(f"env up by {number.name}", kill, moment, status=ended.returncode, standing=len(standing))


def _find_standing(repository: Repository) -> list[MirrorDirectory]:
    return [
        one
        for one in list_mirrors(repository.path)
        if one.read_world() is not None and one.read_owner() is None
    ]


def _await_moment(repository: Repository, process: subprocess.Popen[str], moment: Moment) -> None:
    """Wait for a moment, or for the event that follows where this run is quicker, or for the end of the process."""

    def is_beyond(number: int) -> bool:
        return process.poll() is not None or _count(repository) > number

    wait_until(lambda: is_beyond(moment.number - 1), what=f"{moment}", within=_COURSE_WITHIN, every=EVERY)
    clock = SystemClock()
    due_ns = clock.now_ns() + int(moment.seconds * NANOSECONDS)
    wait_until(
        lambda: clock.now_ns() >= due_ns or is_beyond(moment.number),
        what=f"{moment}", within=_COURSE_WITHIN, every=EVERY,
    )  # fmt: skip


def _count(repository: Repository, kind: str | None = None) -> int:
    events = [event for drill in repository.find_drills() for event in read_journal(drill.journal_path)]
    return sum(kind in (None, event.kind) for event in events)


def _find_victim(repository: Repository, process: subprocess.Popen[str], part: str) -> ProcessId | None:
    """Return a process on which the drill's world hangs; None when the run was over before."""

    def look() -> ProcessId | bool:
        worlds = [world for one in list_mirrors(repository.path) if (world := one.read_world())]
        found = find_controller(worlds[0], part) if worlds else None
        return found or process.poll() is not None or _count(repository, "environment.stopped") > 0

    found = wait_until(look, what="a world", within=_COURSE_WITHIN, every=EVERY)
    return found if isinstance(found, ProcessId) else None


def _judge_what_is_stored(repository: Repository) -> str:
    """Measure the drill's directory, if there is one, and return its verdict; what nobody measured is never MET."""
    reports = repository.path / "reports"
    drills = [DrillDirectory(path.parent) for path in sorted(reports.glob("*/drill.json"))]
    verdict = "none"
    for drill in drills:
        assert drill.path.name in _list_registered(repository, "begun")
        measured = repository.run("measure", "--json", str(drill.path))
        assert measured.returncode == 0, measured.stderr
        assert "Traceback" not in measured.stderr
        verdict = json.loads(measured.stdout)["drills"][0]["computed"]["verdict"]
        read = [event for event in read_journal(drill.journal_path) if event.kind == "survivors.read"]
        assert verdict != "MET" or len(read) == 2
    return verdict


def _list_registered(repository: Repository, moment: str) -> set[str]:
    register = repository.path / "reports" / "register.jsonl"
    lines = register.read_text(encoding="utf-8").splitlines() if register.exists() else []
    return {entry["directory"] for entry in map(json.loads, lines) if entry["moment"] == moment}


def _say(whom: str, kill: int, moment: Moment, **seen: object) -> None:
    facts = ", ".join(f"{name} {value}" for name, value in seen.items())
    print(f"seed {SEED}, kill {kill} of {whom} {moment}: {facts}")  # noqa: T201
