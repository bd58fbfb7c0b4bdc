"""`DescribeEvents`: which events it lists, by AWS's API reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.aws.errors import AwsError
from drdrill.aws.event_times import read_times
from drdrill.aws.protocol import load_model
from drdrill.aws.rds.listing import select_page

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from drdrill.aws.elasticache.model import EventRecord
    from drdrill.aws.elasticache.region import CacheRegion
    from drdrill.aws.protocol import Parameters


class EventOperations:
    """The operations on the events of one region."""

    def __init__(self, region: CacheRegion) -> None:
        self._region = region

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {"DescribeEvents": self.describe_events}

    def describe_events(self, parameters: Parameters) -> Mapping[str, Any]:
        """List events of the last hour, or of the time that is asked for."""
        passes = _read_request(parameters, now=self._region.clock.utc())
        page, more = select_page(
            filter(passes, self._region.events()), parameters, key=lambda event: event.key
        )
        described = [
            {
                "SourceIdentifier": event.source,
                "SourceType": event.source_type,
                "Message": event.message,
                "Date": event.at,
            }
            for event in page
        ]
        return {"Events": described, **more}


def _read_request(parameters: Parameters, *, now: datetime) -> Callable[[EventRecord], bool]:
    """Return what says whether an event is asked for; raises what AWS raises for a wrong question."""
    kind, source = parameters.get("SourceType"), parameters.get("SourceIdentifier")
    kinds = load_model("elasticache").shape_for("SourceType").enum
    if kind is not None and kind not in kinds:
        raise AwsError("InvalidParameterValue", f"Invalid source type: {kind}. One of {', '.join(kinds)}")
    if source and kind is None:
        raise AwsError("InvalidParameterCombination", "SourceIdentifier needs a SourceType")
    start, end = read_times(parameters, now)
    return lambda event: (
        start <= event.at <= end and kind in (None, event.source_type) and source in (None, event.source)
    )
