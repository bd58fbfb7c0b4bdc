"""Which of several record sets of one name answers: Route 53's routing policies, as a function of health and chance.

Source: Route 53's developer guide, "How Amazon Route 53 chooses records when health checking is configured" and the
pages of the policies. Where nothing is healthy, everything counts as healthy: an answer is better than none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.dataplane.dns_records import FailoverRole, Policy, RecordSet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

_MOST_ANSWERED = 8  # of multivalue answers


def choose(
    sets: Sequence[RecordSet],
    *,
    healthy: Callable[[RecordSet], bool],
    chance: Random,
    regions: Sequence[str],
) -> Sequence[RecordSet]:
    """Return the sets that answer one question; `regions` are those of the records, the nearest to whoever asks first.

    A simple record answers whatever its health.
    """
    match sets[0].policy:
        case Policy.SIMPLE:
            return sets[:1]
        case Policy.WEIGHTED:
            return [_weigh([one for one in sets if healthy(one)], chance) or _weigh(sets, chance) or sets[0]]
        case Policy.FAILOVER:
            return [_fail_over(sets, healthy)]
        case Policy.LATENCY:
            able = [one for one in sets if healthy(one)] or sets
            return [min(able, key=lambda one: _distance(one.region, regions))]
        case Policy.MULTIVALUE:
            able = [one for one in sets if healthy(one)] or sets
            return chance.sample(list(able), min(_MOST_ANSWERED, len(able)))


def _weigh(sets: Sequence[RecordSet], chance: Random) -> RecordSet | None:
    """Draw one by weight; those of weight 0 are drawn, each as likely, only where no other is left."""
    weighty = [one for one in sets if one.weight]
    if weighty:
        return chance.choices(weighty, weights=[one.weight for one in weighty])[0]
    return chance.choice(list(sets)) if sets else None


def _fail_over(sets: Sequence[RecordSet], healthy: Callable[[RecordSet], bool]) -> RecordSet:
    """Return the primary, unless only the secondary is healthy."""
    primary = next((one for one in sets if one.role is FailoverRole.PRIMARY), None)
    secondary = next((one for one in sets if one.role is FailoverRole.SECONDARY), None)
    if primary is None or secondary is None:
        return sets[0]
    return secondary if not healthy(primary) and healthy(secondary) else primary


def _distance(region: str, regions: Sequence[str]) -> tuple[int, str]:
    return (regions.index(region) if region in regions else len(regions)), region
