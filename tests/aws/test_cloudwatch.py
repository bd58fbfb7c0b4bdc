"""CloudWatch through the SDK, in each protocol that SDKs speak to it, over metrics that the test measured."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from botocore.loaders import Loader

from drdrill.aws.cloudwatch import CloudWatchService, Metric, MetricStore
from tests.aws.sdk import REGION, Wire

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LAG = Metric("AWS/RDS", "ReplicaLag", (("DBInstanceIdentifier", "reader"),))
DESCRIBED = {
    "Namespace": "AWS/RDS",
    "MetricName": "ReplicaLag",
    "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": "reader"}],
}
TIMES = {"StartTime": NOON, "EndTime": NOON + timedelta(minutes=10)}


@dataclass
class WallClock:
    """A clock that stands where it is put."""

    at: datetime = NOON

    def utc(self) -> datetime:
        """Return the time."""
        return self.at

    def now_ns(self) -> int:
        """Return nothing of use: what is measured carries the wall clock's time."""
        return 0

    def sleep(self, seconds: float) -> None:
        """Pass the time."""
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> WallClock:
    """Return a clock that stands at noon."""
    return WallClock()


@pytest.fixture
def store(clock: WallClock) -> MetricStore:
    """Return metrics of three minutes, with a gap of one: 1 and 3, nothing, 5."""
    store = MetricStore(clock)
    for value, seconds in ((1.0, 30), (3.0, 60), (5.0, 30)):
        store.put(LAG, value, "Seconds")
        clock.sleep(seconds)
    store.put(Metric("AWS/RDS", "DatabaseConnections", LAG.dimensions), 7, "Count")
    return store


@pytest.fixture(params=["smithy-rpc-v2-cbor", "json", "query"])
def cloudwatch(request: pytest.FixtureRequest, store: MetricStore, tmp_path: Path) -> Any:
    """Return an SDK's client that speaks one protocol."""
    model = Loader().load_service_model("cloudwatch", "service-2")
    model["metadata"]["protocol"] = request.param
    model["metadata"]["protocols"] = [request.param]
    folder = tmp_path / "cloudwatch" / model["metadata"]["apiVersion"]
    folder.mkdir(parents=True)
    (folder / "service-2.json").write_text(json.dumps(model))
    return Wire({(REGION, "monitoring"): CloudWatchService(store)}).client("cloudwatch", models=tmp_path)


def _code(cloudwatch: Any, operation: str, **parameters: Any) -> str:
    with pytest.raises(ClientError) as caught:
        getattr(cloudwatch, operation)(**parameters)
    return str(caught.value.response["Error"]["Code"])


def test_statistics_of_each_minute(cloudwatch: Any) -> None:
    """Each minute in which something was measured has its statistics; the one between is not there."""
    wanted = ["SampleCount", "Sum", "Average", "Minimum", "Maximum"]
    answer = cloudwatch.get_metric_statistics(**DESCRIBED, **TIMES, Period=60, Statistics=wanted)
    assert answer["Label"] == "ReplicaLag"
    points = sorted(answer["Datapoints"], key=lambda point: point["Timestamp"])
    assert [point["Timestamp"] for point in points] == [NOON, NOON + timedelta(minutes=1)]
    assert [[point[name] for name in wanted] for point in points] == [[2, 4, 2, 1, 3], [1, 5, 5, 5, 5]]
    assert {point["Unit"] for point in points} == {"Seconds"}


def test_statistics_of_longer_periods(cloudwatch: Any) -> None:
    """A longer period has the statistics of its minutes together, and begins where the question begins."""
    start = NOON - timedelta(minutes=1, seconds=-10)
    (point,) = cloudwatch.get_metric_statistics(
        **DESCRIBED, StartTime=start, EndTime=NOON + timedelta(minutes=9), Period=300, Statistics=["Average"]
    )["Datapoints"]
    assert point["Timestamp"] == NOON - timedelta(minutes=1)
    assert point["Average"] == 3
    assert "Maximum" not in point


@pytest.mark.parametrize("unit", ["Bytes", "None"])
def test_another_unit(cloudwatch: Any, unit: str) -> None:
    """A metric that has another unit than is asked for has no data points."""
    answer = cloudwatch.get_metric_statistics(**DESCRIBED, **TIMES, Period=60, Statistics=["Sum"], Unit=unit)
    assert answer["Datapoints"] == []


def test_data_of_several_metrics(cloudwatch: Any) -> None:
    """Every query has its answer under its id, in the order of time that is asked for."""
    connections = {**DESCRIBED, "MetricName": "DatabaseConnections"}
    queries = [
        {"Id": "lag", "MetricStat": {"Metric": DESCRIBED, "Period": 60, "Stat": "Maximum"}},
        {"Id": "users", "MetricStat": {"Metric": connections, "Period": 60, "Stat": "Sum"}, "Label": "Users"},
        {
            "Id": "hidden",
            "MetricStat": {"Metric": DESCRIBED, "Period": 60, "Stat": "Sum"},
            "ReturnData": False,
        },
    ]
    asked = {"MetricDataQueries": queries, **TIMES}
    lag, users = cloudwatch.get_metric_data(**asked)["MetricDataResults"]
    assert (lag["Id"], lag["Label"], lag["Values"]) == ("lag", "ReplicaLag", [5, 3])
    assert lag["Timestamps"] == [NOON + timedelta(minutes=1), NOON]
    assert (users["Id"], users["Label"], users["Values"]) == ("users", "Users", [7])
    first, _ = cloudwatch.get_metric_data(**asked, ScanBy="TimestampAscending")["MetricDataResults"]
    assert first["Values"] == [3, 5]


