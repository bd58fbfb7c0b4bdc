"""Names: by DNS, where one leads; by Route 53's API, in which hosted zone it is, and which records it has.

DNS answers also when Route 53's API does not: that one sits in us-east-1.
"""

from __future__ import annotations

import socket
from typing import Any


def resolve(name: str) -> frozenset[str]:
    """Return the addresses of a name, by DNS; none when nobody knows it."""
    try:
        found = socket.getaddrinfo(name, 443, type=socket.SOCK_STREAM)
    except OSError:
        return frozenset()
    return frozenset(str(one[4][0]) for one in found)


def find_zone(route53: Any, name: str) -> str | None:
    """Return the id of the nearest hosted zone around a name; None: there is none."""
    rest = name.partition(".")[2]
    while "." in rest:
        zones = route53.list_hosted_zones_by_name(DNSName=rest, MaxItems="1")["HostedZones"]
        if zones and zones[0]["Name"] == f"{rest}.":
            identifier: str = zones[0]["Id"]
            return identifier
        rest = rest.partition(".")[2]
    return None


def read_records(route53: Any, name: str, kind: str, *, most: int = 1) -> list[dict[str, Any]]:
    """Return the records of a name of one type, at most so many."""
    zone = find_zone(route53, name)
    if zone is None:
        return []
    answer = route53.list_resource_record_sets(
        HostedZoneId=zone, StartRecordName=name, StartRecordType=kind, MaxItems=str(most)
    )  # from that name on: what comes next may be another one's
    return [
        one for one in answer["ResourceRecordSets"] if (one["Name"], one.get("Type")) == (f"{name}.", kind)
    ]


def read_alias(route53: Any, name: str) -> str | None:
    """Return what a name is an alias of (CNAME); None: it is none."""
    records = read_records(route53, name, "CNAME")
    if not records:
        return None
    value: str = records[0]["ResourceRecords"][0]["Value"]
    return value.rstrip(".")
