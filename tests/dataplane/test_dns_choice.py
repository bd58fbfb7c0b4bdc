"""Which record sets answer, by policy, health and chance."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import TYPE_CHECKING

import pytest

from drdrill.dataplane.dns_choice import choose
from drdrill.dataplane.dns_records import FailoverRole, Policy, RecordSet

if TYPE_CHECKING:
    from collections.abc import Sequence


def _draw(sets: Sequence[RecordSet], ill: Sequence[str] = (), times: int = 1000) -> Counter[str]:
    chance = Random(7)  # noqa: S311 (seeded)
    found: Counter[str] = Counter()
    for _ in range(times):
        chosen = choose(
            sets, healthy=lambda one: one.values[0] not in ill, chance=chance, regions=("here", "there")
        )
        found.update(one.values[0] for one in chosen)
    return found


def _weighted(**weights: int) -> list[RecordSet]:
    return [RecordSet((name,), 60, policy=Policy.WEIGHTED, weight=weight) for name, weight in weights.items()]


def test_weights_share_questions() -> None:
    """Questions are shared by weight, and a record of weight 0 gets none.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/routing-policy-weighted.html
    """
    found = _draw(_weighted(a=90, b=10, c=0))
    assert found["c"] == 0
    assert 50 < found["b"] < 150


@pytest.mark.parametrize(
    ("ill", "expected"),
    [
        ((), {"a"}),
        (("a",), {"zero", "nought"}),
        (("a", "zero"), {"nought"}),
        (("a", "zero", "nought"), {"a"}),
    ],
)
def test_weight_zero_is_the_last_resort(ill: tuple[str, ...], expected: set[str]) -> None:
    """Weight 0 answers only when nothing of weight is healthy; where nothing is, everything counts as healthy.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-how-route-53-chooses-records.html
    """
    assert set(_draw(_weighted(a=1, zero=0, nought=0), ill)) == expected


def test_all_weights_zero() -> None:
    """Where every weight is 0, each is as likely.

    https://docs.aws.amazon.com/Route53/latest/APIReference/API_ResourceRecordSet.html
    """
    assert set(_draw(_weighted(a=0, b=0))) == {"a", "b"}


@pytest.mark.parametrize(("ill", "expected"), [((), "p"), (("p",), "s"), (("s",), "p"), (("p", "s"), "p")])
def test_failover(ill: tuple[str, ...], expected: str) -> None:
    """The secondary answers only while it is healthy and the primary is not.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-simple-configs.html
    """
    roles = (("s", FailoverRole.SECONDARY), ("p", FailoverRole.PRIMARY))
    sets = [RecordSet((name,), 60, policy=Policy.FAILOVER, role=role) for name, role in roles]
    assert set(_draw(sets, ill, times=1)) == {expected}


@pytest.mark.parametrize(("ill", "expected"), [((), "near"), (("near",), "far"), (("near", "far"), "near")])
def test_latency(ill: tuple[str, ...], expected: str) -> None:
    """The nearest healthy region answers.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/routing-policy-latency.html
    """
    places = (("far", "there"), ("near", "here"))
    sets = [RecordSet((name,), 60, policy=Policy.LATENCY, region=region) for name, region in places]
    assert set(_draw(sets, ill, times=1)) == {expected}


def test_multivalue() -> None:
    """At most eight healthy records answer, others each time; where none is healthy, any do.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/routing-policy-multivalue.html
    """
    sets = [RecordSet((str(number),), 60, policy=Policy.MULTIVALUE) for number in range(12)]
    once = _draw(sets, times=1)
    assert (len(once), set(once.values())) == (8, {1})
    assert set(_draw(sets, times=100)) == {str(number) for number in range(12)}
    assert set(_draw(sets, ill=[str(number) for number in range(2, 12)], times=1)) == {"0", "1"}
    assert len(_draw(sets, ill=[str(number) for number in range(12)], times=1)) == 8
