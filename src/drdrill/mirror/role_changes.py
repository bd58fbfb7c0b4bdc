"""How often the writer's place changed in a store, by what the cloud told of its database instances.

Where a read replica was promoted, the store's writer is the old instance until then, and the new one from then on. What
either of them did at another time moved nobody who writes to the store, and must not be counted: a second writer could
hide behind it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Events = Sequence[Mapping[str, Any]]

PROMOTED = "MIRROR-REPLICA-PROMOTED"
_ROLE_CHANGES = ("RDS-EVENT-0049", PROMOTED)


def count_role_changes(own: Events) -> int:
    """Return how often the primary of an instance changed."""
    return sum(event["code"] in _ROLE_CHANGES for event in own)


def count_beside_heir(old: Events, heir: Events) -> int:
    """Return how often the writer changed before and with the promotion of an heir; what follows is the heir's."""
    promoted_ns = _find_promotion(heir)
    return 1 + count_role_changes([event for event in old if event["at_ns"] <= promoted_ns])


def count_before_promotion(heir: Events) -> int:
    """Return how many changes of an heir's primary came before or with its promotion: they are not the writer's."""
    promoted_ns = _find_promotion(heir)
    return count_role_changes([event for event in heir if event["at_ns"] <= promoted_ns])


def _find_promotion(heir: Events) -> float:
    """Return when the heir was promoted; a promotion that is not told yet is still to come."""
    return min((float(event["at_ns"]) for event in heir if event["code"] == PROMOTED), default=math.inf)
