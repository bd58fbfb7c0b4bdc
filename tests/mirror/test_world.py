"""Worlds: they stand side by side, end with their owner, and what a crash left is found and removed."""

from __future__ import annotations

import os
import subprocess
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.core.errors import ControlLostError, EnvironmentFailedError, UsageError
from drdrill.core.process import ProcessId
from drdrill.core.waiting import wait_until
from drdrill.mirror.directory import MirrorDirectory, mirrors_folder
from drdrill.mirror.seed import Seed
from drdrill.mirror.world import World, clear_remains, take_down

if TYPE_CHECKING:
    from collections.abc import Iterator

WITHIN, EVERY = timedelta(seconds=30), timedelta(milliseconds=20)
SETTINGS: dict[str, Any] = {
    "regions": [
        {"name": "eu-west-1", "zones": ["eu-west-1a", "eu-west-1b"]},
        {"name": "eu-central-1", "zones": ["eu-central-1a"]},
    ],
    "elasticache": {"failure_detection_seconds": 2.0, "memory_bytes": 64 << 20},
    "delegated": "moto",
    "kubernetes": {
        "images": "/nowhere/images.yaml",
        "node_disk_bytes": 64 << 20,
        "instance_checks_seconds": 60,
        "launch_retry_seconds": 30,
    },
    "rds": {
        "failure_detection_seconds": 2.0,
        "fencing": True,
        "disk_bytes": 64 << 20,
        "link_delay_seconds": None,
        "inter_region_link": {"delay_seconds": 0.04, "bytes_per_second": None},
        "log_upload_seconds": 5.0,
    },
}


@contextmanager
def _world(root: Path, name: str, *, standing: bool = False) -> Iterator[World]:
    """Start a world without any database, and end it, whatever happens."""
    directory = MirrorDirectory(mirrors_folder(root) / name)
    directory.create()
    world = None
    try:
        world = World.start(directory, SETTINGS)
        if standing:
            world.let_go()
        yield world
    finally:
        if directory.path.exists():
            take_down(directory)
        if world is not None and world._lifeline is not None:
            os.close(world._lifeline)
        if world is not None and world._child is not None:
            world._child.wait(30)


def _processes(world: World) -> list[ProcessId]:
    """Return all processes of a world, as they are seen from outside."""
    found, pending = [], [world.process.pid]
    while pending:
        pid = pending.pop()
        process = ProcessId.read(pid)
        if process is not None:
            found.append(process)
            for task in Path(f"/proc/{pid}/task").iterdir():
                pending += map(int, (task / "children").read_text(encoding="ascii").split())
    return found


def _dead_process() -> ProcessId:
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        process = ProcessId.read(sleeper.pid)
        sleeper.kill()
    assert process is not None
    return process


@pytest.mark.drill
def test_two_worlds_side_by_side(tmp_path: Path) -> None:
    """Two worlds have the same addresses and do not see each other; the end of one is nothing to the other."""
    with ExitStack() as stack:
        one = stack.enter_context(_world(tmp_path, "one"))
        other = stack.enter_context(_world(tmp_path, "other"))
        hosts = [
            {host["name"]: host["address"] for host in w.control.ask("hosts")["hosts"]} for w in (one, other)
        ]
        assert hosts[0] == hosts[1]
        assert [w.control.ask("identity")["instance"] for w in (one, other)] == ["one", "other"]
        (marker := one.directory.logs / "marker").touch()
        entered = subprocess.run(
            [*one.entry("operator"), "hostname"], check=True, capture_output=True, text=True
        )
        assert (entered.stdout.strip(), marker.exists()) == ("operator", True)
        one.stop()
        assert not one.process.lives()
        assert other.control.ask("identity")["instance"] == "other"
        assert clear_remains(tmp_path) == ()  # both are noted as ours, and we live


@pytest.mark.drill
def test_the_lifeline(tmp_path: Path) -> None:
    """When the owner's end of the lifeline closes, every process of the world ends."""
    with _world(tmp_path, "owned") as world:
        processes = _processes(world)
        assert len(processes) > 5
        assert world._lifeline is not None
        os.close(world._lifeline)
        world._lifeline = None
        assert world._child is not None
        world._child.wait(30)
        wait_until(
            lambda: not any(process.lives() for process in processes),
            what="the end",
            within=WITHIN,
            every=EVERY,
        )
        with pytest.raises(ControlLostError):
            world.control.ask("identity")


@pytest.mark.drill
def test_a_world_is_let_go_of(tmp_path: Path) -> None:
    """A world that is let go of is noted as standing by itself, and outlives the lifeline."""
    with _world(tmp_path, "standing", standing=True) as world:
        assert world._lifeline is None
        assert world.directory.read_owner() is None
        assert world.control.ask("identity")["instance"] == "standing"
        assert clear_remains(tmp_path) == ()


