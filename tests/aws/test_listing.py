"""Pages, filters and times of the Describe operations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from drdrill.aws.errors import AwsError
from drdrill.aws.rds.events import describe_event, read_event_request
from drdrill.aws.rds.listing import read_filters, select_page
from drdrill.aws.rds.model import EventRecord, InstanceRecord

NOW = datetime(2026, 11, 25, 22, 0, tzinfo=UTC)
NAMES = [f"db-{number:03d}" for number in range(45)]


def _instance(identifier: str) -> InstanceRecord:
    return InstanceRecord(
        identifier=identifier, resource_id=f"db-{identifier.upper()}", region="eu-west-1",
        instance_class="db.r6g.large", allocated_storage=20, engine_version="18.1", master_username="somebody",
        database=None, multi_az=False, publicly_accessible=False, deletion_protection=False, endpoint="",
    )  # fmt: skip


def _event(minutes_ago: float, *, identifier: str = "payments", category: str = "failover") -> EventRecord:
    at = NOW - timedelta(minutes=minutes_ago)
    return EventRecord(
        at=at, at_ns=int(at.timestamp() * 1e9), identifier=identifier, arn=f"arn:{identifier}",
        code="RDS-EVENT-0049", message="completed", categories=(category,),
    )  # fmt: skip


def _list_all(names: list[str], **parameters: Any) -> list[list[str]]:
    pages: list[list[str]] = []
    marker: dict[str, str] = {}
    while True:
        page, marker = select_page(names, {**parameters, **marker}, key=str)
        pages.append(page)
        if not marker:
            return pages


@pytest.mark.parametrize(
    ("parameters", "sizes"), [({"MaxRecords": 20}, [20, 20, 5]), ({"MaxRecords": 45}, [45]), ({}, [45])]
)
def test_pages_are_complete_and_in_order(parameters: dict[str, int], sizes: list[int]) -> None:
    """All pages together are everything, once, and the last page has no marker."""
    pages = _list_all(NAMES[::-1], **parameters)
    assert [len(page) for page in pages] == sizes
    assert [name for page in pages for name in page] == NAMES
    assert _list_all([]) == [[]]


def test_what_goes_between_two_pages_shifts_nothing() -> None:
    """An item that vanished after the first page does not hide another one."""
    _, marker = select_page(NAMES, {"MaxRecords": 20}, key=str)
    page, _ = select_page(NAMES[7:], {"MaxRecords": 20, **marker}, key=str)
    assert page == NAMES[20:40]


@pytest.mark.parametrize(
    "parameters", [{"MaxRecords": 19}, {"MaxRecords": 101}, {"Marker": "ä"}, {"Marker": "/w=="}]
)
def test_wrong_pages(parameters: dict[str, Any]) -> None:
    """A page of a size that AWS does not give, or a marker that it never gave, is refused."""
    with pytest.raises(AwsError, match="Invalid") as caught:
        select_page(NAMES, parameters, key=str)
    assert caught.value.code == "InvalidParameterValue"


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([], ["one", "two"]),
        ([("db-instance-id", ["ONE", "three"])], ["one"]),
        ([("db-instance-id", ["arn:aws:rds:eu-west-1:000000000000:db:two"])], ["two"]),
        ([("dbi-resource-id", ["db-TWO"]), ("engine", ["postgres"])], ["two"]),
        ([("db-instance-id", ["one"]), ("engine", ["mysql"])], []),
        ([("db-cluster-id", ["one"])], []),
    ],
)
def test_filters(filters: list[tuple[str, list[str]]], expected: list[str]) -> None:
    """An instance is listed when it has one of the values of every filter."""
    passes = read_filters({"Filters": [{"Name": name, "Values": values} for name, values in filters]})
    assert [name for name in ("one", "two") if passes(_instance(name))] == expected


def test_an_unknown_filter() -> None:
    """A filter that AWS does not have is refused, whether there are instances or not."""
    with pytest.raises(AwsError, match="Unrecognized filter name: colour"):
        read_filters({"Filters": [{"Name": "colour", "Values": ["red"]}]})


@pytest.mark.parametrize(
    ("parameters", "minutes_ago"),
    [
        ({}, [59, 30, 1]),
        ({"Duration": 40}, [30, 1]),
        ({"StartTime": NOW - timedelta(minutes=90)}, [80, 59, 30, 1]),
        ({"StartTime": NOW - timedelta(minutes=90), "Duration": 15}, [80]),
        ({"EndTime": NOW - timedelta(minutes=45), "Duration": 20}, [59]),
        ({"StartTime": NOW - timedelta(minutes=90), "EndTime": NOW - timedelta(minutes=45)}, [80, 59]),
        ({"SourceType": "db-cluster"}, []),
        ({"SourceType": "db-instance", "SourceIdentifier": "payments"}, [59, 30, 1]),
        ({"SourceType": "db-instance", "SourceIdentifier": "orders"}, []),
        ({"EventCategories": ["creation", "failover"]}, [59, 30, 1]),
        ({"EventCategories": ["creation"]}, []),
    ],
)
def test_which_events_are_listed(parameters: dict[str, Any], minutes_ago: list[int]) -> None:
    """Time, source and categories select events as the API reference says."""
    passes = read_event_request(parameters, now=NOW)
    assert [minutes for minutes in (80, 59, 30, 1) if passes(_event(minutes))] == minutes_ago


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"SourceIdentifier": "payments"}, "InvalidParameterCombination"),
        ({"SourceType": "teapot"}, "InvalidParameterValue"),
        ({"Duration": 0}, "InvalidParameterValue"),
        ({"Duration": 20161}, "InvalidParameterValue"),
        ({"StartTime": NOW, "EndTime": NOW - timedelta(minutes=1)}, "InvalidParameterCombination"),
        ({"StartTime": datetime.max.replace(tzinfo=UTC), "Duration": 60}, "InvalidParameterValue"),
        ({"EndTime": datetime.min.replace(tzinfo=UTC)}, "InvalidParameterValue"),
        ({"Filters": [{"Name": "x", "Values": ["y"]}]}, "InvalidParameterValue"),
    ],
)
def test_wrong_questions_about_events(parameters: dict[str, Any], code: str) -> None:
    """What AWS refuses to list is refused with its code."""
    with pytest.raises(AwsError) as caught:
        read_event_request(parameters, now=NOW)
    assert caught.value.code == code


def test_an_event_as_the_api_says_it() -> None:
    """An event is described without our own code of its kind."""
    assert describe_event(_event(1)) == {
        "SourceIdentifier": "payments",
        "SourceType": "db-instance",
        "Message": "completed",
        "EventCategories": ["failover"],
        "Date": NOW - timedelta(minutes=1),
        "SourceArn": "arn:payments",
    }
