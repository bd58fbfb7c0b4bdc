"""The reconciler of one replication group: makes real what the API was asked for, and reports what is real.

One thread a group looks and acts; what is to be stands in the group's record, what is in its nodes.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from drdrill.aws.elasticache.failover import Failover
from drdrill.aws.elasticache.group import Group
from drdrill.aws.elasticache.model import GroupRecord, Pending, Status
from drdrill.aws.rds.maintenance import is_within
from drdrill.core.clock import NANOSECONDS
from drdrill.core.errors import DrdrillError

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.aws.elasticache.node import Node
    from drdrill.aws.elasticache.region import CacheRegion

_log = logging.getLogger(__name__)
_DECIDE_EVERY_SECONDS = 0.05  # nodes are asked ten times a second
_TRY_AGAIN_NS = NANOSECONDS  # where no machine can be had now
_MEASURE_EVERY_NS = NANOSECONDS


class Reconciler:
    """Decides for one group, from its creation to its end."""

    def __init__(self, record: GroupRecord, region: CacheRegion) -> None:
        self._group = Group(record, region)
        self._region = region
        self._failover = Failover(self._group)
        self._wake = threading.Event()
        self._retry_ns: dict[str, int] = {}  # by cluster: before that no machine is asked for
        self._measured_ns = 0
        self._thread = threading.Thread(target=self._live, name=f"cache-{record.identifier}", daemon=True)
        self._thread.start()

    # -- what the API sees -----------------------------------------------------------------------------------

    @property
    def record(self) -> GroupRecord:
        """What is true of the group now."""
        return self._group.record

    @property
    def group(self) -> Group:
        """What it decides for."""
        return self._group

    def change(self, change: Callable[[GroupRecord], GroupRecord]) -> GroupRecord:
        """Change what is true as soon as it is said, and return it."""
        return self._group.change(change)

    def request(
        self, change: Callable[[GroupRecord], GroupRecord], *, allowed: tuple[Status, ...]
    ) -> GroupRecord | None:
        """Change what is to be if the status allows it; it is made real from now on. None: it does not."""
        changed = self._group.change_if(allowed, change)
        self._wake.set()
        return changed

    # -- its life --------------------------------------------------------------------------------------------

    def _live(self) -> None:
        while self.record.status is not Status.DELETING:
            try:
                self._look()
            except DrdrillError as error:
                # A server went away between two looks: its silence is what counts, and is seen by the next ones.
                _log.warning("%s: %s", self._group, error)
            except Exception as error:  # noqa: BLE001  (whatever it was: the status must not lie for ever)
                _log.exception("the reconciler of %s gave up", self._group)
                self._group.change(lambda record: replace(record, status=Status.CREATE_FAILED))
                self._group.tell(f"Replication group {self.record.identifier} failed: {error}")
                self._await_delete()
            self._wake.wait(_DECIDE_EVERY_SECONDS)
            self._wake.clear()
        self._group.release_all()
        self._group.tell(f"Replication group {self.record.identifier} deleted")
        self._region.remove(self.record.identifier)

    def _await_delete(self) -> None:
        while self.record.status is not Status.DELETING:
            self._wake.wait()
            self._wake.clear()

    def _look(self) -> None:
        """Look once and act once."""
        group, record = self._group, self.record
        self._heed_the_window()
        for node in record.nodes:
            if node.status is Status.DELETING:
                self._let_go(node.cluster)
        detection = self._region.settings.failure_detection
        primary = group.primary
        if primary is None or primary.is_lost(detection):
            if self._may_ask(record.primary):
                self._failover.recover()
        elif primary.upstream is not None:
            self._failover.finish(primary)
        elif primary.serves:
            self._keep_replicas(primary)
            self._change_roles(primary)
        else:
            self._failover.heed_hand_over(primary)
        self._give_parameters()
        group.release_retired()
        group.publish()
        self._say_statuses()
        self._measure()

    # -- its steps -------------------------------------------------------------------------------------------

    def _keep_replicas(self, primary: Node) -> None:
        """Have every replica follow the primary, and replace those that are lost."""
        detection = self._region.settings.failure_detection
        for record in self.record.nodes:
            if record.cluster == primary.cluster or record.status is Status.DELETING:
                continue
            node = self._group.nodes.get(record.cluster)
            if node is not None and node.is_lost(detection):
                self._group.replace(node)
            elif node is None:
                if self._may_ask(record.cluster):
                    self._group.start_node(record, upstream=primary.address)
            elif node.answers and node.reading and node.reading.following != primary.address:
                node.follow(primary.address)

    def _may_ask(self, cluster: str) -> bool:
        """Tell whether a machine may be asked for: where none was to be had, a second later."""
        now_ns = self._region.clock.now_ns()
        if now_ns < self._retry_ns.get(cluster, 0):
            return False
        self._retry_ns[cluster] = now_ns + _TRY_AGAIN_NS
        return True

    def _change_roles(self, primary: Node) -> None:
        """Test a failover, or hand the primary's role over, where that was asked for."""
        record = self.record
        if record.testing:
            self._failover.test()
        elif record.promoting is not None:
            successor = self._group.nodes.get(record.promoting)
            if record.promoting == record.primary:
                self._group.change(lambda one: replace(one, promoting=None))
            elif successor is not None and successor.serves and successor.answers:
                self._failover.hand_over(successor, primary)

    def _let_go(self, cluster: str) -> None:
        if cluster in self._group.nodes:
            self._group.retire(self._group.nodes[cluster])
        kept = tuple(node for node in self.record.nodes if node.cluster != cluster)
        self._group.change(lambda record: replace(record, nodes=kept))
        self._group.tell_of(cluster, f"Cache cluster {cluster} deleted")

    def _give_parameters(self) -> None:
        wanted = self._group.parameters()
        for node in self._group.nodes.values():
            if node.answers and node.server.parameters != wanted:
                node.server.use_parameters(wanted)

    def _heed_the_window(self) -> None:
        """Apply what waits for the maintenance window, if that is open."""
        record = self.record
        if record.pending != Pending() and is_within(record.maintenance_window, self._region.clock.utc()):
            self._group.change(apply_pending)

    # -- what it says ----------------------------------------------------------------------------------------

    def _say_statuses(self) -> None:
        """Say of every node and of the group what is so."""
        for record in self.record.nodes:
            node = self._group.nodes.get(record.cluster)
            lost = node is None or node.is_lost(self._region.settings.failure_detection)
            serves = node is not None and node.serves and not lost
            if serves and record.status is not Status.AVAILABLE and record.status is not Status.DELETING:
                self._group.note_serving(record.cluster)
            elif not serves and record.status is Status.AVAILABLE:
                self._group.change_node(record.cluster, lambda one: replace(one, status=Status.MODIFYING))
        before = self.record
        after = self._group.change(lambda record: replace(record, status=_derive(record)))
        if before.status is Status.CREATING and after.status is Status.AVAILABLE:
            self._group.change(lambda record: replace(record, created_at=self._region.clock.utc()))
            self._group.tell(f"Replication group {after.identifier} created")

    def _measure(self) -> None:
        """Publish what CloudWatch knows of nodes; of what nobody knows no value."""
        now_ns = self._region.clock.now_ns()
        primary = self._group.primary
        if now_ns - self._measured_ns < _MEASURE_EVERY_NS:
            return
        self._measured_ns = now_ns
        known = primary.reading.replicas if primary and primary.answers and primary.reading else ()
        lags = {one.address: one.acknowledged_seconds_ago for one in known}
        for cluster, node in self._group.nodes.items():
            if not node.answers or node.reading is None:
                continue
            self._group.measure(cluster, "CurrConnections", node.reading.connections, "Count")
            if node.upstream is not None:
                self._group.measure(cluster, "MasterLinkHealthStatus", int(node.serves), "Count")
                if node.address in lags and node.serves:
                    self._group.measure(cluster, "ReplicationLag", lags[node.address], "Seconds")


def apply_pending(record: GroupRecord) -> GroupRecord:
    """Return a record in which what was pending is so."""
    pending = record.pending
    return replace(
        record,
        node_type=record.node_type if pending.node_type is None else pending.node_type,
        automatic_failover=(
            record.automatic_failover if pending.automatic_failover is None else pending.automatic_failover
        ),
        multi_az=record.multi_az if pending.multi_az is None else pending.multi_az,
        pending=Pending(),
    )


def _derive(record: GroupRecord) -> Status:
    """Return what a group says: what its nodes do, and what is still to be done."""
    busy = record.testing or record.promoting is not None
    if all(node.status is Status.AVAILABLE for node in record.nodes) and not busy:
        return Status.AVAILABLE
    return Status.CREATING if record.status is Status.CREATING else Status.MODIFYING