def test_which_metrics_there_are(cloudwatch: Any) -> None:
    """Metrics are listed by namespace, name and dimensions."""
    everything = cloudwatch.list_metrics()["Metrics"]
    assert [one["MetricName"] for one in everything] == ["DatabaseConnections", "ReplicaLag"]
    assert cloudwatch.list_metrics(MetricName="ReplicaLag")["Metrics"] == [DESCRIBED]
    assert cloudwatch.list_metrics(Dimensions=[{"Name": "DBInstanceIdentifier"}])["Metrics"] == everything
    other = [{"Name": "DBInstanceIdentifier", "Value": "another"}]
    assert cloudwatch.list_metrics(Dimensions=other)["Metrics"] == []
    assert cloudwatch.list_metrics(Namespace="AWS/EC2")["Metrics"] == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Period": 61}, "InvalidParameterValue"),
        ({"EndTime": NOON}, "InvalidParameterValue"),
        ({"EndTime": NOON + timedelta(days=30)}, "InvalidParameterCombination"),
        ({"Statistics": ["Median"]}, "InvalidParameterValue"),
        ({"Period": 10}, "NotImplemented"),
        ({"ExtendedStatistics": ["p99"]}, "NotImplemented"),
    ],
)
def test_questions_that_are_refused(cloudwatch: Any, changes: dict[str, Any], code: str) -> None:
    """What CloudWatch refuses is refused with its code, what the mirror cannot do by name."""
    asked = {**DESCRIBED, **TIMES, "Period": 60, "Statistics": ["Sum"], **changes}
    assert _code(cloudwatch, "get_metric_statistics", **asked) == code


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"Id": "Lag"}, "ValidationError"),
        ({"MetricStat": None}, "ValidationError"),
        ({"Expression": "SUM(METRICS())"}, "NotImplemented"),
        ({"MetricStat": {"Metric": DESCRIBED, "Period": 60, "Stat": "p99"}}, "NotImplemented"),
        ({"MetricStat": {"Metric": DESCRIBED, "Period": 90, "Stat": "Sum"}}, "InvalidParameterValue"),
    ],
)
def test_queries_that_are_refused(cloudwatch: Any, query: dict[str, Any], code: str) -> None:
    """A query that cannot be answered refuses the whole request."""
    stat = {"Metric": DESCRIBED, "Period": 60, "Stat": "Sum"}
    wanted = {"Id": "lag", "MetricStat": stat, **query}
    wanted = {name: value for name, value in wanted.items() if value is not None}
    assert _code(cloudwatch, "get_metric_data", MetricDataQueries=[wanted], **TIMES) == code


def test_ids_that_are_not_unique(cloudwatch: Any) -> None:
    """Two queries of one id cannot be told apart."""
    query = {"Id": "lag", "MetricStat": {"Metric": DESCRIBED, "Period": 60, "Stat": "Sum"}}
    assert (
        _code(cloudwatch, "get_metric_data", MetricDataQueries=[query, query], **TIMES) == "ValidationError"
    )


def test_what_is_not_there(cloudwatch: Any) -> None:
    """An operation that the mirror does not have is refused by name, in the protocol of the call."""
    with pytest.raises(ClientError, match="cloudwatch:DescribeAlarms") as caught:
        cloudwatch.describe_alarms()
    assert caught.value.response["Error"]["Code"] == "NotImplemented"


@pytest.mark.parametrize("body", [b"\xff", b"{", b"\xa1", b"[1", b'{"Period": "x"}'])
@pytest.mark.parametrize("content_type", ["application/cbor", "application/x-amz-json-1.0"])
def test_a_broken_body(store: MetricStore, body: bytes, content_type: str) -> None:
    """A body that cannot be read, or holds what no parameter can be, is the caller's mistake, not a failure of ours."""
    wire = Wire({(REGION, "monitoring"): CloudWatchService(store)})
    environ = {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": content_type,
        "PATH_INFO": "/service/GraniteServiceVersion20100801/operation/GetMetricStatistics",
        "HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 Credential=x/20260301/{REGION}/monitoring/aws4_request",
    }
    if content_type == "application/cbor":
        environ["HTTP_SMITHY_PROTOCOL"] = "rpc-v2-cbor"
    else:
        environ["HTTP_X_AMZ_TARGET"] = "GraniteServiceVersion20100801.GetMetricStatistics"
    status, _, _ = wire.call(environ, body)
    assert status.startswith("400")
    assert wire.failures == []


def test_old_minutes_go(clock: WallClock) -> None:
    """Statistics of a minute are kept for 15 days."""
    store = MetricStore(clock)
    store.put(LAG, 1.0, "Seconds")
    for _ in range(15 * 24 * 60):
        clock.sleep(60)
        store.put(LAG, 2.0, "Seconds")
    (first, *_), *_ = store.read(LAG, NOON, clock.at + timedelta(minutes=1), 60)
    assert first == (NOON + timedelta(minutes=1)).timestamp()
