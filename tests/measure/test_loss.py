"""Loss told by single cases: retries, refusals, and what a ledger must not hold."""

from __future__ import annotations

import numpy as np
import pytest

from drdrill.core.errors import DamagedRecordError
from drdrill.measure.losing_side import find_losing_side, measure_gap
from drdrill.measure.loss import LostRows, compare
from drdrill.record.ledger import ClientKind, Outcome, make_id
from tests.measure.histories import Attempt, Row, make_client, make_ledger, make_survivors

YES, NO, UNKNOWN, NOT_SENT = Outcome.ACKNOWLEDGED, Outcome.REJECTED, Outcome.UNKNOWN, Outcome.NOT_SENT


@pytest.mark.parametrize(
    ("outcomes", "unknown", "lost"),
    [
        ([YES], 0, 1),
        ([UNKNOWN], 1, 0),
        ([None], 1, 0),
        ([NO], 0, 0),
        ([NOT_SENT], 0, 0),
        ([UNKNOWN, YES], 0, 1),
        ([UNKNOWN, NO], 1, 0),
        ([NO, NO], 0, 0),
        ([YES, NO], 0, 1),
    ],
)
def test_retries_settle_a_request(outcomes: list[Outcome | None], unknown: int, lost: int) -> None:
    """A later acknowledgement settles the first attempt; an attempt that nobody refused leaves it open."""
    attempts = [Attempt(0, 10 * k, outcome, 10 * k + 5) for k, outcome in enumerate(outcomes)]
    found = compare([make_ledger(make_client(1), attempts)], make_survivors([]))
    assert (found.unknown, len(found.lost)) == (unknown, lost)


def test_last_acknowledgement_of_the_losing_side_counts() -> None:
    """RPA runs to the last acknowledgement before another server took over, kept or lost."""
    attempts = [
        Attempt(0, 0, YES, 10, server=1),
        Attempt(1, 11, YES, 20, server=1),
        Attempt(2, 12, YES, 30, server=1),
        Attempt(3, 40, YES, 50, server=2),
        Attempt(4, 60, YES, 70, server=1),  # serves again much later
    ]
    ledgers = [make_ledger(make_client(1), attempts)]
    survivors = make_survivors([Row(make_id(1, k), position=k) for k in (0, 2, 3, 4)])
    side = find_losing_side(ledgers, survivors, compare(ledgers, survivors).lost)
    assert side is not None
    assert (side.servers, side.rpa_ns, side.earliest_lost_id, side.holes) == ((1,), 10, make_id(1, 1), 0)


def test_writes_in_flight_together_are_no_hole() -> None:
    """A surviving row proves a hole only if it was attempted after the lost one had been acknowledged."""
    together = [Attempt(0, 0, YES, 10), Attempt(1, 9, YES, 20)]
    after = [Attempt(0, 0, YES, 10), Attempt(1, 11, YES, 20)]
    survivors = make_survivors([Row(make_id(1, 1))])
    holes = []
    for attempts in (together, after):
        ledgers = [make_ledger(make_client(1), attempts)]
        side = find_losing_side(ledgers, survivors, compare(ledgers, survivors).lost)
        holes.append(side.holes if side else None)
    assert holes == [0, 1]


def test_resolution_is_the_longest_gap_before_the_fault() -> None:
    """The gap includes the time from the last acknowledgement to the fault, and nothing before the span."""
    attempts = [Attempt(k, at_ns, YES, at_ns) for k, at_ns in enumerate((0, 500, 510, 530, 545, 700))]
    ledgers = [make_ledger(make_client(1), attempts)]
    assert measure_gap(ledgers, 550, 100) == 20
    assert measure_gap(ledgers, 600, 100) == 55
    assert measure_gap(ledgers, 5000, 100) is None


def test_lost_money_is_exact_beyond_64_bits() -> None:
    """A sum of amounts does not overflow."""
    amounts = np.array([2**63 - 1, 2**63 - 1, -(2**63), 5], np.int64)
    lost = LostRows(np.arange(4, dtype=np.uint64), amounts, amounts, amounts, np.zeros(4, np.uint64))
    assert lost.amount == 2**63 - 2 + 5


def test_control_writes_nowhere() -> None:
    """The control's requests are not unknown writes, and a row under its id is a phantom."""
    control = make_ledger(make_client(1, kind=ClientKind.CONTROL), [Attempt(0, 0, UNKNOWN, 5)])
    found = compare([control], make_survivors([Row(make_id(1, 0))]))
    assert (found.unknown, found.phantom) == (0, 1)


def test_ledger_with_ids_of_another_client_is_damage() -> None:
    """An id that a client cannot have given is refused."""
    foreign = make_ledger(make_client(1), [Attempt(0, 0), Attempt(2 << 40, 1)])
    with pytest.raises(DamagedRecordError, match="another client"):
        compare([foreign], make_survivors([]))


def test_ledger_with_an_absurd_number_is_damage() -> None:
    """A number far beyond the requests made is refused instead of filling the memory."""
    for number in (1 << 20, 1 << 39):
        absurd = make_ledger(make_client(1), [Attempt(number, 0)])
        with pytest.raises(DamagedRecordError, match="far beyond"):
            compare([absurd], make_survivors([]))


def test_outcome_without_attempt_is_damage() -> None:
    """An answer to a request that was never attempted is refused."""
    whole = make_ledger(make_client(1), [Attempt(0, 0), Attempt(1, 1)])
    torn = type(whole)(whole.client, whole.attempts[:1], whole.outcomes)
    with pytest.raises(DamagedRecordError, match="never attempted"):
        compare([torn], make_survivors([]))


def test_two_clients_of_one_number_are_damage() -> None:
    """Clients whose ids cannot be told apart are refused."""
    twins = [make_ledger(make_client(1), [Attempt(0, 0)])] * 2
    with pytest.raises(DamagedRecordError, match="one number"):
        compare(twins, make_survivors([]))


def test_server_without_an_address_acknowledged_nothing_that_is_unanswered() -> None:
    """Where nobody knows who acknowledged what is lost, what nobody acknowledged does not lengthen the RPA."""
    attempts = [Attempt(0, 0, YES, 10, server=0), Attempt(1, 20, YES, 30, server=0), Attempt(2, 40, None)]
    ledgers = [make_ledger(make_client(1), attempts)]
    survivors = make_survivors([])
    side = find_losing_side(ledgers, survivors, compare(ledgers, survivors).lost)
    assert side is not None
    assert (side.servers, side.rpa_ns) == ((0,), 20)
