"""What the mirror's parts add to its picture: databases, clusters, load balancers, replicated buckets."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from drdrill.aws.elbv2.model import Phase, State
from drdrill.aws.rds.model import Replication
from drdrill.core.clock import NANOSECONDS
from drdrill.dataplane.kubernetes_component import Health
from drdrill.mirror.kubernetes.deployments import list_deployments
from drdrill.mirror.picture import Lag, Member, Part

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drdrill.aws.elbv2 import ElbRegion
    from drdrill.aws.rds import RdsRegion
    from drdrill.aws.rds.reconciler import Reconciler
    from drdrill.core.clock import Clock
    from drdrill.dataplane.postgresql_replication import ReplicationReading
    from drdrill.mirror.kubernetes.cluster import Cluster
    from drdrill.mirror.kubernetes.clusters import Clusters

_STALE_NS = 2 * NANOSECONDS  # twenty readings are missing: what was read says nothing of now
_AVAILABLE = ("available", "backing-up")
_ANSWERS = "answers"


class Databases:
    """Looks at the databases of all regions, and hears what their servers say of replication."""

    def __init__(self, regions: Mapping[str, RdsRegion], clock: Clock) -> None:
        self._regions = regions
        self._clock = clock
        self._lock = threading.Lock()
        self._heard: dict[str, tuple[int, ReplicationReading]] = {}
        for region in regions.values():
            region.on_reading = self._hear_beside(region.on_reading)

    def _hear_beside(
        self, others: Callable[[str, str, int, ReplicationReading | None, str | None], None]
    ) -> Callable[[str, str, int, ReplicationReading | None, str | None], None]:
        def hear(
            resource_id: str, host: str, at_ns: int, reading: ReplicationReading | None, error: str | None
        ) -> None:
            others(resource_id, host, at_ns, reading, error)
            if reading is not None:
                with self._lock:
                    self._heard[resource_id] = (at_ns, reading)

        return hear

    def look(self) -> Sequence[Part]:
        """Describe every database with its own servers; a read replica is a database of its own."""
        everyone = [one for region in self._regions.values() for one in region.instances()]
        return [self._describe(one, everyone) for one in everyone]

    def _describe(self, reconciler: Reconciler, everyone: Sequence[Reconciler]) -> Part:
        record, primary, standby = reconciler.record, reconciler.primary, reconciler.standby
        source = next((one for one in everyone if one.record.arn == record.source_arn), None)
        serves, members = record.status.value in _AVAILABLE, []
        reading = self._read(record.resource_id)
        if primary is not None:
            following = record.source_arn is not None
            answers = reading is not None and primary.host.powered
            lag = Lag("s", self._replica_lag(record.resource_id, source)) if following else None
            state = _ANSWERS if answers else "silent"
            if following and answers:
                state = record.replication.value if record.replication else "not following"
            members.append(
                Member(
                    name=primary.host.name, role="replica" if following else "primary", zone=primary.host.zone,
                    host=primary.host.name, state=state, healthy=state in (_ANSWERS, Replication.REPLICATING),
                    address=primary.host.address, lag=lag,
                )
            )  # fmt: skip
        if standby is not None:
            state = reconciler.sync_state()
            members.append(
                Member(
                    name=standby.host.name, role="standby", zone=standby.host.zone, host=standby.host.name,
                    state=state or "not following", healthy=state == "sync", address=standby.host.address,
                    lag=Lag("B", _bytes_behind(reading, standby.host.name)),
                )
            )  # fmt: skip
        whole = record.source_arn is not None or not record.multi_az or reconciler.sync_state() == "sync"
        healthy = serves and whole and all(one.healthy for one in members)
        return Part(
            "database", record.identifier, record.region, record.status.value, healthy, record.endpoint, tuple(members)
        )  # fmt: skip

    def _read(self, resource_id: str) -> ReplicationReading | None:
        """Return what a database's server said just now; None when it did not answer."""
        with self._lock:
            at_ns, reading = self._heard.get(resource_id, (0, None))
        return reading if self._clock.now_ns() - at_ns < _STALE_NS else None

    def _replica_lag(self, resource_id: str, source: Reconciler | None) -> float | None:
        reading = self._read(resource_id)
        if reading is None or reading.following is None or source is None:
            return None
        return source.instance.positions.lag_seconds(reading.following.replayed, self._clock.now_ns())


