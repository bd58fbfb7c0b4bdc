"""S3's replication in a mirror: in front of the upstream, over the mirror's link between regions; and what drills ask.

The link is the one of databases' replicas: who delays, throttles or cuts it does so for objects as well. A region whose
APIs are silent sends nothing; to and from one that is isolated everything waits.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from drdrill.aws.s3 import (
    Carrier,
    Movers,
    Objects,
    ReplicatingDoor,
    ReplicationKeeper,
    ReplicationMetrics,
    Replicator,
)
from drdrill.core.clock import NANOSECONDS
from drdrill.dataplane.link import LinkCondition

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.cloudwatch import MetricStore
    from drdrill.aws.delegation import Delegation
    from drdrill.aws.rds import RdsRegion
    from drdrill.core.clock import Clock
    from drdrill.mirror.isolation import Isolation
    from drdrill.mirror.network import Network


class MirrorLinks:
    """The ways between the mirror's regions, as `Links` wants them."""

    def __init__(self, network: Network, isolation: Isolation, rds: Mapping[str, RdsRegion]) -> None:
        self._network = network
        self._isolation = isolation
        self._rds = rds

    def condition(self, source: str, destination: str, /) -> LinkCondition:
        """Return how the link is now: none within a region, and none from one that the mirror does not have."""
        inside = source == destination or source not in self._rds
        shaped = LinkCondition() if inside else self._rds[source].links.condition(destination)
        heard = self._isolation.hear_each_other(source, destination)
        return shaped if heard else replace(shaped, cut=True)

    def is_dark(self, region: str, /) -> bool:
        """Tell whether a region's APIs are silent."""
        return self._network.is_silent(region)


class ObjectReplication:
    """Replicates what stands in the upstream, and answers the control socket by `table`."""

    def __init__(
        self,
        delegation: Delegation,
        network: Network,
        links: MirrorLinks,
        metrics: Mapping[str, MetricStore],
        clock: Clock,
    ) -> None:
        self._clock = clock
        self._network = network
        objects = Objects(delegation.forward)
        self._replicator = Replicator(Carrier(objects), links, clock, ReplicationMetrics(metrics))
        self.keeper = ReplicationKeeper(self._replicator)
        delegation.stand_before("s3", ReplicatingDoor(delegation.forward, objects, self._replicator).answer)
        Movers(self._replicator, clock).start()

    def table(self) -> Mapping[str, Callable[..., Mapping[str, Any]]]:
        """Return the operations by name."""
        return {
            "object_backlog": self.read_backlog,
            "silence_apis": self.silence_apis,
            "restore_apis": self.restore_apis,
        }

    def read_backlog(self, bucket: str | None = None) -> Mapping[str, Any]:
        """Say what each rule's destination lacks now: objects, bytes, and since when. One reading, at `at_ns`."""
        now_ns = self._clock.now_ns()
        return {
            "at_ns": now_ns,
            "backlogs": [
                {
                    **asdict(one),
                    "oldest_seconds": (
                        None if one.oldest_ns is None else max(0, now_ns - one.oldest_ns) / NANOSECONDS
                    ),
                }
                for one in self._replicator.backlogs()
                if bucket in (None, one.bucket)
            ],
        }

    def silence_apis(self, region: str) -> Mapping[str, Any]:
        """Have none of a region's APIs answer, and none of its objects leave. Harmless when it is so."""
        self._network.silence_endpoints(region)
        return {"region": region, "silent": True}

    def restore_apis(self, region: str) -> Mapping[str, Any]:
        """Have a region's APIs answer again; what is pending there goes on. Harmless when they do."""
        self._network.restore_endpoints(region)
        return {"region": region, "silent": False}
