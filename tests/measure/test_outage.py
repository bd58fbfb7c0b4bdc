"""The split of the recovery time."""

from __future__ import annotations

import pytest

from drdrill.measure.availability import Thresholds
from drdrill.measure.outage import StepEnd, measure_outage, split_by_steps, split_outage
from drdrill.record.ledger import ClientKind, ClientLedger, Outcome
from tests.measure.histories import Attempt, make_client, make_ledger

MS = 1_000_000
SECOND = 1000 * MS
PERIOD = 40 * MS
FAULT = 5 * SECOND + PERIOD // 2
THRESHOLDS = Thresholds(
    window_ns=SECOND, minimum_samples=20, success_ratio=0.9, latency_ns=500 * MS, stability_ns=3 * SECOND
)


def cohort(number: int, recovered_ns: int, *, answers: tuple[int, ...] = ()) -> ClientLedger:
    """Return a cohort that is down from the fault until a moment, but for the answers to these requests.

    The request that was in flight at the fault is answered 10 ms after it.
    """
    attempts = []
    for k in range(600):
        sent_ns = k * PERIOD
        if sent_ns < FAULT - PERIOD or sent_ns >= recovered_ns or k in answers:
            attempts.append(Attempt(k, sent_ns, Outcome.ACKNOWLEDGED, sent_ns + 5 * MS))
        elif sent_ns < FAULT:
            attempts.append(Attempt(k, sent_ns, Outcome.ACKNOWLEDGED, FAULT + 10 * MS))
        else:
            attempts.append(Attempt(k, sent_ns, Outcome.NOT_SENT, sent_ns + MS))
    client = make_client(number, kind=ClientKind.PROBER, period_ns=PERIOD)
    return make_ledger(client, attempts)


def split(*ledgers: ClientLedger, announced: tuple[tuple[str, int], ...] = ()) -> dict[str, float]:
    """Return the phases by name, in seconds."""
    outage = measure_outage(ledgers, THRESHOLDS, FAULT, FAULT)
    return {
        phase.name: (phase.until_ns - phase.from_ns) / SECOND for phase in split_outage(outage, announced)
    }


def test_answer_that_was_on_its_way_at_the_fault_ends_no_failover() -> None:
    """Users are served again when the first cohort that was down has recovered, not at a stray answer."""
    phases = split(cohort(1, 9 * SECOND), cohort(2, 12 * SECOND, answers=(150, 151)))
    assert phases == {
        "detect and fail over": pytest.approx((9 * SECOND - FAULT) / SECOND),
        "drain name caches": pytest.approx(3),
    }


def test_cohort_that_was_never_down_ends_no_failover() -> None:
    """A cohort that noticed nothing of the fault says nothing of when the others were served again."""
    phases = split(cohort(1, 0), cohort(2, 9 * SECOND), cohort(3, 10 * SECOND))
    assert phases == {
        "detect and fail over": pytest.approx((9 * SECOND - FAULT) / SECOND),
        "drain name caches": pytest.approx(1),
    }


def test_phases_bear_what_happened_and_not_why() -> None:
    """What the cloud announces names the phase after it, without the reason after the colon."""
    announced = (
        ("Multi-AZ instance failover started: no heartbeat from host db-1 since 2.1 s.", FAULT + SECOND),
        ("Multi-AZ instance failover completed.", FAULT + 2 * SECOND),
        ("DB instance restarted", 11 * SECOND),
    )
    phases = split(cohort(1, 9 * SECOND), cohort(2, 12 * SECOND), announced=announced)
    assert list(phases) == [
        "detect",
        "after: Multi-AZ instance failover started",
        "after: Multi-AZ instance failover completed",
        "drain name caches",
    ]
    assert sum(phases.values()) == pytest.approx((12 * SECOND - FAULT) / SECOND)


def test_no_outage_has_no_phases() -> None:
    """Where nobody was down there is nothing to split."""
    assert split(cohort(1, 0), cohort(2, 0)) == {}


def test_a_runbook_splits_by_its_own_phases() -> None:
    """Each part is its phase's, people's apart, neighbours as one; what users see no more is no part of it."""
    outage = measure_outage((cohort(1, 9 * SECOND), cohort(2, 12 * SECOND)), THRESHOLDS, FAULT, FAULT)
    steps = (
        StepEnd("drain", by_people=False, at_ns=FAULT + 30 * SECOND),
        StepEnd("declare", by_people=True, at_ns=FAULT + 2 * SECOND),
        StepEnd("restore", by_people=False, at_ns=FAULT + 3 * SECOND),
        StepEnd("restore", by_people=False, at_ns=FAULT + 4 * SECOND),
        StepEnd("detect", by_people=False, at_ns=FAULT - SECOND),
        StepEnd("validate", by_people=False, at_ns=FAULT + 31 * SECOND),
    )
    phases = split_by_steps(outage, steps)
    assert [(one.name, (one.until_ns - one.from_ns) / SECOND) for one in phases] == [
        ("declare, by people", 2),
        ("restore", 2),
        ("drain", pytest.approx((12 * SECOND - FAULT) / SECOND - 4)),
    ]


def test_what_users_wait_for_after_the_last_step() -> None:
    """A runbook that has ended serves nobody by that; the parts still add up to the whole."""
    outage = measure_outage((cohort(1, 9 * SECOND),), THRESHOLDS, FAULT, FAULT)
    phases = split_by_steps(outage, (StepEnd("switch", by_people=False, at_ns=FAULT + SECOND),))
    assert [one.name for one in phases] == ["switch", "until all are served"]
    assert phases[-1].until_ns - phases[0].from_ns == outage.outage_ns


def test_no_outage_has_no_phases_of_a_runbook() -> None:
    """Where nobody was down, a runbook's time is not the outage's."""
    outage = measure_outage((cohort(1, 0),), THRESHOLDS, FAULT, FAULT)
    assert split_by_steps(outage, (StepEnd("switch", by_people=False, at_ns=FAULT + SECOND),)) == ()
