"""Short cuts of the audit give what the long way gives.

The audit takes a short cut where a ledger is what an open loop writes, rows lie in blocks, and writes cannot
decide who the writer was. Here each is compared with the same question asked so that no short cut applies.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from drdrill.measure.disagreement import compare_readings
from drdrill.measure.history import resolve
from drdrill.measure.losing_side import find_losing_side
from drdrill.measure.loss import Comparison, compare
from drdrill.measure.survivors import Survivors
from drdrill.measure.writers import Alternation, WritersWatch, watch_writers
from drdrill.record.ledger import Outcome, make_id
from tests.measure.histories import Attempt, Row, make_client, make_ledger, make_survivors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drdrill.measure.history import History
    from drdrill.record.ledger import ClientLedger

_LONGEST = 10
_FAR = 40  # more requests than any drawn history has


@st.composite
def open_loops(draw: st.DrawFn) -> list[Attempt]:
    """Draw a client's attempts as an open loop makes them: each request once, in order; answers overtake."""
    attempts, now = [], 0
    outcome = st.sampled_from([*Outcome, None, *[Outcome.ACKNOWLEDGED] * 5])
    for number in range(draw(st.integers(0, _LONGEST))):
        now += draw(st.integers(1, 5))
        answered_ns = now + draw(st.integers(1, 20))
        attempts.append(
            Attempt(number, now, draw(outcome), answered_ns, draw(st.integers(1, 3)), 100 + number)
        )
    return attempts


@st.composite
def stores(draw: st.DrawFn) -> list[Row]:
    """Draw rows: of two clients and of nobody, copies, other amounts, any position, large values."""
    row = st.builds(
        Row,
        st.builds(make_id, st.sampled_from([1, 1, 2, 2, 9, 70_000]), st.integers(0, _LONGEST + 1)),
        st.one_of(st.integers(100, 100 + _LONGEST), st.just(2**40)),
        st.one_of(st.integers(0, 60), st.just(-(2**50))),
    )
    return draw(st.lists(row, max_size=30))


def ledgers_of(clients: Sequence[Sequence[Attempt]]) -> list[ClientLedger]:
    """Return the ledgers of clients 1, 2 and so on."""
    return [make_ledger(make_client(number), own) for number, own in enumerate(clients, start=1)]


def roundabout(attempts: Sequence[Attempt]) -> list[Attempt]:
    """Return the same attempts with a far request tried twice, so that the ledger is neither gapless nor once."""
    twice = [Attempt(_FAR, 1000 + n, Outcome.REJECTED, 2000 + n, 1, 7) for n in range(2)]
    return [*attempts, *twice]


def figures(found: Comparison) -> list[object]:
    """Return all of a comparison as plain values."""
    lost = (found.lost.ids, found.lost.amounts, found.lost.acknowledged_ns, found.lost.servers)
    counts = [getattr(found, one.name) for one in fields(Comparison) if one.name not in {"lost", "examples"}]
    return [*counts, dict(found.examples), *(column.tolist() for column in lost)]


def known(history: History, size: int) -> list[list[object]]:
    """Return what is known of the first requests, as plain values."""
    names = (
        "attempts", "amount", "attempted_ns", "acknowledged", "acknowledged_ns", "last_acknowledged_ns",
        "unknown", "refused",
    )  # fmt: skip
    servers = history.servers(np.arange(len(history.attempts)) < size)
    return [servers.tolist(), *(getattr(history, name)[:size].tolist() for name in names)]


def listed(survivors: Survivors) -> list[tuple[int, int, int]]:
    """Return the rows in order."""
    columns = (survivors.ids, survivors.amounts, survivors.positions)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@settings(max_examples=200, deadline=None)
@given(open_loops())
def test_open_loop_is_resolved_like_any_other_ledger(attempts: list[Attempt]) -> None:
    """A request is understood the same whether or not another one of its client was retried or left out."""
    (short,), (long,) = ledgers_of([attempts]), ledgers_of([roundabout(attempts)])
    size = len(attempts)
    assert known(resolve(short), size) == known(resolve(long), size)


