"""What becomes of a group whose primary is lost, and how its role is tested and handed over.

The lost primary is fenced, the replica that has the most of it is promoted, the names move, and the lost node is
replaced. Replication is asynchronous: what the primary acknowledged and no replica has yet is lost with it.

::

    lost ──automatic failover, a replica with a whole copy──▶ fenced ──▶ promoted ──▶ serves
      └──else──▶ fenced ──▶ a new node ──copies a replica; has nothing where none is left──▶ promoted ──▶ serves

Source: ElastiCache User Guide, "Minimizing downtime in ElastiCache by using Multi-AZ", "Failure scenarios".
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from drdrill.core.errors import DrdrillError

if TYPE_CHECKING:
    from drdrill.aws.elasticache.group import Group
    from drdrill.aws.elasticache.node import Node

_log = logging.getLogger(__name__)


class Failover:
    """Gives a group a primary. Called from the reconciler's thread alone."""

    def __init__(self, group: Group) -> None:
        self._group = group

    def recover(self) -> None:
        """Give a group without a primary one: one step of it, as far as there is something to take."""
        group, lost = self._group, self._group.primary
        candidates = self._list_candidates()
        if candidates and group.record.automatic_failover and lost is not None:
            self.fail_over(lost, candidates)
            return
        detection = group.region.settings.failure_detection
        if not candidates and any(one.synced and not one.is_lost(detection) for one in group.replicas()):
            return  # a replica with a copy is silent, and not lost yet
        record = group.record.node(group.record.primary)
        if lost is not None:
            group.replace(lost)
        source = candidates[0].address if candidates else None
        if source is None and group.record.created_at is not None:
            _log.warning("no node of %s is left: what it held is lost", group)
        group.start_node(record, upstream=source)

    def finish(self, primary: Node) -> None:
        """Promote a new node in the primary's place when it has a whole copy of its source."""
        source = next((one for one in self._group.replicas() if one.address == primary.upstream), None)
        if source is None or source.is_lost(self._group.region.settings.failure_detection):
            self._group.retire(primary)  # from whom it copied is gone, too: the next look begins anew
        elif primary.synced:
            self._promote(primary)

    def test(self) -> None:
        """Fail over although nothing is lost yet: the primary is, then."""
        group, primary = self._group, self._group.primary
        group.change(lambda record: replace(record, testing=False))
        candidates = self._list_candidates()
        if primary is not None and candidates:
            self.fail_over(primary, candidates)

    def fail_over(self, lost: Node, candidates: list[Node]) -> None:
        """Fence the primary and promote the first candidate that takes the role."""
        group = self._group
        group.replace(lost)
        for candidate in candidates:
            try:
                self._promote(candidate)
            except DrdrillError as error:
                _log.warning("%s did not take over: %s", candidate, error)
                continue
            text = f"Failover from primary node {lost.cluster} to replica node {candidate.cluster} completed"
            group.tell_of(candidate.cluster, text)
            group.tell(text)
            return

    def hand_over(self, successor: Node, primary: Node) -> None:
        """Have a replica become the primary with every write, and the primary its replica."""
        try:
            primary.server.hand_over(successor.server)
        except DrdrillError as error:
            # If it did all the same, whose answer came too late, that is seen by the next looks.
            _log.warning("%s did not hand over to %s: %s", primary, successor, error)
            return
        self._acknowledge(successor, primary)

    def heed_hand_over(self, primary: Node) -> None:
        """Take note of a hand-over that nobody heard of: the primary says that it follows another one."""
        said = primary.reading
        if said is None or said.primary or not primary.answers:
            return
        successor = next((one for one in self._group.replicas() if one.address == said.following), None)
        if successor is None or not (successor.answers and successor.reading and successor.reading.primary):
            return
        # What was read last may be from both sides of a change: both are asked again.
        if successor.server.read().primary and not primary.server.read().primary:
            self._acknowledge(successor, primary)

    def _acknowledge(self, successor: Node, primary: Node) -> None:
        """Take note that a replica is the primary, and the primary its replica."""
        successor.take_role()
        primary.upstream = successor.address
        self._settle(successor)
        text = f"Promoted node {successor.cluster} to the primary role, instead of {primary.cluster}"
        self._group.tell(text)

    def _promote(self, node: Node) -> None:
        node.promote()
        self._settle(node)

    def _settle(self, primary: Node) -> None:
        """Make it known who the primary is, and have the others follow it."""
        group = self._group
        group.change(lambda record: replace(record, primary=primary.cluster))
        group.publish()
        for replica in group.replicas():
            if replica.answers and replica.upstream != primary.address:
                replica.follow(primary.address)

    def _list_candidates(self) -> list[Node]:
        """Return the replicas that answer and have a whole copy, the one with the most first."""
        live = [one for one in self._group.replicas() if one.answers and one.synced]
        return sorted(live, key=lambda one: one.reading.offset if one.reading else 0, reverse=True)
