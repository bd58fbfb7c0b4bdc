"""The CloudWatch API of one region: metrics are listed and read; what they are made of comes from other services."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from drdrill.aws.cloudwatch.data_queries import check_period, check_times, read_metric, read_queries
from drdrill.aws.cloudwatch.metrics import STATISTICS
from drdrill.aws.errors import AwsError, NotImplementedInMirrorError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.cloudwatch.metrics import Metric, MetricStore
    from drdrill.aws.protocol import Parameters

_MOST_POINTS = 1440  # API reference, GetMetricStatistics
_PAGE = 500  # API reference, ListMetrics


class CloudWatchService:
    """CloudWatch in one region, as the gate calls it. Thread-safe."""

    name = "cloudwatch"

    def __init__(self, store: MetricStore) -> None:
        self._store = store

    def operations(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations that are implemented."""
        return {
            "GetMetricData": self.get_metric_data,
            "GetMetricStatistics": self.get_metric_statistics,
            "ListMetrics": self.list_metrics,
        }

    def list_metrics(self, parameters: Parameters) -> Mapping[str, Any]:
        """List the metrics that were ever measured and pass the filters."""
        for name in ("IncludeLinkedAccounts", "OwningAccount", "RecentlyActive"):
            if parameters.get(name):
                raise NotImplementedInMirrorError(f"The parameter {name} of cloudwatch:ListMetrics")
        wanted = {(one["Name"], one.get("Value")) for one in parameters.get("Dimensions", [])}

        def passes(metric: Metric) -> bool:
            has = {*metric.dimensions, *((name, None) for name, _ in metric.dimensions)}
            return (
                parameters.get("Namespace") in (None, metric.namespace)
                and parameters.get("MetricName") in (None, metric.name)
                and wanted <= has
            )

        listed = [metric for metric in self._store.list() if passes(metric)]
        token = parameters.get("NextToken", "0")
        if not token.isdecimal() or int(token) > len(listed):
            raise AwsError("InvalidParameterValue", "Invalid NextToken")
        end = int(token) + _PAGE
        more = {"NextToken": str(end)} if end < len(listed) else {}
        return {"Metrics": [describe_metric(one) for one in listed[int(token) : end]], **more}

    def get_metric_statistics(self, parameters: Parameters) -> Mapping[str, Any]:
        """Return statistics of a metric for each period in which it was measured."""
        wanted = parameters.get("Statistics", [])
        if parameters.get("ExtendedStatistics"):
            raise NotImplementedInMirrorError(
                "The parameter ExtendedStatistics of cloudwatch:GetMetricStatistics"
            )
        if not wanted:
            text = "At least one of the parameters Statistics and ExtendedStatistics must be specified."
            raise AwsError("InvalidParameterCombination", text)
        for statistic in wanted:
            if statistic not in STATISTICS:
                text = f"The parameter Statistics must be one of {', '.join(STATISTICS)}: {statistic}"
                raise AwsError("InvalidParameterValue", text)
        start, end = parameters["StartTime"], parameters["EndTime"]
        period = check_period(parameters["Period"])
        check_times(start, end)
        points = (end - start).total_seconds() / period
        if points > _MOST_POINTS:
            text = (
                f"You have requested up to {points:.0f} datapoints, which exceeds the limit of {_MOST_POINTS}. You "
                "may reduce the datapoints requested by increasing Period, or decreasing the time range."
            )
            raise AwsError("InvalidParameterCombination", text)
        metric = read_metric(parameters)
        unit = parameters.get("Unit")
        return {
            "Label": metric.name,
            "Datapoints": [
                {
                    "Timestamp": datetime.fromtimestamp(begin, UTC),
                    "Unit": statistics.unit,
                    **{statistic: statistics.value(statistic) for statistic in wanted},
                }
                for begin, statistics in self._store.read(metric, start, end, period)
                if unit in (None, statistics.unit)
            ],
        }

    def get_metric_data(self, parameters: Parameters) -> Mapping[str, Any]:
        """Return the values of several metrics, each with the time at which its period begins."""
        start, end = parameters["StartTime"], parameters["EndTime"]
        check_times(start, end)
        ascending = parameters.get("ScanBy") == "TimestampAscending"
        results = []
        for query in read_queries(parameters):
            values = [
                (datetime.fromtimestamp(begin, UTC), statistics.value(query.statistic))
                for begin, statistics in self._store.read(query.metric, start, end, query.period)
                if query.unit in (None, statistics.unit)
            ]
            if not ascending:
                values.reverse()
            results.append(
                {
                    "Id": query.id,
                    "Label": query.label,
                    "Timestamps": [at for at, _ in values],
                    "Values": [value for _, value in values],
                    "StatusCode": "Complete",
                }
            )
        return {"MetricDataResults": results, "Messages": []}


def describe_metric(metric: Metric) -> dict[str, Any]:
    """Return a `Metric` of the API."""
    dimensions = [{"Name": name, "Value": value} for name, value in metric.dimensions]
    return {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions}
