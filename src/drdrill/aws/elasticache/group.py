"""One replication group: its record, its nodes, and where its names lead to. Decides nothing."""

from __future__ import annotations

import secrets
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from drdrill.aws.cloudwatch import Metric
from drdrill.aws.elasticache.model import CACHE_NODE, GroupRecord, NodeRecord, Status
from drdrill.aws.elasticache.node import Node
from drdrill.aws.elasticache.parameters import give_to_server
from drdrill.core.errors import DrdrillError
from drdrill.dataplane.valkey import ValkeyServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.aws.elasticache.region import CacheRegion

_TTL_SECONDS = 5  # AWS publishes none; that of its other databases' endpoints
_DISK_BYTES = 16 << 20  # for a configuration, and a copy of a small memory on its way to a replica


class Group:
    """`record` is always what is true now. Its reconciler's thread changes it, and so do operations."""

    def __init__(self, record: GroupRecord, region: CacheRegion) -> None:
        self.record = record
        self.region = region
        self.nodes: dict[str, Node] = {}
        self._secret = secrets.token_hex(16)
        self._retired: list[Node] = []
        self._recovering: set[str] = set()  # clusters whose node was lost, and is being replaced
        self._published: dict[str, tuple[str, ...]] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Group({self.record.identifier}, {self.record.status})"

    # -- its record ------------------------------------------------------------------------------------------

    def change(self, change: Callable[[GroupRecord], GroupRecord]) -> GroupRecord:
        """Change the record and return it; an accepted delete is not taken back by what was under way."""
        with self._lock:
            changed = change(self.record)
            if self.record.status is Status.DELETING:
                changed = replace(changed, status=Status.DELETING)
            self.record = changed
            return changed

    def change_if(
        self, allowed: tuple[Status, ...], change: Callable[[GroupRecord], GroupRecord]
    ) -> GroupRecord | None:
        """Change the record if its status is an allowed one, and return it; None: it is not."""
        with self._lock:
            if self.record.status not in allowed:
                return None
            self.record = change(self.record)
            return self.record

    def change_node(self, cluster: str, change: Callable[[NodeRecord], NodeRecord]) -> None:
        """Change what is true of one node."""
        self.change(
            lambda record: replace(
                record, nodes=tuple(change(one) if one.cluster == cluster else one for one in record.nodes)
            )
        )

    def tell(self, message: str) -> None:
        """Publish an event of the group."""
        self.region.tell(self.record.identifier, "replication-group", message)

    def tell_of(self, cluster: str, message: str) -> None:
        """Publish an event of one of its clusters."""
        self.region.tell(cluster, "cache-cluster", message)

    def measure(self, cluster: str, metric: str, value: float, unit: str) -> None:
        """Publish a value of one of a node's metrics, as it is now."""
        for dimensions in (
            (("CacheClusterId", cluster),),
            (("CacheClusterId", cluster), ("CacheNodeId", CACHE_NODE)),
        ):
            self.region.on_metric(Metric("AWS/ElastiCache", metric, dimensions), value, unit)

    # -- its nodes -------------------------------------------------------------------------------------------

    @property
    def primary(self) -> Node | None:
        """The node that has the primary's role, or is to have it."""
        return self.nodes.get(self.record.primary)

    def replicas(self) -> list[Node]:
        """Return the other nodes."""
        return [node for cluster, node in self.nodes.items() if cluster != self.record.primary]

    def start_node(self, record: NodeRecord, *, upstream: str | None) -> Node:
        """Make a machine with a server for a node, which has no other; does not wait for it."""
        fleet = self.region.fleet
        host = fleet.create_host(record.cluster, record.zone, disk_bytes=self._disk_bytes)
        server = ValkeyServer(host, secret=self._secret, log=self.region.logs / f"valkey-{host.name}.log")
        server.parameters = self.parameters()
        try:
            server.start(upstream=upstream)
        except DrdrillError:
            fleet.release(host)
            raise
        node = Node(record.cluster, server, self.region.clock, upstream=upstream)
        self.nodes[record.cluster] = node
        return node

    @property
    def _disk_bytes(self) -> int:
        return _DISK_BYTES + self.region.settings.memory_bytes

    def parameters(self) -> dict[str, str]:
        """Return what its nodes are configured with."""
        values = self.region.parameter_groups.find(self.record.parameter_group).values()
        return give_to_server(values, memory_bytes=self.region.settings.memory_bytes)

    def retire(self, node: Node) -> None:
        """Let a node go: nothing of it runs when this returns, whatever its network does.

        A machine that somebody took the power from is kept until it has some again, and is given back then.
        """
        node.stop()
        self.nodes.pop(node.cluster, None)
        if node.server.host.powered:
            self.region.fleet.release(node.server.host)
        else:
            self._retired.append(node)

    def release_retired(self) -> None:
        """Give machines back that have power again; nothing runs on them."""
        for node in [one for one in self._retired if one.server.host.powered]:
            self._retired.remove(node)
            self.region.fleet.release(node.server.host)

    def replace(self, node: Node) -> None:
        """Let a lost node go, in whose place there is to be another one."""
        self.tell_of(node.cluster, f"Recovering cache nodes {CACHE_NODE}")
        self._recovering.add(node.cluster)
        self.retire(node)

    def note_serving(self, cluster: str) -> None:
        """Be told that a node serves, for the first time or again."""
        at = self.region.clock.utc()
        first = self.record.node(cluster).created_at is None
        self.change_node(
            cluster, lambda one: replace(one, status=Status.AVAILABLE, created_at=one.created_at or at)
        )
        if first:
            self.tell_of(cluster, "Cache cluster created")
        elif cluster in self._recovering:
            self.tell_of(cluster, f"Finished recovery for cache nodes {CACHE_NODE}")
        self._recovering.discard(cluster)

    def release_all(self) -> None:
        """Give everything back: names, servers, machines."""
        for name in self._published:
            self.region.names.withdraw(name)
        for node in self.nodes.values():
            node.stop()
        for node in (*self.nodes.values(), *self._retired):
            self.region.fleet.release(node.server.host)
        self.nodes, self._retired = {}, []

    # -- its names -------------------------------------------------------------------------------------------

    def publish(self) -> None:
        """Have its names lead to where they should; what leads to a lost node does so until there is another."""
        wanted: dict[str, tuple[str, ...]] = {}
        record, primary = self.record, self.primary
        for cluster, node in self.nodes.items():
            if node.reading is not None:
                wanted[record.endpoint_of(cluster)] = (node.address,)
        if primary is not None and primary.serves:
            wanted[record.primary_endpoint] = (primary.address,)
            readers = tuple(sorted(node.address for node in self.replicas() if node.serves and node.answers))
            wanted[record.reader_endpoint] = readers or (primary.address,)
        for name, addresses in wanted.items():
            if self._published.get(name) != addresses:
                self.region.names.publish(name, addresses, ttl_seconds=_TTL_SECONDS)
                self._published[name] = addresses
        there = {record.primary_endpoint, record.reader_endpoint}
        there |= {record.endpoint_of(node.cluster) for node in record.nodes}
        for name in self._published.keys() - there:
            self.region.names.withdraw(name)
            del self._published[name]
