"""`DescribeEvents`: which events it lists, and how it describes them, by AWS's API reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.aws.errors import AwsError
from drdrill.aws.event_times import read_times
from drdrill.aws.protocol import load_model
from drdrill.aws.rds.listing import select_page

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from drdrill.aws.protocol import Parameters
    from drdrill.aws.rds.model import EventRecord
    from drdrill.aws.rds.region import RdsRegion


class EventOperations:
    """The operations on the events of one region."""

    def __init__(self, region: RdsRegion) -> None:
        self._region = region

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {"DescribeEvents": self.describe_events}

    def describe_events(self, parameters: Parameters) -> Mapping[str, Any]:
        """List events of the last hour, or of the time that is asked for."""
        passes = read_event_request(parameters, now=self._region.clock.utc())
        listed = filter(passes, self._region.events())
        page, more = select_page(listed, parameters, key=lambda event: event.key)
        return {"Events": [describe_event(event) for event in page], **more}


def read_event_request(parameters: Parameters, *, now: datetime) -> Callable[[EventRecord], bool]:
    """Return what says whether an event is asked for; raises what AWS raises for a wrong question."""
    kind, source = parameters.get("SourceType"), parameters.get("SourceIdentifier")
    categories = set(parameters.get("EventCategories", []))
    kinds = load_model("rds").shape_for("SourceType").enum
    if kind is not None and kind not in kinds:
        raise AwsError(
            "InvalidParameterValue", f"Invalid source type: {kind}. It must be one of {', '.join(kinds)}"
        )
    if source and kind is None:
        raise AwsError("InvalidParameterCombination", "Cannot specify SourceIdentifier without SourceType")
    if parameters.get("Filters"):
        raise AwsError("InvalidParameterValue", "Filters are not supported by DescribeEvents")
    start, end = read_times(parameters, now)
    return lambda event: (
        start <= event.at <= end
        and kind in (None, event.source_type)
        and source in (None, event.identifier)
        and (not categories or not categories.isdisjoint(event.categories))
    )


def describe_event(event: EventRecord) -> dict[str, Any]:
    """Return an `Event` of the API."""
    return {
        "SourceIdentifier": event.identifier,
        "SourceType": event.source_type,
        "Message": event.message,
        "EventCategories": list(event.categories),
        "Date": event.at,
        "SourceArn": event.arn,
    }
