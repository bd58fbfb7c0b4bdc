"""When a node is lost: silent for the configured time, longer before its first answer, at once without power."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, cast

import pytest

from drdrill.aws.elasticache.model import Pending, Status
from drdrill.aws.elasticache.node import Node
from drdrill.aws.elasticache.reconciler import apply_pending
from drdrill.core.errors import EnvironmentFailedError
from drdrill.core.waiting import wait_until
from drdrill.dataplane.valkey_replication import ValkeyReading
from tests.aws.elasticache.standing import Clock, make_record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drdrill.dataplane.valkey import ValkeyServer

DETECTION = timedelta(seconds=2)
FOLLOWS = ValkeyReading(False, 10, "primary", True, (), 1, 1)


@dataclass
class Host:
    """A machine's power."""

    name: str = "sessions-002"
    powered: bool = True


@dataclass
class Server:
    """A server that says what it is told to say, or nothing."""

    host: Host = field(default_factory=Host)
    says: ValkeyReading | None = None

    def read(self) -> ValkeyReading:
        """Say it."""
        if self.says is None:
            raise EnvironmentFailedError("silence")
        return self.says


@dataclass
class Subject:
    """A node with its server and its clock."""

    clock: Clock
    server: Server
    node: Node


@pytest.fixture
def subject() -> Iterator[Subject]:
    """Return a replica that has not answered yet."""
    clock, server = Clock(), Server()
    node = Node("sessions-002", cast("ValkeyServer", server), clock, upstream="primary")
    yield Subject(clock, server, node)
    node.stop()


def test_a_new_node_has_more_time(subject: Subject) -> None:
    """A node that is starting is not lost when it is silent for as long as a lost one."""
    subject.clock.sleep(10)
    assert not subject.node.is_lost(DETECTION)
    subject.clock.sleep(21)
    assert subject.node.is_lost(DETECTION)


def test_without_power(subject: Subject) -> None:
    """Without power it is lost after the configured time, and at once where that is zero."""
    assert not subject.node.is_lost(timedelta(0))
    subject.server.host.powered = False
    assert subject.node.is_lost(timedelta(0))
    assert not subject.node.is_lost(DETECTION)
    subject.clock.sleep(2.1)
    assert subject.node.is_lost(DETECTION)


def test_a_whole_copy_is_remembered(subject: Subject) -> None:
    """A replica whose link goes down does not serve, but has had a whole copy; one that never followed has not."""
    node, server = subject.node, subject.server
    assert not node.synced
    server.says = FOLLOWS
    wait_until(
        lambda: node.serves, what="an answer", within=timedelta(seconds=10), every=timedelta(milliseconds=5)
    )
    server.says = replace(FOLLOWS, link_up=False)
    wait_until(
        lambda: not node.serves, what="its end", within=timedelta(seconds=10), every=timedelta(milliseconds=5)
    )
    assert node.synced
    assert node.answers


def test_what_was_pending_is_so() -> None:
    """What waited for the maintenance window is applied as a whole, and nothing else changes."""
    record = replace(
        make_record(), pending=Pending(node_type="cache.r7g.large", automatic_failover=False, multi_az=False)
    )
    applied = apply_pending(record)
    assert (applied.node_type, applied.automatic_failover, applied.multi_az) == (
        "cache.r7g.large",
        False,
        False,
    )
    assert applied.pending == Pending()
    assert applied.status is Status.AVAILABLE
    assert apply_pending(make_record()) == make_record()
