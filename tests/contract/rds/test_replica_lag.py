"""CloudWatch's metrics of RDS: how far replicas lag, and how many are connected.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-metrics.html
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.Monitoring.html
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.core.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.plan.model import Plan
    from tests.contract.rds.conftest import NewInstance

pytestmark = pytest.mark.drill
_WITHIN = timedelta(seconds=150)  # AWS publishes once a minute; measured 1 s here
_EVERY = timedelta(seconds=1)
REPLICA = "lagging"


@pytest.fixture(scope="module")
def cloudwatch(client: Callable[..., Any], plan: Plan) -> Any:
    """Return a client of CloudWatch in the recovery region."""
    return client(plan.regions.recovery.name, "cloudwatch")


@pytest.fixture(scope="module")
def replica(rds: Any, rds_recovery: Any, new_instance: NewInstance, patience: dict[str, int]) -> str:
    """Return the name of a replica in the recovery region."""
    source = new_instance(rds, BackupRetentionPeriod=1)
    rds_recovery.create_db_instance_read_replica(
        DBInstanceIdentifier=REPLICA, SourceDBInstanceIdentifier=source["DBInstanceArn"]
    )
    rds_recovery.get_waiter("db_instance_available").wait(DBInstanceIdentifier=REPLICA, WaiterConfig=patience)
    return REPLICA


def _dimensions(instance: str) -> list[dict[str, str]]:
    return [{"Name": "DBInstanceIdentifier", "Value": instance}]


def _read(cloudwatch: Any, metric: str, instance: str, **changes: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    asked = {
        "Namespace": "AWS/RDS",
        "MetricName": metric,
        "Dimensions": _dimensions(instance),
        "StartTime": now - timedelta(minutes=5),
        "EndTime": now + timedelta(minutes=1),
        "Period": 60,
        "Statistics": ["Minimum", "Average", "Maximum", "SampleCount"],
        **changes,
    }
    answer: dict[str, Any] = cloudwatch.get_metric_statistics(**asked)
    return answer


@pytest.mark.parametrize(("metric", "unit"), [("ReplicaLag", "Seconds"), ("DatabaseConnections", "Count")])
def test_a_replicas_metrics(cloudwatch: Any, replica: str, metric: str, unit: str) -> None:
    """A replica that follows its source has data points of a minute, in the metric's unit.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
    """

    def points() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = _read(cloudwatch, metric, replica)["Datapoints"]
        return found

    wait_until(points, what=f"a data point of {metric}", within=_WITHIN, every=_EVERY)
    for point in points():
        assert point["Unit"] == unit
        assert 0 <= point["Minimum"] <= point["Average"] <= point["Maximum"]
        assert point["SampleCount"] >= 1
        assert point["Timestamp"].timestamp() % 60 == 0
        assert "Sum" not in point


def test_the_same_as_data(cloudwatch: Any, replica: str) -> None:
    """GetMetricData returns times and values side by side, the newest first.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
    """
    metric = {"Namespace": "AWS/RDS", "MetricName": "ReplicaLag", "Dimensions": _dimensions(replica)}
    now = datetime.now(UTC)

    def read() -> dict[str, Any] | None:
        (result,) = cloudwatch.get_metric_data(
            MetricDataQueries=[
                {"Id": "lag", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Maximum"}}
            ],
            StartTime=now - timedelta(minutes=5),
            EndTime=now + timedelta(minutes=5),
        )["MetricDataResults"]
        return result if result["Values"] else None

    result = wait_until(read, what="a value", within=_WITHIN, every=_EVERY)
    assert result is not None
    assert (result["Id"], result["Label"], result["StatusCode"]) == ("lag", "ReplicaLag", "Complete")
    assert result["Timestamps"] == sorted(result["Timestamps"], reverse=True)
    assert len(result["Values"]) == len(result["Timestamps"])


def test_what_has_no_lag(cloudwatch: Any, replica: str) -> None:
    """What was never measured has no data points: not zero, and not an error.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
    """
    assert _read(cloudwatch, "ReplicaLag", "nobody")["Datapoints"] == []
    assert _read(cloudwatch, "ReplicaLag", replica, Unit="Bytes")["Datapoints"] == []
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    times = {"StartTime": long_ago, "EndTime": long_ago + timedelta(hours=1)}
    assert _read(cloudwatch, "ReplicaLag", replica, **times)["Datapoints"] == []


def test_which_metrics_there_are(
    cloudwatch: Any, client: Callable[..., Any], plan: Plan, replica: str
) -> None:
    """A replica's lag is listed in its own region, and its source has none.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html
    """
    wanted = {"Namespace": "AWS/RDS", "MetricName": "ReplicaLag"}

    def listed() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = cloudwatch.list_metrics(**wanted)["Metrics"]
        return found

    wait_until(listed, what="a metric", within=_WITHIN, every=_EVERY)
    assert listed() == [{**wanted, "Dimensions": _dimensions(replica)}]
    assert client(plan.regions.primary.name, "cloudwatch").list_metrics(**wanted)["Metrics"] == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Period": 61}, "InvalidParameterValue"),
        ({"StartTime": datetime(2100, 1, 1, tzinfo=UTC)}, "InvalidParameterValue"),
        ({"Statistics": ["Median"]}, "InvalidParameterValue"),
        ({"StartTime": datetime(2020, 1, 1, tzinfo=UTC)}, "InvalidParameterCombination"),
    ],
)
def test_wrong_questions(cloudwatch: Any, changes: dict[str, Any], code: str) -> None:
    """A question that CloudWatch cannot answer is refused with its own error.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
    """
    with pytest.raises(cloudwatch.exceptions.ClientError) as caught:
        _read(cloudwatch, "ReplicaLag", REPLICA, **changes)
    assert caught.value.response["Error"]["Code"] == code
