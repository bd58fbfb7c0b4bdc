"""Mirrors that stand by themselves: two beside each other, a drill in one, a fault by hand, healing."""

from __future__ import annotations

import json
import os
import signal
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.core.waiting import wait_until
from drdrill.mirror.directory import list_mirrors

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

from tests.live.repository import EVERY, Repository
from tests.live.traces import find_controller

pytestmark = pytest.mark.drill
INJECT = "chaos/experiments/database_host_power_loss.inject.yaml"
ASK = "import boto3, json; print(json.dumps(boto3.client('rds').describe_db_instances(), default=str))"
WITHIN = timedelta(seconds=30)


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    """Return a repository in which the mirrors `a` and `b` stand; `b` was made while a drill ran in `a`."""
    repository = Repository.copy(tmp_path_factory.mktemp("live"))
    try:
        _succeed(repository.run("env", "up", "--only", "databases", "--name", "a"))

        def bring_up_another(process: subprocess.Popen[str]) -> None:
            repository.await_event("load.stopped", process)  # users are not disturbed by what it takes
            if len(list_mirrors(repository.path)) == 1:
                _succeed(repository.run("env", "up", "--only", "databases", "--name", "b"))

        _succeed(repository.drill("--mirror", "a", meanwhile=bring_up_another))
        yield repository
    finally:
        repository.clear()


def test_a_drill_leaves_a_standing_mirror_up(standing: Repository) -> None:
    """After a drill in `a` both mirrors are listed with their stores, whole, and belong to nobody."""
    mirrors = _read_status(standing)
    assert list(mirrors) == ["a", "b"]
    for mirror in mirrors.values():
        assert (mirror["owner_pid"], mirror["problem"], mirror["faults"]) == (None, None, [])
        assert [store["status"] for store in mirror["stores"]] == ["available"]
        assert all(host["powered"] for host in mirror["hosts"])


def test_operators_use_their_own_programs(standing: Repository) -> None:
    """A program on the operator's host asks AWS's real names, and the mirror answers."""
    program = ["python", "-c", ASK]
    answer = json.loads(_succeed(standing.run("env", "exec", "--name", "b", "--", *program)))
    (instance,) = answer["DBInstances"]
    assert (instance["DBInstanceIdentifier"], instance["DBInstanceStatus"]) == ("payments", "available")


def test_the_exit_status_of_a_program_is_passed_on(standing: Repository) -> None:
    """`env exec` ends as the program ended that it ran."""
    assert standing.run("env", "exec", "--name", "b", "--", "sh", "-c", "exit 42").returncode == 42


def test_a_name_in_use_is_refused(standing: Repository) -> None:
    """A second mirror of the same name is a mistake of the caller, and the first one is left as it is."""
    ended = standing.run("env", "up", "--only", "databases", "--name", "b")
    assert ended.returncode == 2, ended.stderr
    assert "there is a mirror b already" in ended.stderr
    assert list(_read_status(standing)) == ["a", "b"]


def test_a_fault_by_hand_is_healed(standing: Repository) -> None:
    """Chaos Toolkit's own command breaks one mirror and not the other; `env heal` mends it, and finds no more."""
    heal = ("env", "heal", "--name", "a")
    assert "nothing is broken in the mirror `a`" in standing.run(*heal).stderr
    experiment = str(standing.path / INJECT)
    broken = standing.run(
        "env", "exec", "--name", "a", "--", "chaos", "--no-version-check", "run", experiment
    )
    assert broken.returncode == 0, broken.stderr + broken.stdout
    mirrors = _read_status(standing)
    assert [fault["kind"] for fault in mirrors["a"]["faults"]] == ["host_power_loss"]
    assert [host["powered"] for host in mirrors["a"]["hosts"]].count(False) == 1
    assert mirrors["b"]["faults"] == []
    assert all(host["powered"] for host in mirrors["b"]["hosts"])
    healed = standing.run(*heal)
    assert healed.returncode == 0, healed.stderr
    assert "host_power_loss in payments-database: healed." in healed.stderr
    assert "nothing is broken in the mirror `a`" in standing.run(*heal).stderr

    def all_have_power() -> bool:  # a failover resets the lost primary's machine, healed or not
        return all(host["powered"] for host in _read_status(standing)["a"]["hosts"])

    wait_until(all_have_power, what="power for every host", within=WITHIN, every=EVERY)


def test_down_leaves_nothing_of_a_mirror(repository: Repository, tmp_path: Path) -> None:
    """`env down` ends all of a mirror's processes; a second one says that there is none of this name."""
    assert tmp_path in repository.path.parents
    _succeed(repository.run("env", "up", "--only", "databases", "--name", "a"))
    assert repository.find_processes()
    _succeed(repository.run("env", "down", "--name", "a"))
    repository.await_nothing_left()
    again = repository.run("env", "down", "--name", "a")
    assert again.returncode == 2, again.stderr
    assert "drdrill: there is no mirror `a`" in again.stderr
    assert list_mirrors(repository.path) == ()


def test_a_standing_mirror_that_ended(repository: Repository) -> None:
    """When its supervisor is killed, `env status` says so and how it is cleared away; `env down` does it."""
    _succeed(repository.run("env", "up", "--only", "databases", "--name", "a"))
    (mirror,) = list_mirrors(repository.path)
    world = mirror.read_world()
    assert world is not None
    victim = find_controller(world, "supervisor")
    assert victim is not None
    os.kill(victim.pid, signal.SIGKILL)
    repository.await_nothing_left(mirrors=1)
    for _ in range(2):  # it stays until somebody takes it down
        said = _succeed(repository.run("env", "status"))
        assert "a: stands by itself\n  its world has ended, though nobody took it down." in said
        assert "`drdrill env down --name a` clears it away" in said
    assert _read_status(repository)["a"]["hosts"] == []
    refused = repository.run("env", "exec", "--name", "a", "--", "true")
    assert refused.returncode == 5
    assert "drdrill: the mirror a does not run." in refused.stderr
    _succeed(repository.run("env", "down", "--name", "a"))
    repository.await_nothing_left()


def _read_status(repository: Repository) -> dict[str, Any]:
    mirrors = json.loads(_succeed(repository.run("env", "status", "--json")))["mirrors"]
    return {mirror["name"]: mirror for mirror in mirrors}


def _succeed(ended: subprocess.CompletedProcess[str]) -> str:
    assert ended.returncode == 0, ended.stderr + ended.stdout
    return ended.stdout
