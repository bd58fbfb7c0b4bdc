"""Loss, order and the losing side on generated histories, against an oracle that compares every pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from drdrill.measure.losing_side import find_losing_side
from drdrill.measure.loss import compare
from drdrill.record.ledger import Outcome, make_id
from tests.measure.histories import Attempt, Row, make_client, make_ledger, make_survivors

if TYPE_CHECKING:
    from drdrill.measure.survivors import Survivors
    from drdrill.record.ledger import ClientLedger

_LONGEST = 12


@dataclass(frozen=True, slots=True)
class Told:
    """What one id's attempts come to, worked out one by one."""

    id: int
    amount: int
    attempted_ns: int
    acknowledged: list[tuple[int, int]]  # when and by whom, earliest first
    unknown: bool


def oracle_tell(number: int, attempts: list[Attempt]) -> list[Told]:
    """Resolve a client's attempts as a person would."""
    told = []
    for request in sorted({one.number for one in attempts}):
        own = [one for one in attempts if one.number == request]
        yes = sorted((one.answered_ns, one.server) for one in own if one.outcome is Outcome.ACKNOWLEDGED)
        no = [one for one in own if one.outcome in {Outcome.REJECTED, Outcome.NOT_SENT}]
        told.append(
            Told(
                make_id(number, request), own[-1].amount, own[0].sent_ns, yes, not yes and len(no) < len(own)
            )
        )
    return told


@st.composite
def attempts_of_a_client(draw: st.DrawFn) -> list[Attempt]:
    """Draw one client's attempts: some ids retried, answers that overtake each other."""
    attempts: list[Attempt] = []
    now = draw(st.integers(0, 5))
    times = iter(draw(st.permutations(range(1000, 1000 + 4 * _LONGEST))))
    for number in range(draw(st.integers(0, _LONGEST))):
        if draw(st.integers(0, 9)) == 0:
            continue  # never attempted: a row under this id is a phantom
        free_ns = 0
        for _ in range(1 if draw(st.integers(0, 4)) else 2):
            now += draw(st.integers(0, 4))
            sent_ns = max(now, free_ns)
            answered_ns = sent_ns * 100 + next(times) % 97 + draw(st.integers(0, 9)) * 100 + 1
            outcome = draw(st.sampled_from([*Outcome, Outcome.ACKNOWLEDGED, Outcome.ACKNOWLEDGED, None]))
            attempts.append(
                Attempt(
                    number,
                    sent_ns * 100,
                    outcome,
                    answered_ns,
                    draw(st.sampled_from([1, 1, 2])),
                    100 + number,
                )
            )
            free_ns = answered_ns // 100 + 1
    return attempts


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[list[Attempt]], list[Row]]:
    """Draw clients (numbers 1 and 2) and the rows that are there, most of them as they should be."""
    clients = [draw(attempts_of_a_client()) for _ in range(2)]
    rows = []
    for number, attempts in enumerate(clients, start=1):
        for request in range(_LONGEST + 1):
            attempted = [one for one in attempts if one.number == request]
            likely = any(one.outcome is Outcome.ACKNOWLEDGED for one in attempted)
            copies = draw(st.sampled_from([1, 1, 1, 1, 0, 2] if likely else [0, 0, 0, 1]))
            for _ in range(copies):
                amount = draw(st.sampled_from([100 + request] * 4 + [7]))
                base = attempted[0].sent_ns if attempted else 0
                rows.append(Row(make_id(number, request), amount, base * 10 + draw(st.integers(0, 4000))))
    rows += [Row(make_id(9, 1))] * draw(st.integers(0, 2))
    return clients, draw(st.permutations(rows))


def build(clients: list[list[Attempt]], rows: list[Row]) -> tuple[list[ClientLedger], Survivors]:
    """Return what the audit reads."""
    ledgers = [make_ledger(make_client(number), own) for number, own in enumerate(clients, start=1)]
    return ledgers, make_survivors(rows)


@settings(max_examples=250, deadline=None)
@given(histories())
def test_comparison_agrees_with_the_oracle(history: tuple[list[list[Attempt]], list[Row]]) -> None:
    """Every count, the lost rows and their money are what comparing row by row gives."""
    clients, rows = history
    found = compare(*build(clients, rows))
    told = [one for number, own in enumerate(clients, start=1) for one in oracle_tell(number, own)]
    there: dict[int, list[Row]] = {}
    for row in rows:
        there.setdefault(row.id, []).append(row)
    attempted = {one.id for one in told}
    lost = sorted(
        (one.acknowledged[0][0], one.id) for one in told if one.acknowledged and one.id not in there
    )
    assert [int(one) for one in found.lost.ids] == [identifier for _, identifier in lost]
    assert found.lost.amount == sum(one.amount for one in told if one.acknowledged and one.id not in there)
    assert found.acknowledged == sum(bool(one.acknowledged) for one in told)
    assert found.unknown == sum(one.unknown for one in told)
    assert found.recovered_unknown == sum(one.unknown and one.id in there for one in told)
    assert found.contradicted == sum(
        not one.acknowledged and not one.unknown and one.id in there for one in told
    )
    assert found.duplicated == sum(len(there.get(one.id, ())) > 1 for one in told)
    assert found.altered == sum(
        any(row.amount != one.amount for row in there.get(one.id, ())) for one in told
    )
    assert found.phantom == sum(row.id not in attempted for row in rows)
    reordered = 0
    for number in (1, 2):
        own = [one for one in oracle_tell(number, clients[number - 1]) if one.id in there]
        place = {one.id: min(row.position for row in there[one.id]) for one in own}
        reordered += sum(
            any(
                earlier.acknowledged
                and earlier.acknowledged[0][0] < later.attempted_ns
                and place[earlier.id] >= place[later.id]
                for earlier in own
            )
            for later in own
        )
    assert found.reordered == reordered


@settings(max_examples=250, deadline=None)
@given(histories())
def test_losing_side_agrees_with_the_oracle(history: tuple[list[list[Attempt]], list[Row]]) -> None:
    """RPA, servers and holes are what looking at every acknowledgement gives."""
    clients, rows = history
    ledgers, survivors = build(clients, rows)
    side = find_losing_side(ledgers, survivors, compare(ledgers, survivors).lost)
    present = {row.id for row in rows}
    told = [
        one
        for number, own in enumerate(clients, start=1)
        for one in oracle_tell(number, own)
        if one.acknowledged
    ]
    lost = [one for one in told if one.id not in present]
    if not lost:
        assert side is None
        return
    assert side is not None
    begin = min(one.acknowledged[0][0] for one in lost)
    ends, holes = [], 0
    for server in {one.acknowledged[0][1] for one in lost}:
        own_lost = [one for one in lost if one.acknowledged[0][1] == server]
        earliest = min(one.acknowledged[0][0] for one in own_lost)
        others = [one.acknowledged[-1][0] for one in told if one.acknowledged[0][1] != server]
        taken_over = min((at_ns for at_ns in others if at_ns > earliest), default=10**18)
        own = [
            one
            for one in told
            if one.acknowledged[0][1] == server and begin <= one.acknowledged[-1][0] <= taken_over
        ]
        ends += [one.acknowledged[-1][0] for one in own] + [one.acknowledged[0][0] for one in own_lost]
        kept = [one.attempted_ns for one in own if one.id in present]
        holes += sum(any(one.acknowledged[0][0] < at_ns for at_ns in kept) for one in own_lost)
    assert side.earliest_lost_ns == begin
    assert side.rpa_ns == max(ends) - begin
    assert set(side.servers) == {one.acknowledged[0][1] for one in lost}
    assert side.holes == holes
