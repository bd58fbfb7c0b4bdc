"""A cluster's programs are started in stages, started again when they end, and told about when they do not come up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

import pytest

from drdrill.core.errors import EnvironmentFailedError
from drdrill.dataplane.kubernetes_component import Assembly, Component, Health

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from drdrill.dataplane.host import Host


class _Clock:
    """Time passes only where somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0

    def now_ns(self) -> int:
        return self.now

    def utc(self) -> datetime:
        return datetime.fromtimestamp(self.now / 1e9, UTC)

    def sleep(self, seconds: float) -> None:
        self.now += int(seconds * 1e9)


class _Process:
    def __init__(self) -> None:
        self.status: int | None = None

    def poll(self) -> int | None:
        return self.status


class _Host:
    """A host that notes what is started on it."""

    name = "node-1"

    def __init__(self) -> None:
        self.started: list[str] = []
        self.processes: dict[str, _Process] = {}

    def spawn(self, command: Sequence[str], *, log: Path, unprivileged: bool = False) -> _Process:
        del unprivileged
        with log.open("a", encoding="utf-8") as stream:
            stream.write(f"{command[0]} says hello\n")
        self.started.append(command[0])
        return self.processes.setdefault(f"{command[0]}-{len(self.started)}", _Process())


_TIMES = {"within": timedelta(seconds=10), "every": timedelta(seconds=1)}


def _component(
    host: _Host, name: str, folder: Path, look: Callable[[], bool] = lambda: True, rest: float = 0
) -> Component:
    return Component(
        name, cast("Host", host), [name], log=folder / f"{name}.log", look=look, rest=timedelta(seconds=rest)
    )


def test_each_stage_waits_for_the_one_before(tmp_path: Path) -> None:
    """What serves is ready before what asks is started."""
    host, clock = _Host(), _Clock()
    first = _component(host, "etcd", tmp_path, look=lambda: clock.now >= 3e9)
    second = _component(host, "api", tmp_path, look=lambda: host.started == ["etcd", "api"])
    Assembly("the cluster", (first,), (second,)).bring_up(lambda: None, **_TIMES, clock=clock)
    assert clock.now == 3e9
    assert second.observe() is Health.READY


def test_what_does_not_come_up_in_its_time_is_named_with_the_end_of_its_log(tmp_path: Path) -> None:
    """The error says which program, on which host, and what it said last; not those that are well."""
    host, clock = _Host(), _Clock()
    well, late = _component(host, "well", tmp_path), _component(host, "late", tmp_path, look=lambda: False)
    with pytest.raises(
        EnvironmentFailedError, match=r"(?s)^late of the node was not ready within 10 s.*late says hello"
    ):
        Assembly("the node", (well, late)).bring_up(lambda: None, **_TIMES, clock=clock)


def test_what_ends_by_itself_is_told_at_once(tmp_path: Path) -> None:
    """Nobody waits for a program that is gone; an earlier start's words are not shown as this one's."""
    host, clock = _Host(), _Clock()
    (tmp_path / "kubelet.log").write_text("of yesterday\n", encoding="utf-8")
    component = _component(host, "kubelet", tmp_path, look=lambda: False)
    host.processes["kubelet-1"] = ended = _Process()
    ended.status = 3
    with pytest.raises(
        EnvironmentFailedError, match="kubelet of the node ended with status 3 on node-1"
    ) as raised:
        Assembly("the node", (component,)).bring_up(lambda: None, **_TIMES, clock=clock)
    assert clock.now == 0
    assert "of yesterday" not in str(raised.value)


def test_what_ended_is_started_again_after_its_rest(tmp_path: Path) -> None:
    """As a machine's init does: not at once, and what still runs is left alone."""
    host, clock, prepared = _Host(), _Clock(), list[int]()
    runtime, kubelet = (
        _component(host, "runtime", tmp_path, rest=5),
        _component(host, "kubelet", tmp_path, rest=5),
    )
    node = Assembly("the node", (runtime,), (kubelet,))
    node.bring_up(lambda: None, **_TIMES, clock=clock)
    host.processes["kubelet-2"].status = 9
    for _ in range(7):
        node.restart(lambda: prepared.append(clock.now), clock)
        clock.sleep(1)
    assert host.started == ["runtime", "kubelet", "kubelet"]
    assert kubelet.runs
    assert len(prepared) == 6  # looked after while it rested, and no more once it ran


def test_what_needs_another_is_not_started_before_it_is_ready(tmp_path: Path) -> None:
    """A host that just got its power back starts its programs in their order, too."""
    host, clock = _Host(), _Clock()
    there = False
    server = _component(host, "server", tmp_path, look=lambda: there)
    client = _component(host, "client", tmp_path)
    both = Assembly("the cluster", (server,), (client,))
    both.restart(lambda: None, clock)
    assert host.started == ["server"]
    there = True
    both.restart(lambda: None, clock)
    assert host.started == ["server", "client"]