@pytest.mark.drill
def test_a_start_that_fails(tmp_path: Path) -> None:
    """A world that cannot be built leaves no process; the error says what it said, and its log has the traceback."""
    directory = MirrorDirectory(mirrors_folder(tmp_path) / "broken")
    directory.create()
    with pytest.raises(EnvironmentFailedError, match="could not be built: KeyError: 'regions'"):
        World.start(directory, {})
    assert not directory.lives()
    assert "Traceback" in (directory.logs / "supervisor.log").read_text(encoding="utf-8")


@pytest.mark.drill
def test_a_living_world_without_its_owner(tmp_path: Path) -> None:
    """A world that outlived a killed owner is ended, and its directory removed."""
    with _world(tmp_path, "orphan", standing=True) as world:
        processes = _processes(world)
        world.directory.write_owner(world=world.process, owner=_dead_process())
        (said,) = clear_remains(tmp_path)
        assert "orphan: the run that owned it was killed" in said
        assert not any(process.lives() for process in processes)
        assert not world.directory.path.exists()


def test_remains_are_named_and_removed(tmp_path: Path) -> None:
    """The directory of a run that was killed is removed, with or without a world; a sentence says why it was there."""
    dead = _dead_process()
    for name, world in (("early", None), ("owned", dead)):
        directory = MirrorDirectory(mirrors_folder(tmp_path) / name)
        directory.create()
        directory._write_owner(world, dead)
    (mirrors_folder(tmp_path) / "bare").mkdir()  # killed before anything was noted
    assert clear_remains(tmp_path) == tuple(
        f"found the remains of mirror {name}: the run that owned it was killed; its directory is removed."
        for name in ("bare", "early", "owned")
    )
    assert list(mirrors_folder(tmp_path).iterdir()) == []
    assert clear_remains(tmp_path) == ()


def test_a_standing_mirror_that_ended_is_left(tmp_path: Path) -> None:
    """Of a mirror that stood by itself the logs say why it ended: nobody removes them unasked."""
    directory = MirrorDirectory(mirrors_folder(tmp_path) / "standing")
    directory.create()
    directory.write_owner(world=_dead_process(), owner=None)
    assert clear_remains(tmp_path) == ()
    assert not directory.lives()
    take_down(directory)
    assert not directory.path.exists()


def test_a_name_that_is_taken(tmp_path: Path) -> None:
    """A second mirror of a name is refused, and the first one's directory is not touched."""
    directory = MirrorDirectory(mirrors_folder(tmp_path) / "demo")
    directory.create()
    with pytest.raises(UsageError, match="there is a mirror demo already"):
        directory.create()
    assert directory.secrets.exists()


def test_the_name_of_a_mirror_that_has_ended(tmp_path: Path) -> None:
    """Who brings a mirror up whose world was killed is told so, with what clears it away; its logs stay until then."""
    directory = MirrorDirectory(mirrors_folder(tmp_path) / "demo")
    directory.create()
    directory.write_owner(world=_dead_process(), owner=None)
    with pytest.raises(UsageError, match=r"the mirror demo has ended.*`drdrill env down --name demo`"):
        directory.create()
    assert directory.logs.exists()


def test_a_mirror_that_is_being_made_is_left_alone(tmp_path: Path) -> None:
    """A mirror whose maker lives, and which has no world yet, is not taken for remains."""
    directory = MirrorDirectory(mirrors_folder(tmp_path) / "demo")
    directory.create()
    assert clear_remains(tmp_path) == ()
    assert directory.path.exists()


def test_a_repeated_process_id_is_another_process() -> None:
    """A process is known by its start, too, so a later one with the same number is not taken for it."""
    mine = ProcessId.read(os.getpid())
    assert mine is not None
    assert mine.lives()
    assert not ProcessId(mine.pid, mine.started_ticks - 1).lives()


def test_attaching_to_nothing(tmp_path: Path) -> None:
    """A mirror that does not run cannot be attached to, and the error says what lists those that do."""
    with pytest.raises(ControlLostError, match=r"the mirror nobody does not run\. `drdrill env status`"):
        World.attach(MirrorDirectory(mirrors_folder(tmp_path) / "nobody"))


@pytest.mark.drill
def test_a_seed_that_is_told_nothing(tmp_path: Path) -> None:
    """A process that was started ahead and is not needed ends, with all of its namespaces, and leaves no file."""
    with Seed() as seed:
        process = ProcessId.read(seed.process.pid)
        assert process is not None
        assert process.lives()
    assert not process.lives()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.drill
def test_a_seed_becomes_a_world(tmp_path: Path) -> None:
    """A process that was started ahead is the world's; leaving the seed's block is nothing to it then."""
    directory = MirrorDirectory(mirrors_folder(tmp_path) / "sown")
    directory.create()
    with Seed() as seed:
        world = World.start(directory, SETTINGS, seed)
    assert world.process.pid == seed.process.pid
    assert world.control.ask("identity")["instance"] == "sown"
    world.stop()
    assert not world.process.lives()
