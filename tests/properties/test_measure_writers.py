"""The two-writers watch on generated histories, against every order in which the writes can have happened."""

from __future__ import annotations

from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from drdrill.measure.writers import watch_writers
from drdrill.record.ledger import Outcome
from tests.measure.histories import Attempt, make_client, make_ledger

Interval = tuple[int, int, int]  # server, attempt, acknowledgement


def fewest_alternations(writes: list[Interval]) -> int:
    """Return the least number of changes of the server over all orders that attempts and answers allow.

    Any order in which no write stands after one that was attempted when it had been acknowledged is possible.
    """

    @cache
    def remaining(done: int, present: int) -> int:
        best = 10**9
        left = [index for index in range(len(writes)) if not done >> index & 1]
        for index in left:
            server, attempted, _ = writes[index]
            if all(writes[other][2] >= attempted for other in left):
                cost = int(present not in {0, server})
                best = min(best, cost + remaining(done | 1 << index, server))
        return best if left else 0

    return remaining(0, 0)


def intervals(servers: int) -> st.SearchStrategy[list[Interval]]:
    """Draw a few writes: short and long, before, after and across each other."""
    one = st.tuples(st.integers(1, servers), st.integers(0, 30), st.integers(0, 8))
    return st.lists(one.map(lambda drawn: (drawn[0], drawn[1], drawn[1] + drawn[2])), max_size=9)


def watch(writes: list[Interval], promotions: int | None = None) -> tuple[int, bool]:
    """Return the alternations that the watch counts, and its verdict."""
    attempts = [
        Attempt(number, attempted, Outcome.ACKNOWLEDGED, acknowledged, server)
        for number, (server, attempted, acknowledged) in enumerate(writes)
    ]
    found = watch_writers([make_ledger(make_client(1), attempts)], promotions)
    assert bool(found.evidence) is found.two_writers
    return found.alternations, found.two_writers


@settings(max_examples=300, deadline=None)
@given(intervals(2))
def test_alternations_of_two_servers_are_exact(writes: list[Interval]) -> None:
    """With two servers the count is the least one that any order allows."""
    assert watch(writes)[0] == fewest_alternations(writes)


@settings(max_examples=200, deadline=None)
@given(intervals(3))
def test_alternations_of_more_servers_are_never_too_many(writes: list[Interval]) -> None:
    """With three servers the count is a lower bound, so that nobody is accused falsely."""
    assert watch(writes)[0] <= fewest_alternations(writes)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(1, 60), max_size=3, unique=True), st.data())
def test_one_writer_at_a_time_is_never_accused(changes: list[int], data: st.DataObject) -> None:
    """Writes that one writer at a time committed, however long their answers took, raise no alarm."""
    writes = []
    for _ in range(data.draw(st.integers(0, 20))):
        instant = data.draw(st.integers(0, 60))
        server = 1 + sum(instant >= change for change in changes) % 2
        writes.append(
            (server, instant - data.draw(st.integers(0, instant)), instant + data.draw(st.integers(0, 20)))
        )
    if changes:
        assert not watch(writes, len(changes))[1]


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 4), st.integers(2, 4))
def test_second_writer_is_seen(begin: int, turns: int) -> None:
    """Two servers that acknowledge in turns after one role change are seen, whenever it was."""
    writes = [(1 + turn % 2, begin + 10 * turn, begin + 10 * turn + 5) for turn in range(2 * turns)]
    assert watch(writes, 1) == (2 * turns - 1, True)
