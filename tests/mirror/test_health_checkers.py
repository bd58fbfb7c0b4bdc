"""Health checkers that end: somebody else looks in their place at all that they watched."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, cast

import pytest

from drdrill.core.waiting import wait_until
from drdrill.dataplane.health_probe import Probe
from drdrill.mirror.health_checkers import InternetCheckers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from drdrill.aws.ports import Checker

_REGION, _OTHER = "eu-west-1", "us-east-1"


class _Process:
    """A checker's process: it notes what it is told, and says what a test has it say."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self._says: SimpleQueue[str | None] = SimpleQueue()
        self._ended = False
        self.stdin = self

    @property
    def stdout(self) -> Iterator[str]:
        return iter(self._says.get, None)

    def write(self, line: str) -> None:
        self.told.append(json.loads(line))

    def flush(self) -> None: ...

    def poll(self) -> int | None:
        return 1 if self._ended else None

    def say(self, identifier: str, *, healthy: bool) -> None:
        at = "2026-11-29T00:00:00+00:00"
        said = {"id": identifier, "good": healthy, "healthy": healthy, "status": "", "at": at}
        self._says.put(json.dumps(said))

    def end(self) -> None:
        self._ended = True
        self._says.put(None)

    @property
    def watched(self) -> dict[str, bool]:
        """Return what it was told to watch, and what to hold of it."""
        watches = [one for one in self.told if "watch" in one]
        return {one["watch"]["identifier"]: one.get("healthy", True) for one in watches}


@dataclass
class _Host:
    name: str
    address: str
    powered: bool = True
    processes: list[_Process] = field(default_factory=list)

    def spawn_piped(self, _command: Sequence[str], *, log: Path) -> _Process:
        assert log
        self.processes.append(_Process())
        return self.processes[-1]


@dataclass
class _Network:
    there: list[_Host] = field(default_factory=list)
    released: list[str] = field(default_factory=list)

    def create_host(self, name: str, _zone: str, *, disk_bytes: int) -> _Host:
        assert disk_bytes
        number = len(self.there)
        self.there.append(_Host(f"{name}.{number}", f"198.18.0.{number}"))
        return self.there[-1]

    def release(self, host: _Host) -> None:
        self.released.append(host.name)


class _World:
    """Checkers over a network that makes hosts, and what they say of themselves."""

    def __init__(self, logs: Path) -> None:
        self.network = _Network()
        self.checkers = InternetCheckers(cast("Any", self.network), logs)
        self.lost: list[str] = []
        self.back: list[tuple[str, list[str]]] = []
        self.seen: list[str] = []
        self.checkers.on_loss = self.lost.append
        self.checkers.on_return = self._note_return
        self.checkers.on_look = lambda name, _identifier, _seen: self.seen.append(name)

    def _note_return(self, checker: Checker, identifiers: Sequence[str]) -> None:
        self.back.append((checker.name, list(identifiers)))

    def watch(self, identifier: str, *regions: str) -> tuple[Checker, ...]:
        """Have a check watched."""
        return self.checkers.watch(Probe(identifier, "TCP", "192.0.2.1", 80), regions or (_REGION, _OTHER))

    @property
    def host(self) -> _Host:
        """The first checker's host."""
        return self.network.there[0]


@pytest.fixture
def world(tmp_path: Path) -> _World:
    """Return two checkers that watch two checks, of which the first one holds `a` to be ill."""
    made = _World(tmp_path)
    made.watch("a")
    made.watch("b")
    made.host.processes[0].say("a", healthy=False)
    _await(lambda: made.seen)
    return made


def _await(seen: Callable[[], object]) -> None:
    wait_until(seen, what="it", within=timedelta(seconds=10), every=timedelta(milliseconds=5))


def test_an_ended_process_is_replaced(world: _World) -> None:
    """A checker whose process ends is started again on its host with all checks, and holds of them what it held."""
    world.host.processes[0].end()
    _await(
        lambda: len(world.host.processes) == 2 and world.host.processes[1].watched == {"a": False, "b": True}
    )
    assert (world.lost, world.back) == ([world.host.name], [(world.host.name, ["a", "b"])])
    assert len(world.network.there) == 2


def test_one_that_never_spoke(world: _World) -> None:
    """A checker that ends before it ever looked is not started again and again, but with the next check."""
    other = world.network.there[1]
    other.processes[0].end()
    _await(lambda: world.lost)
    assert len(other.processes) == 1
    assert [one.name for one in world.watch("c", _OTHER)] == [other.name]
    assert other.processes[1].watched == {"a": True, "b": True, "c": True}
    assert world.back == [(other.name, ["a", "b"])]
    assert "c" not in world.host.processes[0].watched


def test_a_host_without_power(world: _World) -> None:
    """A host without power is left to whoever took it: with the next check another one looks, at all of them."""
    world.host.powered = False
    world.host.processes[0].end()
    _await(lambda: world.lost)
    assert [one.name for one in world.watch("c", _REGION)] == ["health-checker-eu-west-1.2"]
    new = world.network.there[2]
    assert new.processes[0].watched == {"a": False, "b": True, "c": True}
    assert world.network.released == []
    world.host.powered = True
    world.watch("c", _REGION)
    assert world.network.released == [world.host.name]


def test_what_is_forgotten_is_not_taken_over(world: _World) -> None:
    """What nobody watches any more is not watched by the next one."""
    world.checkers.forget("a")
    world.host.processes[0].end()
    _await(lambda: len(world.host.processes) == 2 and world.host.processes[1].watched)
    assert world.host.processes[1].watched == {"b": True}
