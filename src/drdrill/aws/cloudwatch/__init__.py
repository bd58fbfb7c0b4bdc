"""CloudWatch in the mirror: what other services measured, asked for by its own API."""

from drdrill.aws.cloudwatch.api import CloudWatchService
from drdrill.aws.cloudwatch.metrics import Metric, MetricStore

__all__ = ["CloudWatchService", "Metric", "MetricStore"]
