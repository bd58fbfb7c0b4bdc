"""The outage of all cohorts together, against an oracle that looks at one cohort and one request at a time."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from drdrill.measure.availability import Thresholds
from drdrill.measure.outage import measure_outage
from drdrill.record.ledger import ClientKind, ClientLedger, Outcome
from tests.measure.histories import Attempt, make_client, make_ledger

_PERIOD = 100
_LENGTH = 5  # requests a window; the stability time is two windows
_FAULT = 20 * _PERIOD
_REQUESTS = 80
_THRESHOLDS = Thresholds(
    window_ns=_LENGTH * _PERIOD,
    minimum_samples=_LENGTH,
    success_ratio=1.0,
    latency_ns=50,
    stability_ns=2 * _LENGTH * _PERIOD,
)

Cohort = tuple[int, int, int, int]  # phase, first and last failing request after the fault's, lateness


@st.composite
def cohorts(draw: st.DrawFn) -> list[Cohort]:
    """Draw cohorts that fail for a while: some never, some to the end."""
    drawn = []
    for _ in range(draw(st.integers(1, 4))):
        begin = draw(st.integers(20, 40))
        end = draw(st.sampled_from([begin - 1, begin, begin + 7, 60, _REQUESTS - 3, _REQUESTS]))
        drawn.append((draw(st.integers(0, _PERIOD - 1)), begin, end, draw(st.integers(0, 40))))
    return drawn


def failing(cohort: Cohort) -> list[bool]:
    """Tell of each request of a cohort whether it fails."""
    return [cohort[1] <= k <= cohort[2] for k in range(_REQUESTS)]


def build(number: int, cohort: Cohort) -> ClientLedger:
    """Return a prober's ledger; its request 30 leaves late, all answers come 10 ns after the schedule's time."""
    phase, _, _, late = cohort
    client = replace(make_client(number, kind=ClientKind.PROBER, period_ns=_PERIOD), start_ns=phase)
    attempts = []
    for k, fails in enumerate(failing(cohort)):
        due = phase + k * _PERIOD
        sent = due + (late if k == 30 else 0)
        outcome = Outcome.NOT_SENT if fails else Outcome.ACKNOWLEDGED
        attempts.append(Attempt(k, sent, outcome, max(sent, due + 10)))
    return make_ledger(client, attempts)


def oracle_recovery(cohort: Cohort) -> int | None:
    """Return when a cohort was served again; the fault if it was never down; None: not seen."""
    due = [cohort[0] + k * _PERIOD for k in range(_REQUESTS)]
    bad = failing(cohort)
    if not any(bad):
        return _FAULT
    last = max(k for k in range(_REQUESTS) if bad[k])
    stable = range(last + 1, last + 1 + 2 * _LENGTH)
    return due[last + 1] if stable[-1] < _REQUESTS else None


def oracle_gap(cohort: Cohort, observed_until: int) -> int:
    """Return the longest time between good answers from the last one before the fault to the end."""
    late = max(10, cohort[3])
    good = [
        cohort[0] + k * _PERIOD + (late if k == 30 else 10)
        for k, fails in enumerate(failing(cohort))
        if not fails
    ]
    good = [one for one in good if one < observed_until]
    moments = [max(one for one in good if one < _FAULT), *(one for one in good if one >= _FAULT)]
    moments.append(observed_until)
    return max(later - earlier for earlier, later in pairwise(moments))


@settings(max_examples=150, deadline=None)
@given(cohorts(), st.integers(0, 30))
def test_outage_is_that_of_the_slowest_cohort(drawn: list[Cohort], injecting: int) -> None:
    """RTA, its lower bound, the longest gap and the resolution are those of the worst cohort."""
    ledgers = [build(number, cohort) for number, cohort in enumerate(drawn, start=1)]
    sticky = replace(make_client(9, kind=ClientKind.PROBER, period_ns=_PERIOD), honours_ttl=False)
    ledgers.append(replace(build(9, (0, 20, _REQUESTS, 0)), client=sticky))  # never served: reported apart
    found = measure_outage(ledgers, _THRESHOLDS, _FAULT, _FAULT + injecting)
    recovered = [oracle_recovery(cohort) for cohort in drawn]
    known = [one for one in recovered if one is not None]
    if len(known) == len(recovered):
        assert found.outage_ns == found.at_least_ns == max(known) - _FAULT
    else:
        assert found.outage_ns is None
        assert max(known, default=_FAULT) - _FAULT <= found.at_least_ns <= _REQUESTS * _PERIOD
    assert [cohort.client.number for cohort in found.others] == [9]
    for cohort, measured in zip(drawn, found.cohorts, strict=True):
        assert measured.longest_gap_ns == oracle_gap(cohort, measured.observed_until_ns)
    lateness = [measured.late_ns for measured in found.cohorts]
    asked_late = [late for _, _, _, late in drawn]
    assert all(late in {0, asked} for late, asked in zip(lateness, asked_late, strict=True))
    assert found.resolution_ns == _PERIOD + max(lateness) + injecting
