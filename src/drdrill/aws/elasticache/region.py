"""ElastiCache in one region, as all of its operations share it: machines and names, groups, events."""

from __future__ import annotations

import threading
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING

from drdrill.aws.elasticache.model import EventRecord
from drdrill.aws.elasticache.parameter_groups import ParameterGroups
from drdrill.aws.elasticache.subnet_groups import SubnetGroups
from drdrill.aws.errors import AwsError
from drdrill.core.clock import NANOSECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from drdrill.aws.cloudwatch import Metric
    from drdrill.aws.elasticache.model import CacheSettings, NodeRecord
    from drdrill.aws.elasticache.reconciler import Reconciler
    from drdrill.aws.ports import Fleet, Names, SecurityGroups, Subnets
    from drdrill.core.clock import Clock

_EVENTS_KEPT = 1000
_TESTS = 15  # API reference, TestFailover: node groups in any rolling 24 hours
_TESTS_WITHIN_NS = int(timedelta(hours=24).total_seconds()) * NANOSECONDS


class CacheRegion:
    """Thread-safe: the gate calls from many threads, and every group has its own."""

    def __init__(
        self,
        fleet: Fleet,
        names: Names,
        settings: CacheSettings,
        clock: Clock,
        logs: Path,
        *,
        subnets: Subnets,
        security_groups: SecurityGroups,
    ) -> None:
        self.fleet = fleet
        self.names = names
        self.subnets = subnets
        self.security_groups = security_groups
        self.settings = settings
        self.clock = clock
        self.logs = logs
        self.parameter_groups = ParameterGroups(fleet.region)
        self.subnet_groups = SubnetGroups()
        self.on_metric: Callable[[Metric, float, str], None] = lambda *_: None
        self._lock = threading.Lock()
        self._groups: dict[str, Reconciler] = {}
        self._events: deque[EventRecord] = deque(maxlen=_EVENTS_KEPT)
        self._tested_ns: deque[int] = deque()

    @property
    def name(self) -> str:
        """The region's name."""
        return self.fleet.region

    def groups(self) -> tuple[Reconciler, ...]:
        """Return the reconcilers of all groups."""
        with self._lock:
            return tuple(self._groups.values())

    def find(self, identifier: str) -> Reconciler:
        """Return the reconciler of a group; raises AWS's ReplicationGroupNotFoundFault."""
        with self._lock:
            found = self._groups.get(identifier.lower())
        if found is None:
            text = f"ReplicationGroup {identifier} not found."
            raise AwsError("ReplicationGroupNotFoundFault", text, status=404)
        return found

    def find_cluster(self, cluster: str) -> tuple[Reconciler, NodeRecord]:
        """Return a cluster with its group; raises AWS's CacheClusterNotFound."""
        for group in self.groups():
            for node in group.record.nodes:
                if node.cluster == cluster.lower():
                    return group, node
        raise AwsError("CacheClusterNotFound", f"CacheCluster not found: {cluster}", status=404)

    def add(self, identifier: str, make: Callable[[], Reconciler]) -> Reconciler:
        """Enter a new group, made only if the name is free; raises AWS's ReplicationGroupAlreadyExists."""
        with self._lock:
            if identifier in self._groups:
                text = f"Replication group {identifier} already exists."
                raise AwsError("ReplicationGroupAlreadyExists", text)
            self._groups[identifier] = made = make()
        return made

    def remove(self, identifier: str) -> None:
        """Forget a group that is deleted."""
        with self._lock:
            self._groups.pop(identifier, None)

    def take_test(self) -> None:
        """Note a test of a failover; raises AWS's APICallRateForCustomerExceeded when there were too many."""
        with self._lock:
            now_ns = self.clock.now_ns()
            while self._tested_ns and self._tested_ns[0] <= now_ns - _TESTS_WITHIN_NS:
                self._tested_ns.popleft()
            if len(self._tested_ns) >= _TESTS:
                text = f"The limit of {_TESTS} tests of automatic failover in 24 hours is exceeded."
                raise AwsError("APICallRateForCustomerExceeded", text)
            self._tested_ns.append(now_ns)

    def require_security_groups(self, wanted: Sequence[str]) -> tuple[str, ...]:
        """Return VPC security groups, each once; raises AWS's error for one that there is not."""
        chosen = tuple(dict.fromkeys(wanted))
        for missing in self.security_groups.find_missing(chosen):
            raise AwsError("InvalidParameterValue", f"Some security group Ids were not found: {missing}")
        return chosen

    def zones_for(self, subnet_group: str | None) -> tuple[str, ...]:
        """Return the zones in which nodes of a subnet group may stand; without one those of the default subnets."""
        if subnet_group:
            return self.subnet_groups.find(subnet_group).zones
        return tuple(dict.fromkeys(subnet.zone for subnet in self.subnets.defaults()))

    def events(self) -> tuple[EventRecord, ...]:
        """Return all events that are kept, oldest first."""
        with self._lock:
            return tuple(self._events)

    def tell(self, source: str, source_type: str, message: str) -> None:
        """Publish an event that happens now."""
        with self._lock:
            at_ns = max(self.clock.now_ns(), self._events[-1].at_ns + 1 if self._events else 0)
            self._events.append(EventRecord(self.clock.utc(), at_ns, source, source_type, message))