@settings(max_examples=200, deadline=None)
@given(st.tuples(open_loops(), open_loops()), stores())
def test_comparison_of_open_loops_is_that_of_other_ledgers(
    clients: tuple[list[Attempt], list[Attempt]], rows: list[Row]
) -> None:
    """Lost rows, RPA and every other difference do not depend on the path that the ledger's form allows."""
    survivors = make_survivors(rows)
    short, long = ledgers_of(clients), ledgers_of([roundabout(own) for own in clients])
    found = compare(short, survivors)
    assert figures(found) == figures(compare(long, survivors))
    assert find_losing_side(short, survivors, found.lost) == find_losing_side(long, survivors, found.lost)


@settings(max_examples=200, deadline=None)
@given(st.tuples(open_loops(), open_loops()), stores(), st.integers(1, 7), st.data())
def test_blocks_of_survivors_change_nothing(
    clients: tuple[list[Attempt], list[Attempt]], rows: list[Row], block_rows: int, data: st.DataObject
) -> None:
    """However few rows a block has, rows keep their order, and comparing, finding and removing give the same."""
    whole = make_survivors(rows)
    blocks = Survivors(whole.ids, whole.amounts, whole.positions, block_rows=block_rows)
    ledgers = ledgers_of(clients)
    assert listed(blocks) == [(row.id, row.amount, row.position) for row in rows]
    assert figures(compare(ledgers, blocks)) == figures(compare(ledgers, whole))
    assert not compare_readings(whole, blocks)
    wanted = data.draw(st.sets(st.sampled_from([row.id for row in rows])) if rows else st.just(set()))
    places = blocks.find(np.array(sorted(wanted), np.uint64))
    assert sorted(places.tolist()) == [place for place, row in enumerate(rows) if row.id in wanted]
    thinned = blocks.without(places)
    kept = [row for row in rows if row.id not in wanted]
    assert listed(thinned) == [(row.id, row.amount, row.position) for row in kept]
    assert len(thinned) == len(kept)
    assert figures(compare(ledgers, thinned)) == figures(compare(ledgers, make_survivors(kept)))


Write = tuple[int, int, int, int]  # attempt, acknowledgement, id, server


def follow(writes: Sequence[Write], server: int, first: int) -> list[Alternation]:
    """Stay with each side as long as possible, looking at every write before each move."""
    sides = [[one for one in writes if (one[3] == server) is own] for own in (True, False)]
    moves, left_ns, present = [], [-1, -1], first
    while later := [one for one in sides[1 - present] if one[0] > left_ns[1 - present]]:
        _, due_ns, identifier, by = min(reversed(later), key=lambda one: one[1])
        moves.append(Alternation(identifier, by, due_ns))
        left_ns[present] = due_ns
        present = 1 - present
    return moves


@settings(max_examples=300, deadline=None)
@given(st.lists(open_loops(), min_size=1, max_size=3), st.integers(0, 3))
def test_writes_that_cannot_decide_may_be_left_out(clients: list[list[Attempt]], promotions: int) -> None:
    """The watch counts as many changes of the writer, on the same evidence, as if every write were looked at."""
    writes = [
        (one.sent_ns, one.answered_ns, make_id(number, one.number), one.server)
        for number, own in enumerate(clients, start=1)
        for one in own
        if one.outcome is Outcome.ACKNOWLEDGED
    ]
    writes.sort(key=lambda one: one[0])
    servers = sorted({one[3] for one in writes})
    most: list[Alternation] = []
    for server in servers:
        most = max(most, min((follow(writes, server, first) for first in (0, 1)), key=len), key=len)
    evidence = most[max(0, promotions - 1) : promotions + 1] if len(most) > promotions else []
    watch = watch_writers(ledgers_of(clients), promotions)
    assert watch == WritersWatch(tuple(servers), len(most), promotions, tuple(evidence))
