"""What a request to CloudWatch asks for: which metric, which statistic, of which periods; and AWS's refusals."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drdrill.aws.cloudwatch.metrics import MINUTE, STATISTICS, Metric
from drdrill.aws.errors import AwsError, NotImplementedInMirrorError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from typing import Any

    from drdrill.aws.protocol import Parameters

_ID = re.compile(r"[a-z][a-zA-Z0-9_]{0,254}")
_MOST_QUERIES = 500  # API reference, GetMetricData
_FINER = frozenset({1, 5, 10, 20, 30})  # seconds: only of metrics that were stored so, and RDS stores none
_OPERATION = "cloudwatch:GetMetricData"
_KNOWN = frozenset({"MetricDataQueries", "StartTime", "EndTime", "ScanBy"})


@dataclass(frozen=True, slots=True)
class DataQuery:
    """One query of `GetMetricData`. `unit`: None takes every one."""

    id: str
    metric: Metric
    statistic: str
    period: int
    unit: str | None
    label: str


def check_times(start: datetime, end: datetime) -> None:
    """Raise AWS's error for a time that ends before it begins."""
    if start >= end:
        text = "The parameter StartTime must be less than the parameter EndTime."
        raise AwsError("InvalidParameterValue", text)


def check_period(period: int) -> int:
    """Return a period in seconds; raises AWS's error where it is none."""
    if period in _FINER:
        raise NotImplementedInMirrorError("A Period of less than 60 seconds")
    if period < MINUTE or period % MINUTE:
        raise AwsError("InvalidParameterValue", "The parameter Period must be a multiple of 60.")
    return period


def read_metric(described: Mapping[str, Any]) -> Metric:
    """Return the metric that a request names."""
    dimensions = sorted((one["Name"], one["Value"]) for one in described.get("Dimensions", []))
    return Metric(described.get("Namespace", ""), described.get("MetricName", ""), tuple(dimensions))


def read_queries(parameters: Parameters) -> tuple[DataQuery, ...]:
    """Return the queries of a `GetMetricData` whose results are asked for, in order."""
    for name in sorted(parameters.keys() - _KNOWN):
        raise NotImplementedInMirrorError(f"The parameter {name} of {_OPERATION}")
    if parameters.get("ScanBy", "TimestampAscending") not in ("TimestampAscending", "TimestampDescending"):
        raise AwsError(
            "ValidationError", f"The value {parameters['ScanBy']} for parameter ScanBy is not valid."
        )
    described = parameters["MetricDataQueries"]
    ids = [str(one["Id"]) for one in described]
    if len(ids) > _MOST_QUERIES:
        text = f"The collection MetricDataQueries must not have a size greater than {_MOST_QUERIES}."
        raise AwsError("ValidationError", text)
    for number, identifier in enumerate(ids):
        if not _ID.fullmatch(identifier):
            text = f"The value {identifier} for parameter MetricDataQueries.member.{number + 1}.Id is not matching "
            raise AwsError("ValidationError", text + "the expected pattern ^[a-z][a-zA-Z0-9_]*$.")
        if identifier in ids[:number]:
            raise AwsError(
                "ValidationError",
                f"The values for parameter id in MetricDataQueries are not unique: {identifier}.",
            )
    return tuple(_read_all(described))


def _read_all(described: list[Mapping[str, Any]]) -> Iterator[DataQuery]:
    for one in described:
        for name in ("Expression", "AccountId", "Period"):
            if one.get(name) is not None:
                raise NotImplementedInMirrorError(f"The parameter {name} of a query of {_OPERATION}")
        wanted = one.get("MetricStat")
        if wanted is None:
            text = f"Either MetricStat or Expression must be specified for the query {one['Id']}."
            raise AwsError("ValidationError", text)
        if wanted["Stat"] not in STATISTICS:
            raise NotImplementedInMirrorError(f"The statistic {wanted['Stat']} of {_OPERATION}")
        metric = read_metric(wanted["Metric"])
        query = DataQuery(
            one["Id"],
            metric,
            wanted["Stat"],
            check_period(wanted["Period"]),
            wanted.get("Unit"),
            one.get("Label", metric.name),
        )
        if one.get("ReturnData", True):
            yield query
