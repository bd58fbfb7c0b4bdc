"""The way between two regions: how long changes are under way, and which of them a lost source loses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from drdrill.aws.s3.change import Change, ChangeKind, Version
from drdrill.aws.s3.crossing import Crossing
from drdrill.aws.s3.rules import Rule
from drdrill.core.clock import NANOSECONDS
from drdrill.dataplane.link import LinkCondition

RULE = Rule("all", "there", "eu-central-1")
QUICK = LinkCondition()


def _change(key: str, size: int = 0) -> Change:
    return Change(ChangeKind.OBJECT, Version("here", key, "1"), "eu-west-1", RULE, size, 0)


class Way:
    """A crossing on whose clock the test turns."""

    def __init__(self) -> None:
        self.crossing = Crossing()
        self.now = 0.0

    def enter(self, key: str, size: int = 0) -> None:
        """Put a change on its way now."""
        self.crossing.enter(_change(key, size), int(self.now * NANOSECONDS))

    def take(self, now: float, condition: LinkCondition = QUICK, *, dark: bool = False) -> list[str]:
        """Let time pass, and return what has arrived."""
        self.now = now
        arrived = self.crossing.take_arrived(int(now * NANOSECONDS), condition, dark=dark)
        return [one.source.key for one in arrived]


@pytest.fixture
def way() -> Way:
    """Return a way on which nothing is."""
    return Way()


def test_without_a_delay(way: Way) -> None:
    """What enters a link that is as quick as can be has arrived when somebody looks."""
    way.enter("a")
    assert way.take(0) == ["a"]
    assert len(way.crossing) == 0


def test_a_delay_is_each_ones_own(way: Way) -> None:
    """Changes are under way side by side: a delay is no queue."""
    slow = LinkCondition(delay_seconds=2)
    way.enter("a")
    way.take(1, slow)
    way.enter("b")
    assert way.take(1.9, slow) == []
    assert way.take(2.5, slow) == ["a"]
    assert way.take(3, slow) == ["b"]


def test_a_throttle_is_everybodys(way: Way) -> None:
    """A throttled link passes so many bytes a second, whoever's they are, and then delays them."""
    narrow = LinkCondition(delay_seconds=1, bytes_per_second=100)
    for key in "abc":
        way.enter(key, 100)
    assert way.take(1.9, narrow) == []
    assert way.take(2, narrow) == ["a"]
    assert way.take(3.5, narrow) == ["b"]
    assert way.take(4, narrow) == ["c"]


def test_a_throttle_that_ends(way: Way) -> None:
    """What is left of an object goes on at the new rate; what has passed is not sent again."""
    narrow = LinkCondition(bytes_per_second=100)
    way.enter("a", 1000)
    assert way.take(5, narrow) == []
    assert way.take(9.9, narrow) == []
    assert way.take(10, replace(narrow, bytes_per_second=1000)) == ["a"]


def test_a_cut_holds(way: Way) -> None:
    """A cut link loses nothing: what is under way arrives when it is mended, what waits begins its way then."""
    slow = LinkCondition(delay_seconds=2)
    way.enter("a")
    way.take(1, slow)
    way.enter("b")
    for now in (5, 10):
        assert way.take(now, replace(slow, cut=True)) == []
    assert way.take(10.1, slow) == ["a"]
    assert way.take(11.9, slow) == []
    assert way.take(12.1, slow) == ["b"]


def test_a_dark_source_loses(way: Way) -> None:
    """What is under way when its source goes dark never arrives; all of it begins anew when that is back, in order."""
    slow = LinkCondition(delay_seconds=2)
    way.enter("a", 10)
    way.take(1, slow)
    way.enter("b", 10)
    assert way.take(1.5, slow, dark=True) == []
    assert way.take(60, slow, dark=True) == []
    assert [one.source.key for one in way.crossing] == ["a", "b"]
    assert way.take(61.9, slow) == []
    assert way.take(62.1, slow) == ["a", "b"]
