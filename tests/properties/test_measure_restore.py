"""The proof of a restore on generated histories, against an oracle that looks at every write by itself."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from drdrill.measure.losing_side import find_losing_side
from drdrill.measure.loss import compare
from drdrill.measure.restore import compare_restored, explain_by_restore
from drdrill.measure.restore_facts import Restore, RestoredServer, RestoreKind
from drdrill.record.ledger import Outcome, make_id
from tests.measure.histories import Attempt, Row, make_client, make_ledger, make_survivors
from tests.properties.test_measure_loss import histories, oracle_tell

_LATEST = 6000
_OLD, _NEW = 1, 2
_SERVER = RestoredServer(_NEW, 0)


def _restore(from_ns: int, until_ns: int, bound_ns: int, server: RestoredServer = _SERVER) -> Restore:
    return Restore(
        "restored", "given-up", RestoreKind.POINT_IN_TIME, "base", "", from_ns, until_ns, bound_ns, "then", None, "",
        "", "", server, None,
    )  # fmt: skip


@settings(max_examples=250, deadline=None)
@given(histories(), st.integers(0, _LATEST), st.integers(0, 300), st.integers(0, 50))
def test_a_proof_agrees_with_the_oracle(
    history: tuple[list[list[Attempt]], list[Row]], from_ns: int, longer_ns: int, bound_ns: int
) -> None:
    """Expected, missing, too late, altered and phantom rows are what looking at each request gives."""
    clients, rows = history
    ledgers = [make_ledger(make_client(number), own) for number, own in enumerate(clients, start=1)]
    restore = _restore(from_ns, from_ns + longer_ns, bound_ns)
    proof = compare_restored(restore, ledgers, make_survivors(rows))
    told = [one for number, own in enumerate(clients, start=1) for one in oracle_tell(number, own)]
    there = {row.id for row in rows}
    due = [one for one in told if one.acknowledged and one.acknowledged[0][0] <= from_ns - bound_ns]
    assert proof.expected == len(due)
    assert proof.missing == sum(one.id not in there for one in due)
    assert set(proof.examples) <= {one.id for one in due} - there
    late = [one for one in told if one.attempted_ns > from_ns + longer_ns + bound_ns]
    assert proof.later == sum(one.id in there for one in late)
    attempted = {one.id: one for one in told}
    assert proof.phantom == sum(row.id not in attempted for row in rows)
    assert proof.altered == len(
        {row.id for row in rows if row.id in attempted and row.amount != attempted[row.id].amount}
    )


@settings(max_examples=250, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40), st.booleans()), min_size=1, max_size=25),
    st.integers(0, 1200),
    st.sets(st.integers(0, 24)),
    st.sampled_from([_OLD, _NEW]),
)
def test_a_loss_is_explained_only_after_the_time_restored_to(
    steps: list[tuple[int, int, bool]], point_ns: int, gone: set[int], new: int
) -> None:
    """One client after the other on the old server, then the new one: a lost row by the moment excuses nothing.

    That the new one may have the old one's address changes nothing.
    """
    attempts, at_ns = [], 0
    for number, (pause, took, _) in enumerate(steps):
        at_ns += pause
        attempts.append(Attempt(number, at_ns, Outcome.ACKNOWLEDGED, at_ns + took, _OLD))
        at_ns += took
    last = len(attempts)
    attempts.append(Attempt(last, at_ns + 1, Outcome.ACKNOWLEDGED, at_ns + 2, new))
    ledgers = [make_ledger(make_client(1), attempts)]
    survivors = make_survivors(
        Row(make_id(1, one.number)) for one in attempts if one.number not in gone or one.number == last
    )
    lost = compare(ledgers, survivors).lost
    server = RestoredServer(new, at_ns + 1)
    losing = find_losing_side(ledgers, survivors, lost, {server.address: server.from_ns})
    if losing is None:
        return
    explanation = explain_by_restore([_restore(point_ns, point_ns, 0, server)], ledgers, lost, losing)
    assert explanation is not None
    missing = [one for one in attempts[:-1] if one.number in gone]
    kept = [one for one in attempts[:-1] if one.number not in gone]
    suffix = all(one.number < min(each.number for each in missing) for one in kept)
    after = all(one.answered_ns > point_ns for one in missing)
    assert explanation.explained == (suffix and after)
