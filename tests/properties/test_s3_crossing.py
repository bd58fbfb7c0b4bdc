"""Objects on their way to another region, whatever becomes of the link and of the source meanwhile."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from drdrill.aws.s3.change import Change, ChangeKind, Version
from drdrill.aws.s3.crossing import Crossing
from drdrill.aws.s3.rules import Rule
from drdrill.core.clock import NANOSECONDS
from drdrill.dataplane.link import LinkCondition

RULE = Rule("all", "there", "eu-central-1")
CONDITIONS = st.builds(
    LinkCondition,
    delay_seconds=st.sampled_from([0.0, 0.5, 3.0]),
    bytes_per_second=st.sampled_from([None, 10, 1000]),
    cut=st.booleans(),
)


@dataclass(frozen=True)
class Moment:
    """So much time passes under a condition; before that, objects of some sizes enter."""

    sizes: tuple[int, ...]
    seconds: float
    condition: LinkCondition
    dark: bool


MOMENTS = st.lists(
    st.builds(
        Moment,
        sizes=st.lists(st.integers(0, 200), max_size=3).map(tuple),
        seconds=st.floats(0.01, 5),
        condition=CONDITIONS,
        dark=st.booleans(),
    ),
    max_size=20,
)


@given(MOMENTS)
def test_order_and_loss(moments: list[Moment]) -> None:
    """Nothing is lost for good, doubled or overtaken; nothing comes over a cut, from a dark source, or too early."""
    crossing, now_ns = Crossing(), 0
    entered: dict[int, int] = {}  # the number of each object, and when it could have left at the earliest
    arrived: list[int] = []
    for moment in moments:
        for size in moment.sizes:
            number = len(entered)
            entered[number] = now_ns
            crossing.enter(_change(number, size), now_ns)
        now_ns += int(moment.seconds * NANOSECONDS)
        come = [
            int(one.source.key) for one in crossing.take_arrived(now_ns, moment.condition, dark=moment.dark)
        ]
        if moment.dark:
            entered |= {number: now_ns for number in entered if number not in arrived}
        assert not come or not (moment.dark or moment.condition.cut)
        assert all(now_ns - entered[one] >= moment.condition.delay_seconds * NANOSECONDS - 1 for one in come)
        arrived += come
        assert len(crossing) == len(entered) - len(arrived)
    end_ns = now_ns + 3600 * NANOSECONDS
    arrived += [int(one.source.key) for one in crossing.take_arrived(end_ns, LinkCondition(), dark=False)]
    assert arrived == list(entered)


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=10), st.sampled_from([10, 100, 999]))
def test_a_throttle_is_as_narrow_as_it_says(sizes: list[int], rate: int) -> None:
    """However often somebody looks, all bytes together take the time that the rate says."""
    crossing, condition = Crossing(), LinkCondition(bytes_per_second=rate)
    for number, size in enumerate(sizes):
        crossing.enter(_change(number, size), 0)
    whole = sum(sizes) / rate
    for step in range(1, 8):
        crossing.take_arrived(int(whole * step / 8 * NANOSECONDS), condition, dark=False)
    before = int((whole - 0.001) * NANOSECONDS)
    crossing.take_arrived(before, condition, dark=False)
    assert len(crossing) > 0
    crossing.take_arrived(int((whole + 0.001) * NANOSECONDS), condition, dark=False)
    assert len(crossing) == 0


def _change(number: int, size: int) -> Change:
    return Change(ChangeKind.OBJECT, Version("here", str(number), "1"), "eu-west-1", RULE, size, 0)
