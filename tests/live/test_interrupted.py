"""A run that is ended from outside: by Ctrl-C, by SIGTERM, and by SIGKILL, which leaves it no time for anything."""

from __future__ import annotations

import random
import secrets
import signal
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from drdrill.core.clock import NANOSECONDS, SystemClock
from drdrill.core.waiting import wait_until
from drdrill.mirror.directory import list_mirrors
from drdrill.record.journal import read_journal
from tests.live.repository import EVERY, finish
from tests.live.traces import find_descendants, find_listening

if TYPE_CHECKING:
    from tests.live.repository import Repository

pytestmark = pytest.mark.drill
KILLS = 5
OFTEN = 2  # of them each time; all with `--long`
_LATEST_KILL_SECONDS = 14.0  # from load.started: the fault comes after 5 s, recovery after 15 s
_GONE_WITHIN = timedelta(seconds=30)  # measured 0.2 s


@pytest.mark.parametrize("moment", ["environment.starting", "load.started", "fault.injected"])
@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.long)],
)
def test_a_signal_heals_and_takes_down(
    repository: Repository, number: signal.Signals, status: int, moment: str
) -> None:
    """Whenever it comes, the exit status tells the signal, the journal ends in order, and nothing is left."""
    repository.tolerate_overload()
    process = repository.start("run", "database", "--json")
    repository.await_event(moment, process)
    process.send_signal(number)
    ended = finish(process)
    assert ended.returncode == status, ended.stderr
    assert f"interrupted by {number.name}" in ended.stderr
    assert "Traceback" not in ended.stderr
    repository.await_nothing_left()
    (drill,) = repository.find_drills()
    events = read_journal(drill.journal_path)
    (interrupted,) = (event for event in events if event.kind == "drill.interrupted")
    assert interrupted.data["signal"] == number.name
    assert events[-1].kind == "drill.ended"
    kinds = [event.kind for event in events]
    assert kinds.count("fault.healed") == kinds.count("fault.injected")
    measured = repository.run("measure", str(drill.path))
    assert measured.returncode == 0, measured.stderr


@pytest.mark.parametrize(
    "kill", [pytest.param(kill, marks=() if kill < OFTEN else pytest.mark.long) for kill in range(KILLS)]
)
def test_a_killed_run_leaves_nothing_alive(repository: Repository, kill: int) -> None:
    """After SIGKILL at a random moment the kernel ends the whole mirror; the next command clears its directory."""
    seed = secrets.randbits(32)
    after = random.Random(seed).uniform(0, _LATEST_KILL_SECONDS)  # noqa: S311 (a moment, no secret)
    print(f"kill {kill}: seed {seed}, {after:.3f} s after environment.started")  # noqa: T201
    listening = find_listening()
    repository.tolerate_overload()
    process = repository.start("run", "database", "--json")
    repository.await_event("environment.started", process)
    clock = SystemClock()
    due_ns = clock.now_ns() + int(after * NANOSECONDS)
    wait_until(
        lambda: clock.now_ns() >= due_ns or process.poll() is not None,
        what="the moment of the kill", within=timedelta(minutes=1), every=EVERY,
    )  # fmt: skip
    family = find_descendants(process.pid)
    assert len(family) > 10, "the mirror was there"
    process.kill()
    assert finish(process).returncode == -signal.SIGKILL
    wait_until(
        lambda: not any(each.lives() for each in family), what="the end", within=_GONE_WITHIN, every=EVERY
    )
    repository.await_nothing_left(mirrors=1)
    wait_until(
        lambda: find_listening() <= listening, what="all ports closed", within=_GONE_WITHIN, every=EVERY
    )
    (mirror,) = list_mirrors(repository.path)
    assert [path for path in mirror.disks.rglob("*") if path.is_file()] == []
    read_journal(repository.find_drills()[-1].journal_path)
    status = repository.run("env", "status")
    assert status.returncode == 0, status.stderr
    assert f"found the remains of mirror {mirror.name}: the run that owned it was killed" in status.stderr
    assert "no mirror is up" in status.stdout
    repository.await_nothing_left()
