"""How far a replica lags, by what was heard of its source: known, zero, or unknown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drdrill.aws.rds.replica_lag import SourcePositions
from drdrill.dataplane.postgresql_replication import ReplicationReading

SECOND = 1_000_000_000


def _hear(positions: SourcePositions, at: float, flushed: int | None, *, host: str = "one") -> None:
    reading = ReplicationReading(position=flushed, standbys=(), flushed=flushed)
    positions.hear(host, int(at * SECOND), reading, None)


@pytest.fixture
def positions() -> SourcePositions:
    """Return what was heard of a source: 100 bytes until second 11, 200 from second 12, 300 from second 13."""
    positions = SourcePositions()
    for at, flushed in ((10, 100), (11, 100), (12, 200), (13, 300)):
        _hear(positions, at, flushed)
    return positions


@pytest.mark.parametrize(
    ("replayed", "lag"), [(300, 0.0), (350, 0.0), (299, 1.5), (200, 1.5), (199, 2.5), (100, 2.5), (99, None)]
)
def test_a_lag_is_the_age_of_what_is_missing(
    positions: SourcePositions, replayed: int, lag: float | None
) -> None:
    """It counts from when the source was last seen without what is missing; before all that was seen: unknown."""
    assert positions.lag_seconds(replayed, int(13.5 * SECOND)) == lag


def test_nobody_knows_the_lag_behind_a_silent_source(positions: SourcePositions) -> None:
    """A silent source may have written: the lag of a replica that had everything is unknown, not zero."""
    assert positions.lag_seconds(300, 15 * SECOND) == 0.0
    assert positions.lag_seconds(300, int(15.1 * SECOND)) is None
    assert SourcePositions().lag_seconds(0, 0) is None


def test_an_idle_source_is_not_lagged_behind(positions: SourcePositions) -> None:
    """While nothing is written the lag does not grow."""
    for at in range(14, 60):
        _hear(positions, at, 300)
    assert positions.lag_seconds(300, 60 * SECOND) == 0.0


@pytest.mark.parametrize(("host", "flushed"), [("another", 290), ("one", 290)])
def test_another_primary_begins_another_history(positions: SourcePositions, host: str, flushed: int) -> None:
    """After a failover of the source positions of its old primary say nothing, nor where its log goes back."""
    _hear(positions, 14, flushed, host=host)
    assert positions.lag_seconds(290, 14 * SECOND) == 0.0
    assert positions.lag_seconds(200, 14 * SECOND) is None


def test_what_is_no_position_is_not_heard(positions: SourcePositions) -> None:
    """A failed question and a server in recovery leave what is known as it is, and do not make it younger."""
    positions.hear("one", 20 * SECOND, None, "no answer")
    _hear(positions, 20, None)
    assert positions.lag_seconds(300, 20 * SECOND) is None


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=50),
    st.integers(0, 200),
    st.integers(0, 2),
)
def test_against_a_naive_look(steps: list[int], replayed: int, later: int) -> None:
    """The lag is what a look at every moment of the source's history says."""
    positions, history, flushed = SourcePositions(), [], 0
    for at, step in enumerate(steps):
        flushed += step
        history.append((at, flushed))
        _hear(positions, at, flushed)
    now = history[-1][0] + later
    has = [at for at, position in history if position <= replayed]
    naive = None if not has else 0.0 if has[-1] == history[-1][0] else float(now - has[-1])
    assert positions.lag_seconds(replayed, now * SECOND) == naive
