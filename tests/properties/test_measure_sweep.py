"""The swept RPA on simulated primaries, against the loss that really would have been at every single moment."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from drdrill.measure.curve import UNBOUNDED, Curve
from drdrill.measure.replication import FRESH_NS, Reading
from drdrill.measure.sweep import sweep
from tests.measure.histories import Attempt, make_client, make_ledger

_SERVER = 7
_END = 130
_LAST = _END + 10  # answers come until then
# A simulated unit is so long that a few missed readings are no longer fresh.
_UNIT = FRESH_NS // 40


@dataclass(frozen=True, slots=True)
class World:
    """A primary whose log grows by one with every commit, and a standby that follows. All in units.

    `writes`: (attempted, committed, acknowledged); `flushed[t]`: the standby's position at t, which never goes
    back; `readings`: (asked, position told, flush position told), the latter None where none streams.
    """

    writes: tuple[tuple[int, int, int], ...]
    flushed: tuple[int, ...]
    readings: tuple[tuple[int, int, int | None], ...]

    def position(self, at: int) -> int:
        """Return the primary's position: the number of commits so far."""
        return bisect_right([committed for _, committed, _ in self.writes], at)

    def loss(self, at: int) -> tuple[int, int]:
        """Return what would be lost at a moment: how much time of acknowledgements, and how many."""
        told = [(acknowledged, place) for place, (_, _, acknowledged) in enumerate(self.writes, start=1)]
        told = [(acknowledged, place) for acknowledged, place in told if acknowledged <= at]
        lost = [acknowledged for acknowledged, place in told if place > self.flushed[at]]
        return (max(one for one, _ in told) - min(lost) if lost else 0), len(lost)


@st.composite
def worlds(draw: st.DrawFn, *, synchronous: bool = False) -> World:
    """Draw a world whose clock ticks in units; the standby follows in jumps, at times not at all."""
    commits = sorted(draw(st.lists(st.integers(6, _END - 1), min_size=1, max_size=20)))
    flushed, jumps = [0] * (_LAST + 1), draw(st.lists(st.integers(0, _END), max_size=12))
    for at in range(1, _LAST + 1):
        has = bisect_right(commits, at)
        lacks = has - flushed[at - 1]
        step = draw(st.integers(0, lacks)) if lacks and (at in jumps or synchronous) else 0
        flushed[at] = flushed[at - 1] + step
        if synchronous and at >= _END:
            flushed[at] = len(commits)
    writes = []
    for place, committed in enumerate(commits, start=1):
        answered = committed + draw(st.integers(0, 6))
        if synchronous:
            answered = max(answered, next(at for at in range(_LAST + 1) if flushed[at] >= place))
        writes.append((committed - draw(st.integers(0, 5)), committed, answered))
    asked, readings = draw(st.integers(0, 10)), []
    while asked < _END - 10:
        told = asked + draw(st.integers(0, 4))  # when it told its position
        later = told + draw(st.integers(0, 2))  # when it told the standby's
        streams = draw(st.integers(0, 7)) > 0
        position = bisect_right(commits, told)
        # The standby's word is some units old; synchronous acknowledgements wait for the word.
        heard = flushed[later] if synchronous else flushed[max(0, later - draw(st.integers(0, 3)))]
        readings.append((asked, position, heard if streams else None))
        asked = later + draw(st.sampled_from([1, 2, 4, 9, 60]))
    return World(tuple(writes), tuple(flushed), tuple(_monotonous(readings)))


def _monotonous(readings: list[tuple[int, int, int | None]]) -> list[tuple[int, int, int | None]]:
    """Let the standby's word never go back: a connection keeps its order."""
    highest, kept = 0, []
    for asked, position, told in readings:
        highest = max(highest, told or 0)
        kept.append((asked, position, None if told is None else highest))
    return kept


def sweep_world(world: World, *, synchronous: bool = False) -> Curve:
    """Return what the sweep makes of a world's ledger and readings."""
    attempts = [
        Attempt(number, attempted * _UNIT, answered_ns=answered * _UNIT, server=_SERVER)
        for number, (attempted, _, answered) in enumerate(sorted(world.writes))
    ]
    halves = [
        make_ledger(make_client(number), attempts[number::2]) for number in (1, 2) if attempts[number::2]
    ]
    rest = make_ledger(make_client(3), [attempts[0]])
    readings = [
        Reading(asked * _UNIT, position, {} if told is None else {"b": told}, synchronous, "a")
        for asked, position, told in world.readings
    ]
    return sweep([*halves, rest], readings, {"a": _SERVER}, None, None).curve


