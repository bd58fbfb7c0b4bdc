"""What a group makes of a hand-over whose answer came too late, on servers that say what a test has them say."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from drdrill.aws.elasticache.model import Status
from drdrill.aws.elasticache.node import Node
from drdrill.aws.elasticache.reconciler import Reconciler
from drdrill.core.errors import EnvironmentFailedError
from drdrill.core.waiting import wait_until
from drdrill.dataplane.valkey_replication import ValkeyReading
from tests.aws.elasticache.standing import Region, make_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_PRIMARY = ValkeyReading(True, 10, None, False, (), 1, 1)


@dataclass
class Host:
    """A machine."""

    address: str
    powered: bool = True

    @property
    def name(self) -> str:
        """Return its name."""
        return self.address


@dataclass
class Server:
    """A server; it hands over and does not say so."""

    host: Host
    says: ValkeyReading
    parameters: Mapping[str, str] = field(default_factory=dict)

    def read(self) -> ValkeyReading:
        """Say what it is."""
        return self.says

    def accept_write(self) -> None:
        """Accept one as a primary."""
        if not self.says.primary:
            raise EnvironmentFailedError("READONLY")

    def use_parameters(self, parameters: Mapping[str, str]) -> None:
        """Take them."""
        self.parameters = parameters

    def follow(self, address: str) -> None:
        """Be a replica."""
        self.says = _follow(address)

    def hand_over(self, successor: Server) -> None:
        """Do it, without an answer."""
        self.says, successor.says = _follow(successor.host.address), _PRIMARY
        raise EnvironmentFailedError("no answer within 1 s")


@dataclass
class Names:
    """Notes where names lead."""

    leads: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def publish(self, name: str, addresses: Sequence[str], *, ttl_seconds: int) -> None:
        """Note it."""
        assert ttl_seconds
        self.leads[name] = tuple(addresses)

    def withdraw(self, name: str) -> None:
        """Forget it."""
        self.leads.pop(name, None)


def _follow(address: str) -> ValkeyReading:
    return ValkeyReading(False, 10, address, True, (), 1, 1)


@pytest.fixture
def names() -> Names:
    """Return names that lead nowhere yet."""
    return Names()


@pytest.fixture
def reconciler(tmp_path: Path, names: Names) -> Iterator[Reconciler]:
    """Return the reconciler of a group whose three nodes serve."""
    region = Region.make(tmp_path).region
    region.names = cast("Any", names)
    made = Reconciler(make_record(), region)
    servers = [
        Server(Host(f"10.0.0.{number}"), _PRIMARY if number == 1 else _follow("10.0.0.1"))
        for number in (1, 2, 3)
    ]
    for number, server in enumerate(servers, start=1):
        cluster, upstream = f"shop-{number:03d}", None if number == 1 else "10.0.0.1"
        made.group.nodes[cluster] = Node(cluster, cast("Any", server), region.clock, upstream=upstream)
    _await(lambda: made.record.status is Status.AVAILABLE and len(names.leads) == 5)
    yield made
    made.request(lambda record: replace(record, status=Status.DELETING), allowed=tuple(Status))
    _await(lambda: not made.group.nodes)


def _await(seen: Any) -> None:
    wait_until(seen, what="it", within=timedelta(seconds=10), every=timedelta(milliseconds=5))


def test_a_hand_over_that_was_not_heard(reconciler: Reconciler, names: Names) -> None:
    """The group finds out that its role was handed over: names lead to the new primary, whom all follow."""
    reconciler.request(lambda record: replace(record, promoting="shop-002"), allowed=(Status.AVAILABLE,))
    _await(lambda: reconciler.record.primary == "shop-002" and reconciler.record.status is Status.AVAILABLE)
    record = reconciler.record
    assert record.promoting is None
    assert names.leads[record.primary_endpoint] == ("10.0.0.2",)
    _await(lambda: names.leads[record.reader_endpoint] == ("10.0.0.1", "10.0.0.3"))
    following = {node.reading.following for node in reconciler.group.replicas() if node.reading}
    assert following == {"10.0.0.2"}
