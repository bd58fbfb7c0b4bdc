"""Who becomes the primary when the primary is lost, on nodes that no server stands behind."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from drdrill.aws.elasticache.failover import Failover
from drdrill.core.errors import EnvironmentFailedError
from tests.aws.elasticache.standing import make_record

if TYPE_CHECKING:
    from drdrill.aws.elasticache.group import Group
    from drdrill.aws.elasticache.model import GroupRecord, NodeRecord


@dataclass
class Reading:
    """How far a node is."""

    offset: int


@dataclass
class FakeNode:
    """A node as a failover sees it."""

    cluster: str
    address: str
    reading: Reading | None = None
    answers: bool = True
    synced: bool = True
    lost: bool = False
    upstream: str | None = "primary"
    breaks: bool = False

    def is_lost(self, _detection: timedelta) -> bool:
        """Tell it."""
        return self.lost

    def promote(self) -> None:
        """Take the role, or fail."""
        if self.breaks:
            raise EnvironmentFailedError("it does not answer")
        self.upstream = None

    def follow(self, address: str) -> None:
        """Follow another one."""
        self.upstream = address


@dataclass
class FakeGroup:
    """A group's record and nodes; what is done to it is noted."""

    record: GroupRecord
    nodes: dict[str, FakeNode]
    done: list[str] = field(default_factory=list)
    region: Any = None

    def __post_init__(self) -> None:
        self.region = self

    @property
    def settings(self) -> Any:
        """Return what the region is set to."""
        return self

    failure_detection = timedelta(seconds=2)

    @property
    def primary(self) -> FakeNode | None:
        """Return the node that has the role."""
        return self.nodes.get(self.record.primary)

    def replicas(self) -> list[FakeNode]:
        """Return the others."""
        return [node for name, node in self.nodes.items() if name != self.record.primary]

    def replace(self, node: FakeNode) -> None:
        """Let a node go."""
        self.nodes.pop(node.cluster)
        self.done.append(f"replace {node.cluster}")

    def retire(self, node: FakeNode) -> None:
        """Let a node go."""
        self.nodes.pop(node.cluster)
        self.done.append(f"retire {node.cluster}")

    def start_node(self, record: NodeRecord, *, upstream: str | None) -> None:
        """Make a new one."""
        self.done.append(f"start {record.cluster} from {upstream}")
        self.nodes[record.cluster] = FakeNode(record.cluster, "new", upstream=upstream, synced=False)

    def change(self, change: Any) -> GroupRecord:
        """Change the record."""
        self.record = change(self.record)
        return self.record

    def publish(self) -> None:
        """Move the names."""
        self.done.append(f"publish {self.record.primary}")

    def tell(self, message: str) -> None:
        """Publish an event."""

    def tell_of(self, cluster: str, message: str) -> None:
        """Publish an event."""


def _make(*replicas: FakeNode, failover: bool = True) -> tuple[FakeGroup, Failover]:
    lost = FakeNode("shop-001", "primary", lost=True, answers=False, upstream=None)
    group = FakeGroup(make_record(failover=failover), {one.cluster: one for one in (lost, *replicas)})
    return group, Failover(cast("Group", group))


def test_the_replica_with_the_most_takes_over() -> None:
    """The primary is fenced before the replica that has the most is promoted; the others follow that one."""
    group, failover = _make(FakeNode("shop-002", "2", Reading(10)), FakeNode("shop-003", "3", Reading(20)))
    failover.recover()
    assert group.done == ["replace shop-001", "publish shop-003"]
    assert group.nodes["shop-003"].upstream is None
    assert group.nodes["shop-002"].upstream == "3"


def test_a_replica_without_a_whole_copy_does_not() -> None:
    """A replica that is still copying is no candidate, however far it is."""
    group, failover = _make(
        FakeNode("shop-002", "2", Reading(10)), FakeNode("shop-003", "3", Reading(20), synced=False)
    )
    failover.recover()
    assert group.record.primary == "shop-002"


def test_the_next_one_where_the_first_does_not_answer() -> None:
    """A replica that does not take the role is passed over."""
    group, failover = _make(
        FakeNode("shop-002", "2", Reading(10)), FakeNode("shop-003", "3", Reading(20), breaks=True)
    )
    failover.recover()
    assert group.record.primary == "shop-002"


def test_without_automatic_failover_a_new_node_copies_a_replica() -> None:
    """Without automatic failover the role stays: a new node takes it when it has a whole copy, and not before."""
    group, failover = _make(FakeNode("shop-002", "2", Reading(10)), failover=False)
    failover.recover()
    assert group.done == ["replace shop-001", "start shop-001 from 2"]
    new = cast("Any", group.nodes["shop-001"])
    failover.finish(new)
    assert new.upstream == "2"
    new.synced = True
    failover.finish(new)
    assert new.upstream is None
    assert group.done[-1] == "publish shop-001"
    assert group.nodes["shop-002"].upstream == "new"


def test_who_was_copied_from_is_lost_too() -> None:
    """When the replica is lost from which the new node copies, that is begun anew."""
    group, failover = _make(FakeNode("shop-002", "2", Reading(10)), failover=False)
    failover.recover()
    group.nodes["shop-002"].lost = True
    failover.finish(cast("Any", group.nodes["shop-001"]))
    assert group.done[-1] == "retire shop-001"


def test_a_silent_replica_is_waited_for() -> None:
    """While a replica with a copy is silent, and not lost yet, nobody begins with nothing."""
    group, failover = _make(FakeNode("shop-002", "2", Reading(10), answers=False))
    failover.recover()
    assert group.done == []
    group.nodes["shop-002"].lost = True
    failover.recover()
    assert group.done == ["replace shop-001", "start shop-001 from None"]


def test_a_test_is_forgotten_when_it_begins() -> None:
    """A failover is tested once, also where no replica can take over."""
    group, failover = _make(FakeNode("shop-002", "2", Reading(10), synced=False))
    group.record = replace(group.record, testing=True)
    failover.test()
    assert not group.record.testing
    assert group.done == []
