"""What the Describe operations of RDS have in common: pages, and filters, with AWS's limits and refusals."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, TypeVar

from drdrill.aws.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from drdrill.aws.protocol import Parameters
    from drdrill.aws.rds.model import InstanceRecord

Listed = TypeVar("Listed")
_FEWEST, _MOST = 20, 100  # of a page; API reference, MaxRecords of every Describe operation

_FILTERS: Mapping[str, Callable[[InstanceRecord], tuple[str, ...]]] = {
    "db-instance-id": lambda record: (record.identifier, record.arn.lower()),
    "dbi-resource-id": lambda record: (record.resource_id.lower(),),
    "engine": lambda _: ("postgres",),
    "db-cluster-id": lambda _: (),  # the mirror has no clusters
    "domain": lambda _: (),  # and no directories
}


def select_page(
    listed: Iterable[Listed], parameters: Parameters, *, key: Callable[[Listed], str]
) -> tuple[list[Listed], dict[str, str]]:
    """Return the page that was asked for, in the order of unique keys, and the `Marker` member if more follow.

    The marker holds the last key, so that what appears or goes between two pages shifts nothing.
    """
    limit = parameters.get("MaxRecords", _MOST)
    if not _FEWEST <= limit <= _MOST:
        text = f"Invalid value {limit} for MaxRecords. Must be between {_FEWEST} and {_MOST}"
        raise AwsError("InvalidParameterValue", text)
    after = _read_marker(parameters.get("Marker", ""))
    following = sorted((one for one in listed if key(one) > after), key=key)
    page = following[:limit]
    if len(following) == len(page):
        return page, {}
    return page, {"Marker": base64.urlsafe_b64encode(key(page[-1]).encode()).decode()}


def _read_marker(marker: str) -> str:
    try:
        return base64.b64decode(marker, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise AwsError("InvalidParameterValue", f"Invalid Marker: {marker}") from error


def read_filters(parameters: Parameters) -> Callable[[InstanceRecord], bool]:
    """Return what says whether an instance passes all `Filters`; raises AWS's error for a filter that there is not."""
    wanted = [
        (one.get("Name", ""), {value.lower() for value in one.get("Values", [])})
        for one in parameters.get("Filters", [])
    ]
    for name, _ in wanted:
        if name not in _FILTERS:
            raise AwsError("InvalidParameterValue", f"Unrecognized filter name: {name}")
    return lambda record: all(values & set(_FILTERS[name](record)) for name, values in wanted)
