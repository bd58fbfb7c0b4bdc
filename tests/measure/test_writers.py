"""What counts as proof of a second writer, and what does not."""

from __future__ import annotations

import pytest

from drdrill.measure.facts import Failover
from drdrill.measure.writers import count_allowed, watch_writers
from drdrill.record.ledger import Outcome
from tests.measure.histories import Attempt, make_client, make_ledger

YES, UNKNOWN = Outcome.ACKNOWLEDGED, Outcome.UNKNOWN
FIRST = Attempt(0, 0, YES, 5, server=1)
SECOND = Attempt(1, 10, YES, 15, server=2)
BACK = Attempt(2, 20, YES, 25, server=1)


def two_writers(attempts: list[Attempt], promotions: int | None) -> bool:
    """Return the verdict of the watch."""
    return watch_writers([make_ledger(make_client(1), attempts)], promotions).two_writers


@pytest.mark.parametrize(("promotions", "expected"), [(None, True), (1, True), (2, False)])
def test_more_changes_than_promotions_are_two_writers(promotions: int | None, expected: bool) -> None:
    """There and back are two changes: more than one promotion explains, and than one tenure a server."""
    assert two_writers([FIRST, SECOND, BACK], promotions) is expected


@pytest.mark.parametrize(("promotions", "expected"), [(None, False), (0, True), (1, False)])
def test_change_without_a_promotion_is_two_writers(promotions: int | None, expected: bool) -> None:
    """One change needs one promotion; how many there were may be unknown, which is not none."""
    assert two_writers([FIRST, SECOND], promotions) is expected


@pytest.mark.parametrize(
    "back",
    [
        [Attempt(2, 16, UNKNOWN, 17, server=1), Attempt(2, 20, YES, 25, server=1)],
        [Attempt(2, 20, YES, 25, server=0)],
        [Attempt(2, 20, UNKNOWN, 25, server=1)],
        [Attempt(2, 2, YES, 25, server=1)],
    ],
)
def test_doubtful_write_proves_nothing(back: list[Attempt]) -> None:
    """A retried, anonymous, unknown or overlapping write may have been committed elsewhere or earlier."""
    assert not two_writers([FIRST, SECOND, *back], 1)


def _reported(promotions: int, moves: int | None) -> Failover:
    return Failover("orders", promotions, moves, ())


@pytest.mark.parametrize(
    ("reported", "restored", "expected"),
    [
        ([], 1, None),
        ([_reported(1, 0)], 0, 1),
        ([_reported(1, 0), _reported(2, 1)], 1, 3),
        ([_reported(0, 0)], 1, 0),  # it served, and nobody put it in a place: a second writer
        ([_reported(0, 1)], 0, 0),  # it never served: there was nobody to change to
        ([_reported(2, None)], 1, 3),  # a drill from before moves were noted
    ],
)
def test_what_may_be_explained(reported: list[Failover], restored: int, expected: int | None) -> None:
    """Role changes that were reported, and restored databases that served because they were put in a place."""
    assert count_allowed(reported, restored) == expected
