"""From when to when `DescribeEvents` lists, which RDS and ElastiCache document in the same words."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from drdrill.aws.errors import AwsError

if TYPE_CHECKING:
    from datetime import datetime

    from drdrill.aws.protocol import Parameters

_DURATION_MINUTES = 60
_LONGEST_MINUTES = 14 * 24 * 60  # AWS keeps events for 14 days


def read_times(parameters: Parameters, now: datetime) -> tuple[datetime, datetime]:
    """Return from when to when; `Duration` counts back from the end, from a start alone it counts on."""
    minutes = parameters.get("Duration", _DURATION_MINUTES)
    if not 1 <= minutes <= _LONGEST_MINUTES:
        text = f"Invalid value {minutes} for Duration. Must be between 1 and {_LONGEST_MINUTES}"
        raise AwsError("InvalidParameterValue", text)
    start, end = parameters.get("StartTime"), parameters.get("EndTime")
    try:
        if start is not None and end is None and "Duration" in parameters:
            end = start + timedelta(minutes=minutes)
        end = end or now
        start = start or end - timedelta(minutes=minutes)
    except OverflowError as error:  # at the calendar's ends
        raise AwsError(
            "InvalidParameterValue", f"There is no time {minutes} minutes from that one."
        ) from error
    if start > end:
        raise AwsError("InvalidParameterCombination", "The StartTime must not be later than the EndTime")
    return start, end
