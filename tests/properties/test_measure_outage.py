"""RTA on generated answers, against an oracle that counts window by window."""

from __future__ import annotations

import math
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from drdrill.measure.availability import Thresholds, find_recovery, judge_windows, read_samples
from drdrill.record.ledger import Outcome
from tests.measure.histories import Attempt, make_client, make_ledger

_PERIOD = 100
_LENGTH = 5  # requests a window
_TIMEOUT = 1_000_000_000  # the client's, far longer than a history
_GOOD, _SLOW, _BAD = 10, 80, None
_FAULT = 7

Answers = list[int | None]


def thresholds(ratio: float, stability: int) -> Thresholds:
    """Return thresholds with windows of five requests."""
    return Thresholds(
        window_ns=_LENGTH * _PERIOD,
        minimum_samples=_LENGTH,
        success_ratio=ratio,
        latency_ns=50,
        stability_ns=stability * _PERIOD,
    )


def oracle_up(answers: Answers, ratio: float) -> list[bool]:
    """Judge each window by itself."""
    ups = []
    for begin in range(len(answers) - _LENGTH + 1):
        window = answers[begin : begin + _LENGTH]
        good = sorted(one for one in window if one is not None)
        allowed = math.floor((1 - ratio) * _LENGTH + 1e-9)
        failures_allowed = allowed if ratio == 1 else max(1, allowed)
        percentile = good[math.floor(0.99 * (len(good) - 1))] if good else 10**9
        ups.append(len(window) - len(good) <= failures_allowed and percentile <= 50)
    return ups


def oracle_recovery(answers: Answers, ratio: float, stability: int) -> int | None:
    """Return the request from which service was stable after the outage; the fault's if there was none."""
    ups = oracle_up(answers, ratio)
    concerned = [k for k in range(len(ups)) if k + _LENGTH > _FAULT]
    down = [k for k in concerned if not ups[k]]
    needed = max(1, stability - _LENGTH + 1)
    if not down:
        return _FAULT if len(ups) - _FAULT >= needed else None
    for k in range(max(_FAULT, down[0] + 1), len(ups) - needed + 1):
        if all(ups[k : k + needed]) and answers[k] is not None:
            return k if ups[-1] else None  # down when last seen: it did not stay
    return None


@st.composite
def answers(draw: st.DrawFn) -> Answers:
    """Draw spells of good, slow, failing and mixed answers."""
    spells = draw(
        st.lists(
            st.tuples(
                st.sampled_from([(_GOOD,), (_BAD,), (_SLOW,), (_GOOD, _GOOD, _GOOD, _BAD), (_GOOD, _SLOW)]),
                st.integers(1, 20),
            ),
            min_size=1,
            max_size=6,
        )
    )
    drawn: Answers = [pattern[k % len(pattern)] for pattern, count in spells for k in range(count)]
    return drawn


@settings(max_examples=400, deadline=None)
@given(answers(), st.sampled_from([1.0, 0.99, 0.8, 0.6]), st.integers(1, 12))
def test_recovery_agrees_with_the_oracle(given_answers: Answers, ratio: float, stability: int) -> None:
    """Windows and recovery are what judging each window by itself gives; the bound is never later."""
    client = replace(make_client(1), period_ns=_PERIOD)
    attempts = [
        Attempt(k, k * _PERIOD, Outcome.NOT_SENT, k * _PERIOD)
        if latency is None
        else Attempt(k, k * _PERIOD, Outcome.ACKNOWLEDGED, k * _PERIOD + latency)
        for k, latency in enumerate(given_answers)
    ]
    limits = thresholds(ratio, stability)
    samples = read_samples(make_ledger(client, attempts))
    windows = judge_windows(samples, limits)
    assert windows.up.tolist() == oracle_up(given_answers, ratio)
    found = find_recovery(samples, windows, limits, _FAULT * _PERIOD)
    expected = oracle_recovery(given_answers, ratio, stability)
    assert (None if found.recovered_ns is None else found.recovered_ns // _PERIOD) == expected
    # Whatever comes after the end of observation, recovery is not seen earlier than the bound.
    longer: Answers = given_answers + [_GOOD] * (stability + 2 * _LENGTH)
    later = oracle_recovery(longer, ratio, stability)
    assert later is not None or len(longer) < _FAULT
    if found.recovered_ns is None and later is not None:
        assert found.at_least_ns <= later * _PERIOD
