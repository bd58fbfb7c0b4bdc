"""What becomes of a read replica whose source is deleted, with servers that do what they are asked for."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from drdrill.aws.rds.model import InstanceRecord, Replication, Status
from drdrill.aws.rds.replica_follower import ReplicaFollower
from drdrill.core.clock import SystemClock
from drdrill.core.errors import EnvironmentFailedError

if TYPE_CHECKING:
    from drdrill.aws.rds.instance import Instance

HOME, AWAY = "eu-west-1", "eu-central-1"
RECORD = InstanceRecord(
    identifier="orders", resource_id="db-1", region=HOME, instance_class="db.r6g.large", allocated_storage=20,
    engine_version="18.1", master_username="somebody", database=None, multi_az=False, publicly_accessible=False,
    deletion_protection=False, endpoint="e", status=Status.DELETING,
)  # fmt: skip


class Server:
    """A replica's server."""

    host = SimpleNamespace(powered=True)

    def __init__(self) -> None:
        self.asked: list[str] = []

    def is_in_recovery(self) -> bool:
        """Tell whether nobody promoted it."""
        return "promote" not in self.asked

    def follow(self, upstream: object) -> None:
        """Follow somebody else, or nobody."""
        self.asked.append("follow" if upstream else "follow nobody")

    def promote(self) -> None:
        """Be a primary."""
        self.asked.append("promote")


class Subject:
    """An instance as its follower sees it."""

    def __init__(self, record: InstanceRecord, server: Server | None) -> None:
        self.record, self.primary = record, server
        self.region = SimpleNamespace(name=record.region, clock=SystemClock(), hears=lambda _: True)
        self.listeners: tuple[object, ...] = ()
        self.said: list[Status] = []
        self.replica: str | None = None
        self.silent = False

    def is_silent(self) -> bool:
        """Tell whether its machine is lost."""
        return self.silent

    def set(self, **changes: Any) -> None:
        """Change the record."""
        self.record = replace(self.record, **changes)
        self.said += [changes["status"]] if "status" in changes else []

    def note_replica(self, arn: str | None, *, was: str | None = None) -> None:
        """Learn who follows."""
        del was
        self.replica = arn

    def stop_watching(self) -> None:
        """Do nothing."""

    def prove(self, server: Server) -> None:
        """Require a primary."""
        assert not server.is_in_recovery()

    def watch(self, _server: Server) -> None:
        """Do nothing."""

    def tell(self, *_: str) -> None:
        """Do nothing."""


def _subjects(status: Status, region: str = HOME) -> tuple[Subject, Subject, ReplicaFollower]:
    """Return a replica in a region and status, its source, which is being deleted, and the follower."""
    source = Subject(RECORD, None)
    record = replace(
        RECORD, identifier="reader", region=region, status=status, source_arn=RECORD.arn,
        replication=Replication.REPLICATING if status is Status.AVAILABLE else None,
    )  # fmt: skip
    replica = Subject(record, Server())
    return replica, source, ReplicaFollower(cast("Instance", replica), cast("Instance", source))


@pytest.mark.parametrize(
    ("status", "said"),
    [(Status.AVAILABLE, [Status.MODIFYING, Status.AVAILABLE]), (Status.CREATING, [])],
)
def test_a_source_in_the_region_is_deleted(status: Status, said: list[Status]) -> None:
    """The replica is promoted; one that is being made stays `creating` until its maker says that it is available."""
    replica, source, follower = _subjects(status)
    follower.await_streaming() if status is Status.CREATING else follower.keep()
    assert replica.primary is not None
    assert replica.primary.asked == ["follow nobody", "promote"]
    assert replica.said == said
    assert (replica.record.source_arn, replica.record.replication) == (None, None)
    assert source.replica is None


def test_a_source_of_which_nothing_is_heard() -> None:
    """That it is being deleted is not known in a region that does not hear of it: the replica goes on as one."""
    replica, source, follower = _subjects(Status.AVAILABLE, "eu-central-1")
    replica.region.hears = lambda region: region != HOME
    follower.keep()
    assert replica.primary is not None
    assert replica.primary.asked == []
    assert replica.record.source_arn == RECORD.arn
    replica.region.hears = lambda _: True
    follower.keep()
    assert replica.primary.asked == ["follow nobody"]
    assert replica.record.replication is Replication.TERMINATED
    assert source.replica is None


def test_the_machine_of_a_new_replica_is_lost() -> None:
    """A stream that cannot come is not waited for: another machine takes its place at once."""
    replica, source, follower = _subjects(Status.CREATING)
    source.record, replica.silent = replace(RECORD, status=Status.AVAILABLE), True
    with pytest.raises(EnvironmentFailedError, match="was lost before it streamed"):
        follower.await_streaming()


@pytest.mark.parametrize("status", [Status.AVAILABLE, Status.CREATING])
def test_a_source_in_another_region_is_deleted(status: Status) -> None:
    """The replica stays a replica of nobody; one that is being made does not wait for a stream that never comes."""
    replica, source, follower = _subjects(status, AWAY)
    follower.await_streaming() if status is Status.CREATING else follower.keep()
    assert replica.primary is not None
    assert replica.primary.asked == ["follow nobody"]
    assert replica.record.replication is Replication.TERMINATED
    assert source.replica is None