def _moments(curve: Curve) -> list[tuple[int, int]]:
    """Return every unit of time that a curve tells of, with its place in the curve."""
    return [
        (at, place)
        for place, (since, until) in enumerate(
            zip(curve.from_ns.tolist(), curve.until_ns.tolist(), strict=True)
        )
        for at in range(-(-since // _UNIT), -(-until // _UNIT))
    ]


@settings(max_examples=300, deadline=None)
@given(worlds())
def test_no_moment_is_worse_than_swept(world: World) -> None:
    """At every moment the real loss, in time and rows, is at most what the sweep says, or the sweep is unknown."""
    curve = sweep_world(world)
    for at, place in _moments(curve):
        span, rows = world.loss(at)
        if curve.at_most_ns[place] != UNBOUNDED:
            assert span * _UNIT <= curve.at_most_ns[place], at
            assert rows <= curve.rows[place], at


@settings(max_examples=300, deadline=None)
@given(worlds())
def test_what_is_certainly_lost_was_not_told_to_be_there(world: World) -> None:
    """At a reading, the lower bound is no more than what lies beyond the standby's word, counted write by write."""
    curve = sweep_world(world)
    told_by = {asked: told for asked, _, told in world.readings}
    for since, at_least in zip(curve.from_ns.tolist(), curve.at_least_ns.tolist(), strict=True):
        if not at_least:
            continue
        at = since // _UNIT if since % _UNIT == 0 else -1
        # A part of an interval keeps the bound of its reading, which is earlier.
        asked = max(one for one in told_by if one <= at)
        told = told_by[asked]
        assert told is not None
        done = [(answered, place) for place, (_, _, answered) in enumerate(world.writes, start=1)]
        done = [(answered, place) for answered, place in done if answered <= asked]
        beyond = [answered for answered, place in done if place > told]
        assert at_least <= (max(answered for answered, _ in done) - min(beyond)) * _UNIT


@settings(max_examples=200, deadline=None)
@given(worlds())
def test_every_moment_of_service_is_swept_once(world: World) -> None:
    """The curve goes from the first to the last acknowledgement without a gap, known or not."""
    curve = sweep_world(world)
    answered = [answered * _UNIT for _, _, answered in world.writes]
    assert int(curve.lengths_ns.sum()) == max(answered) - min(answered)
    assert (curve.from_ns[1:] == curve.until_ns[:-1]).all()
    assert (curve.lengths_ns > 0).all()


@settings(max_examples=200, deadline=None)
@given(worlds(synchronous=True))
def test_a_synchronous_standby_is_never_contradicted(world: World) -> None:
    """Where acknowledgements waited for the standby's word, positions never prove that they did not."""
    for synchronous in (False, True):
        curve = sweep_world(world, synchronous=synchronous)
        assert not curve.at_least_ns[curve.known].any()


@settings(max_examples=200, deadline=None)
@given(worlds(), st.integers(1, 20))
def test_a_thinned_curve_keeps_extremes_and_time(world: World, points: int) -> None:
    """Thinning merges neighbours: every moment keeps bounds that enclose its own, and no time is lost or added."""
    curve = sweep_world(world)
    thin = curve.thinned(points)
    assert len(thin) <= points
    assert int(thin.lengths_ns.sum()) == int(curve.lengths_ns.sum())
    place_of = dict(_moments(thin))
    for at, place in _moments(curve):
        assert thin.at_most_ns[place_of[at]] >= curve.at_most_ns[place]
        assert thin.at_least_ns[place_of[at]] <= curve.at_least_ns[place]
    assert thin.quantile(1) == curve.quantile(1)


@settings(max_examples=200, deadline=None)
@given(worlds(), st.floats(0.01, 1))
def test_a_quantile_is_what_counting_moments_gives(world: World, share: float) -> None:
    """The least loss that is not exceeded for the share of the time; unknown times exceed every loss."""
    curve = sweep_world(world)
    moments = sorted(int(curve.at_most_ns[place]) for _, place in _moments(curve))
    if not moments:
        assert curve.quantile(share) is None
        return
    found = curve.quantile(share)
    value = UNBOUNDED if found is None else found
    assert sum(one <= value for one in moments) >= share * len(moments) - 1e-6
    assert sum(one < value for one in moments) < share * len(moments) + 1e-6
