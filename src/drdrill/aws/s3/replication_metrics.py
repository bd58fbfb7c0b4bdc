"""CloudWatch's metrics of replication, put into the source's region for the rules that ask for them.

Source: S3 user guide, Monitoring replication with metrics: namespace AWS/S3, dimensions SourceBucket,
DestinationBucket and RuleId.
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
            self._stores[backlog.region].put(metric, value, unit)

    def note(self, change: Change, seconds: float, *, failed: bool) -> None:
        """Put how long a change took that is over now, or that it failed."""
        if not change.rule.metrics:
            return
        rule = change.rule
        name, value, unit = (
            ("OperationsFailedReplication", 1.0, "Count")
            if failed
            else ("ReplicationLatency", seconds, "Seconds")
        )
        metric = _name(name, change.source.bucket, rule.destination, rule.identifier)
        self._stores[change.region].put(metric, value, unit)


def _name(name: str, source: str, destination: str, rule: str) -> Metric:
    dimensions = (("DestinationBucket", destination), ("RuleId", rule), ("SourceBucket", source))
    return Metric(_NAMESPACE, name, dimensions)
