"""CloudWatch's metrics of replication, for the rules that ask for them.

Source: S3 user guide, Using S3 Replication metrics: namespace AWS/S3, dimensions SourceBucket, DestinationBucket and
RuleId. What is pending is published in the destination's region, what failed in the source's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from drdrill.aws.cloudwatch import Metric
from drdrill.core.clock import NANOSECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drdrill.aws.s3.change import Change
    from drdrill.aws.s3.model import Backlog

_NAMESPACE = "AWS/S3"


class Puts(Protocol):
    """Keeps the metrics of one region."""

    def put(self, metric: Metric, value: float, unit: str) -> None:
        """Add a value that was measured now."""
        ...


class ReplicationMetrics:
    """Puts what was measured. `stores` are the metrics of each region. Thread-safe."""

    def __init__(self, stores: Mapping[str, Puts]) -> None:
        self._stores = stores

    def put(self, backlog: Backlog, now_ns: int) -> None:
        """Put what a destination lacks now, and how long the first of it has been waiting."""
        waited = (now_ns - backlog.oldest_ns) / NANOSECONDS if backlog.oldest_ns is not None else 0.0
        for name, value, unit in (
            ("ReplicationLatency", waited, "Seconds"),
            ("BytesPendingReplication", float(backlog.pending_bytes), "Bytes"),
            ("OperationsPendingReplication", float(backlog.pending), "Count"),
        ):
            metric = _name(name, backlog.bucket, backlog.destination, backlog.rule)
            self._put(backlog.destination_region, metric, value, unit)

    def note(self, change: Change, seconds: float, *, failed: bool) -> None:
        """Put how long a change took that is over now, or that it failed."""
        if not change.rule.metrics:
            return
        rule = change.rule
        region = change.region if failed else rule.destination_region
        name, value, unit = (
            ("OperationsFailedReplication", 1.0, "Count")
            if failed
            else ("ReplicationLatency", seconds, "Seconds")
        )
        metric = _name(name, change.source.bucket, rule.destination, rule.identifier)
        self._put(region, metric, value, unit)

    def _put(self, region: str, metric: Metric, value: float, unit: str) -> None:
        store = self._stores.get(region)
        if store is not None:  # a bucket may be in us-east-1, which the environment need not have
            store.put(metric, value, unit)


def _name(name: str, source: str, destination: str, rule: str) -> Metric:
    dimensions = (("DestinationBucket", destination), ("RuleId", rule), ("SourceBucket", source))
    return Metric(_NAMESPACE, name, dimensions)
