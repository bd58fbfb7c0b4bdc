"""SIGKILL of a mirror's supervisor while it promotes a replica: said, refused, cleared away, brought up anew."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING

import pytest

from drdrill.core.waiting import wait_until
from drdrill.mirror.directory import list_mirrors
from tests.live.repository import finish
from tests.live.test_killed import EVERY, WITHIN
from tests.live.traces import find_controller

if TYPE_CHECKING:
    import subprocess

    from tests.live.repository import Repository

pytestmark = [pytest.mark.drill, pytest.mark.long]
MAKE = """
import boto3
rds = boto3.client("rds")
rds.create_db_instance_read_replica(DBInstanceIdentifier="reader", SourceDBInstanceIdentifier="payments")
rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier="reader", WaiterConfig={"Delay": 1})
"""
PROMOTE = """
import boto3, time
rds = boto3.client("rds")
print(rds.promote_read_replica(DBInstanceIdentifier="reader")["DBInstance"]["DBInstanceStatus"], flush=True)
while True:
    rds.describe_db_instances()
"""


@pytest.mark.parametrize("part", ["supervisor", "init"])
def test_a_supervisor_killed_in_a_promotion(repository: Repository, part: str) -> None:
    """The next `env up` refuses and says why and what to do; after `env down` the same name comes up whole again."""
    _succeed(repository.run("env", "up", "--only", "databases", "--name", "a"))
    _succeed(repository.run("env", "exec", "--name", "a", "--", "python", "-c", MAKE))
    promotion = repository.start("env", "exec", "--name", "a", "--", "python", "-c", PROMOTE)
    assert promotion.stdout is not None
    assert promotion.stdout.readline().strip() == "modifying"
    (mirror,) = list_mirrors(repository.path)
    world = mirror.read_world()
    assert world is not None
    victim = find_controller(world, part)
    assert victim is not None
    os.kill(victim.pid, signal.SIGKILL)
    wait_until(lambda: not mirror.lives(), what="the end of the world", within=WITHIN, every=EVERY)
    assert finish(promotion).returncode != 0

    (described,) = json.loads(_succeed(repository.run("env", "status", "--json")).stdout)["mirrors"]
    assert "its world has ended, though nobody took it down" in described["problem"]
    refused = repository.run("env", "up", "--only", "databases", "--name", "a")
    assert refused.returncode == 2, refused.stderr
    assert "the mirror a has ended" in refused.stderr
    assert "`drdrill env down --name a` clears it away" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not mirror.lives()

    _succeed(repository.run("env", "down", "--name", "a"))
    repository.await_nothing_left()
    _succeed(repository.run("env", "up", "--only", "databases", "--name", "a"))
    (described,) = json.loads(_succeed(repository.run("env", "status", "--json")).stdout)["mirrors"]
    assert described["problem"] is None
    assert [store["status"] for store in described["stores"]] == ["available"]
    _succeed(repository.run("env", "down", "--name", "a"))
    repository.await_nothing_left()


def _succeed(ended: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    assert ended.returncode == 0, ended.stderr
    return ended
