"""Windows, recovery and lateness of one cohort."""

from __future__ import annotations

from dataclasses import replace

import pytest

from drdrill.measure.availability import (
    Thresholds,
    find_recovery,
    judge_windows,
    read_samples,
)
from drdrill.record.ledger import ClientLedger, Outcome
from tests.measure.histories import Attempt, make_client, make_ledger

MS = 1_000_000
SECOND = 1000 * MS
PERIOD = 40 * MS
THRESHOLDS = Thresholds(
    window_ns=SECOND, minimum_samples=20, success_ratio=0.9, latency_ns=500 * MS, stability_ns=3 * SECOND
)
CLIENT = replace(make_client(1), period_ns=PERIOD)


def served(number: int, latency_ns: int = 5 * MS) -> Attempt:
    """Return a request that left in time and was answered."""
    return Attempt(number, number * PERIOD, Outcome.ACKNOWLEDGED, number * PERIOD + latency_ns)


def refused(number: int) -> Attempt:
    """Return a request that failed at once."""
    return Attempt(number, number * PERIOD, Outcome.NOT_SENT, number * PERIOD + MS)


def up(ledger: ClientLedger, thresholds: Thresholds = THRESHOLDS) -> list[bool]:
    """Return the windows' judgements."""
    return [bool(one) for one in judge_windows(read_samples(ledger), thresholds).up]


def history(bad: set[int], length: int = 400) -> ClientLedger:
    """Return a ledger in which these requests failed."""
    return make_ledger(CLIENT, [refused(k) if k in bad else served(k) for k in range(length)])


@pytest.mark.parametrize(("failed", "expected"), [(1, True), (2, True), (3, False), (8, False)])
def test_share_of_failures_decides_a_window(failed: int, expected: bool) -> None:
    """Up to a tenth of 25 requests may fail at a ratio of 0.9; a third of them failing is an outage."""
    assert up(history(set(range(failed)), 25)) == [expected]


def test_one_failed_request_is_not_an_outage() -> None:
    """A ratio that a window cannot resolve lets one request fail; a ratio of 1 lets none."""
    strict = replace(THRESHOLDS, success_ratio=0.99)
    assert up(history({7}, 25), strict) == [True]
    assert up(history({7, 8}, 25), strict) == [False]
    assert up(history({7}, 25), replace(THRESHOLDS, success_ratio=1.0)) == [False]


def test_latency_counts_from_the_schedule() -> None:
    """Requests that were answered quickly but left late are slow."""
    late = [Attempt(k, k * PERIOD + 450 * MS, Outcome.ACKNOWLEDGED, k * PERIOD + 550 * MS) for k in range(25)]
    assert up(make_ledger(CLIENT, late)) == [False]


def test_one_slow_request_is_not_an_outage() -> None:
    """One request above the limit of the 99th percentile leaves a window of 25 up; two do not."""
    one = [served(k, 600 * MS if k == 3 else MS) for k in range(25)]
    two = [served(k, 600 * MS if k in {3, 4} else MS) for k in range(25)]
    assert (up(make_ledger(CLIENT, one)), up(make_ledger(CLIENT, two))) == ([True], [False])


def test_answer_after_the_timeout_is_a_failure() -> None:
    """An acknowledgement that comes later than the timeout was no service."""
    ledger = make_ledger(CLIENT, [served(k, 1100 * MS) for k in range(60)])
    assert not read_samples(ledger).good.any()


def test_request_without_outcome_is_a_failure_once_its_timeout_passed() -> None:
    """Requests never answered are failures; those in flight when the client stopped are not judged."""
    silent = [Attempt(k, k * PERIOD, None) for k in range(100)]
    samples = read_samples(make_ledger(CLIENT, silent))
    assert not samples.good.any()
    assert len(samples.good) == 75  # the last second's requests were still waiting


def test_window_with_too_few_requests_is_not_known() -> None:
    """Fewer samples than the plan demands make a window neither up nor down."""
    windows = judge_windows(read_samples(history(set(), 25)), replace(THRESHOLDS, minimum_samples=26))
    assert not (windows.up | windows.down | windows.known).any()


def test_window_of_a_late_prober_is_not_known() -> None:
    """A request that left later than half a window tells nothing of its time."""
    attempts = [served(k) for k in range(50)]
    attempts[30] = Attempt(30, 30 * PERIOD + 501 * MS, Outcome.NOT_SENT, 30 * PERIOD + 502 * MS)
    windows = judge_windows(read_samples(make_ledger(CLIENT, attempts)), THRESHOLDS)
    assert windows.known.tolist() == [k < 6 for k in range(26)]


def test_request_left_out_is_late() -> None:
    """A hole in the schedule is lateness up to the end of the client's life."""
    attempts = [served(k) for k in range(50) if k != 30]
    assert read_samples(make_ledger(CLIENT, attempts)).late_ns[30] == 19 * PERIOD


def recovery_of(bad: set[int], fault: int, length: int = 400) -> tuple[int | None, int, int | None, int]:
    """Return recovery, lower bound and begin of the outage, all as request numbers, and relapses."""
    samples = read_samples(history(bad, length))
    found = find_recovery(samples, judge_windows(samples, THRESHOLDS), THRESHOLDS, fault * PERIOD)
    recovered = None if found.recovered_ns is None else found.recovered_ns // PERIOD
    down = None if found.down_from_ns is None else found.down_from_ns // PERIOD
    return recovered, found.at_least_ns // PERIOD, down, found.relapses


def test_recovery_begins_with_the_first_request_of_a_stable_run() -> None:
    """The outage ends where the first good request of the stable run was due."""
    assert recovery_of(set(range(100, 200)), 100) == (200, 200, 100, 0)


def test_short_recovery_does_not_count() -> None:
    """Two seconds up between two outages are not the three that the plan demands."""
    assert recovery_of(set(range(100, 150)) | set(range(200, 250)), 100) == (250, 250, 100, 0)


def test_outage_before_the_fault_does_not_count() -> None:
    """What was down and up again before the fault is not its outage."""
    assert recovery_of(set(range(20, 60)), 100)[0] == 100


def test_outage_that_begins_late_is_still_the_faults() -> None:
    """A run of up windows between the fault and the outage that it causes later is no recovery."""
    assert recovery_of(set(range(250, 290)), 100) == (290, 290, 250, 0)


def test_unstable_end_is_not_known() -> None:
    """Up at the end, but not for long enough: not known, and at least until the last down window."""
    recovered, at_least, down, _ = recovery_of(set(range(100, 350)), 100)
    assert (recovered, down) == (None, 100)
    assert 330 < at_least <= 350


def test_observation_that_ends_too_early_does_not_say_that_nothing_happened() -> None:
    """No down window in two seconds after the fault is not yet a stable run."""
    assert recovery_of(set(), 350) == (None, 350, None, 0)


def test_down_after_recovery_is_a_relapse() -> None:
    """A second outage after the stable run is counted apart."""
    assert recovery_of(set(range(100, 150)) | set(range(300, 320)), 100) == (150, 150, 100, 1)


def test_down_when_last_seen_is_not_recovered() -> None:
    """A service that came back for the stability time and was down again when it was last seen has not recovered."""
    recovered, at_least, down, relapses = recovery_of({*range(50, 100), *range(300, 400)}, fault=50)
    assert (recovered, at_least, down, relapses) == (None, 100, 50, 1)
