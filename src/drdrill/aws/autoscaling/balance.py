"""Which zone gets the next instance and which instance goes: pure choices by AWS's rules.

Sources: Auto Scaling User Guide, "Auto Scaling benefits for application architecture" (instances are spread evenly; a
zone with the fewest gets the next; another one when it fails; rebalancing launches before it terminates), and "Default
termination policy" (the zone with the most instances, in it the oldest).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from drdrill.aws.autoscaling.model import Member


def choose_zone(zones: Sequence[str], members: Sequence[Member], refused: Collection[str]) -> str | None:
    """Return the zone with the fewest instances of those that did not refuse one, None when all did."""
    counts = Counter(member.zone for member in members)
    open_zones = [zone for zone in zones if zone not in refused]
    return min(open_zones, key=lambda zone: counts[zone], default=None)


def choose_victim(zones: Sequence[str], members: Sequence[Member]) -> Member:
    """Return the oldest instance of the zone with the most; one in a zone that is not the group's goes first."""
    outside = [member for member in members if member.zone not in zones]
    if outside:
        return min(outside, key=lambda member: member.since_ns)
    counts = Counter(member.zone for member in members)
    most = max(counts.values())
    return min((one for one in members if counts[one.zone] == most), key=lambda member: member.since_ns)


def find_empty_place(zones: Sequence[str], members: Sequence[Member], refused: Collection[str]) -> str | None:
    """Return the zone in which an instance of another zone should rather stand, None when they are balanced."""
    counts = Counter(member.zone for member in members)
    if not counts:
        return None
    target = choose_zone(zones, members, refused)
    if target is None:
        return None
    crowded = max(counts.values()) - counts[target] > 1
    return target if crowded or counts.keys() - set(zones) else None