def _bytes_behind(reading: ReplicationReading | None, standby: str) -> float | None:
    """Return what a standby lacks of its primary's log; None where one of both is not known."""
    for one in reading.standbys if reading else ():
        if one.name == standby and one.flushed is not None and reading and reading.flushed is not None:
            return max(0, reading.flushed - one.flushed)
    return None


def look_at_clusters(clusters: Clusters) -> Sequence[Part]:
    """Describe every cluster: its control plane and its nodes, or what it waits for."""
    waits = "waits for Kubernetes, which is being built"
    waiting = [Part("cluster", name, region, waits, healthy=False) for region, name in clusters.waiting()]
    return [*(_describe_cluster(one) for one in clusters.all()), *waiting]


def _describe_cluster(cluster: Cluster) -> Part:
    components = {one.name: one.observe() for one in cluster.plane.components}
    broken = [f"{name} {health.value}" for name, health in components.items() if health is not Health.READY]
    members = []
    for node in cluster.nodes():
        ready = node.host.powered and not broken and node.observe_ready()
        state = "ready" if ready else "without power" if not node.host.powered else "not ready"
        members.append(
            Member(
                name=node.identity.name.partition(".")[0], role="node", zone=node.host.zone, host=node.host.name,
                state=state, healthy=ready, address=node.host.address,
            )
        )  # fmt: skip
    return Part(
        kind="cluster", name=cluster.name, region=cluster.region, status=", ".join(broken) or "ready",
        healthy=not broken and all(one.healthy for one in members), endpoint=cluster.endpoint, members=tuple(members),
        hosts=(cluster.host.name,),
    )  # fmt: skip


def look_at_services(clusters: Clusters) -> Sequence[Part]:
    """Describe what is deployed in every cluster that answers: how many of its pods are ready."""
    return [
        _describe_deployment(one, cluster.region)
        for cluster in clusters.all()
        for one in list_deployments(cluster)
        or ()  # what is said of the cluster itself says why there are none
    ]


def _describe_deployment(described: Mapping[str, Any], region: str) -> Part:
    metadata, wanted = described["metadata"], described["spec"]["replicas"]
    ready = described["status"].get("readyReplicas", 0)
    return Part(
        "service", f"{metadata['namespace']}/{metadata['name']}", region, f"{ready} of {wanted} ready", ready >= wanted
    )  # fmt: skip


def look_at_load_balancers(regions: Mapping[str, ElbRegion]) -> Sequence[Part]:
    """Describe every load balancer: its targets, as its nodes see them."""
    return [
        _describe_load_balancer(region, arn)
        for region in regions.values()
        for arn in tuple(region.records.balancers)
    ]


def _describe_load_balancer(region: ElbRegion, arn: str) -> Part:
    attached = region.attach(arn)
    if attached is None:
        return Part("load balancer", arn.rpartition("/")[0], region.name, "gone", healthy=False)
    members = []
    for group in attached.groups:
        for target, health in zip(group.targets, region.judge(group.targets, group), strict=True):
            place = attached.standings.get(target)
            members.append(
                Member(
                    name=f"{target.identifier}:{target.port}", role="target", zone=place.zone if place else None,
                    host=None, state=health.state.value, healthy=health.state is State.HEALTHY,
                    address=place.address if place else None,
                )
            )  # fmt: skip
    balancer, phase = attached.balancer, region.phase_of(attached.balancer)
    return Part(
        kind="load balancer", name=balancer.name, region=region.name, status=phase.value,
        healthy=phase is Phase.ACTIVE and all(one.healthy for one in members), endpoint=balancer.dns_name,
        members=tuple(members), hosts=tuple(f"elb-{balancer.name}-{zone}" for zone in balancer.zones),
    )  # fmt: skip


def look_at_buckets(backlogs: Sequence[Mapping[str, Any]]) -> Sequence[Part]:
    """Describe every bucket that is replicated, by `object_backlog`: how many objects a destination lacks."""
    return [
        Part(
            kind="bucket", name=one["bucket"], region=one["region"],
            status=f"{one['failed']} failed" if one["failed"] else "replicates", healthy=not one["failed"],
            members=(
                Member(
                    name=one["destination"], role="copy", zone=None, host=None, state=one["destination_region"],
                    healthy=not one["failed"], lag=Lag("objects", one["pending"]),
                ),
            ),
        )
        for one in backlogs
    ]  # fmt: skip
