"""ElastiCache of all regions: opened in a region when its first call comes, for few systems have caches."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from drdrill.mirror.picture import Lag, Member, Part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from drdrill.aws.cloudwatch import MetricStore
    from drdrill.aws.elasticache import CacheRegion, ElastiCacheService
    from drdrill.aws.elasticache.model import NodeRecord
    from drdrill.aws.elasticache.node import Node
    from drdrill.aws.elasticache.reconciler import Reconciler
    from drdrill.aws.gate import Service
    from drdrill.aws.ports import Fleet, Names, SecurityGroups, Subnets
    from drdrill.aws.protocol import Parameters
    from drdrill.core.clock import Clock


class RegionalCaches:
    """ElastiCache of one region, as the gate calls it."""

    name = "elasticache"

    def __init__(self, open_service: Callable[[], ElastiCacheService]) -> None:
        self._open = open_service
        self._opened: ElastiCacheService | None = None
        self._lock = threading.Lock()

    def operations(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations that are implemented."""
        return self._service().operations()

    def open_region(self) -> CacheRegion:
        """Open it; harmless when it is open."""
        return self._service().region

    def _service(self) -> ElastiCacheService:
        with self._lock:
            self._opened = self._opened or self._open()
            return self._opened

    @property
    def region(self) -> CacheRegion | None:
        """What it is of; None: nobody has asked for a cache here yet."""
        return self._opened.region if self._opened else None


class Caches:
    """The service in every region, with what the control socket can ask of it, in `table`."""

    def __init__(
        self,
        fleets: Iterable[Fleet],
        names: Names,
        settings: Mapping[str, Any],
        clock: Clock,
        *,
        logs: Path,
        metrics: Mapping[str, MetricStore],
        subnets: Mapping[str, Subnets],
        security_groups: Mapping[str, SecurityGroups],
    ) -> None:
        def opener(fleet: Fleet) -> Callable[[], ElastiCacheService]:
            def open_service() -> ElastiCacheService:
                from drdrill.aws.elasticache import (  # noqa: PLC0415  (60 ms: only where there are caches)
                    CacheRegion,
                    CacheSettings,
                    ElastiCacheService,
                )

                detection = timedelta(seconds=settings["failure_detection_seconds"])
                limits = CacheSettings(detection, settings["memory_bytes"])
                region = CacheRegion(
                    fleet, names, limits, clock, logs,
                    subnets=subnets[fleet.region], security_groups=security_groups[fleet.region],
                )  # fmt: skip
                region.on_metric = metrics[fleet.region].put
                return ElastiCacheService(region)

            return open_service

        self.regions = {fleet.region: RegionalCaches(opener(fleet)) for fleet in fleets}

    @property
    def services(self) -> Mapping[tuple[str, str], Service]:
        """The services, by region and by the name in signatures."""
        return {(region, "elasticache"): service for region, service in self.regions.items()}

    def table(self) -> Mapping[str, Callable[..., Mapping[str, Any]]]:
        """Return the operations by name."""
        return {"caches": self.caches}

    def look(self) -> Sequence[Part]:
        """Describe all replication groups for the mirror's picture."""
        return [_draw(one) for one in self.caches()["caches"]]

    def caches(self) -> Mapping[str, Any]:
        """Describe all replication groups: their nodes with role, host and how far they are behind."""
        regions = [one.region for one in self.regions.values() if one.region is not None]
        return {"caches": [_describe(group) for region in regions for group in region.groups()]}


def _describe(reconciler: Reconciler) -> Mapping[str, Any]:
    record, nodes, primary = reconciler.record, reconciler.group.nodes, reconciler.group.primary
    position = primary.reading.offset if primary and primary.answers and primary.reading else None
    return {
        "resource": record.identifier,
        "region": record.region,
        "status": record.status.value,
        "endpoint": record.primary_endpoint,
        "automatic_failover": record.automatic_failover,
        "nodes": [
            _describe_node(one, nodes.get(one.cluster), record.primary, position) for one in record.nodes
        ],
    }


def _describe_node(
    record: NodeRecord, node: Node | None, primary: str, position: int | None
) -> Mapping[str, Any]:
    """Describe a node; how many bytes it lacks is None where nobody knows."""
    reading = node.reading if node is not None and node.answers and node.serves else None
    behind = None if reading is None or position is None else max(0, position - reading.offset)
    return {
        "cluster": record.cluster,
        "zone": record.zone,
        "status": record.status.value,
        "role": "primary" if record.cluster == primary else "replica",
        "host": node.server.host.name if node else None,
        "address": node.address if node else None,
        "answers": node is not None and node.answers,
        "behind_bytes": behind,
    }


def _draw(cache: Mapping[str, Any]) -> Part:
    members = tuple(
        Member(
            name=node["cluster"], role=node["role"], zone=node["zone"], host=node["host"],
            state=node["status"] if node["answers"] or node["status"] != "available" else "silent",
            healthy=node["status"] == "available" and node["answers"], address=node["address"],
            lag=None if node["role"] == "primary" else Lag("B", node["behind_bytes"]),
        )
        for node in cache["nodes"]
    )  # fmt: skip
    return Part(
        kind="cache", name=cache["resource"], region=cache["region"], status=cache["status"],
        healthy=cache["status"] == "available" and all(one.healthy for one in members), endpoint=cache["endpoint"],
        members=members,
    )  # fmt: skip
