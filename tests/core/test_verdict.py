"""The four verdicts: which one counts, and with which status a run ends."""

from __future__ import annotations

from itertools import combinations_with_replacement, permutations

import pytest

from drdrill.core.verdict import Verdict, combine

WORST_FIRST = (Verdict.MISSED, Verdict.INVALID, Verdict.INCONCLUSIVE, Verdict.MET)


@pytest.mark.parametrize("several", list(combinations_with_replacement(WORST_FIRST, 3)))
def test_the_worst_counts(several: tuple[Verdict, ...]) -> None:
    """The worst of several counts, in whatever order they come."""
    worst = min(several, key=WORST_FIRST.index)
    assert {combine(order) for order in permutations(several)} == {worst}


def test_nothing_proves_nothing() -> None:
    """Without any verdict the answer is INCONCLUSIVE, never MET."""
    assert combine([]) is Verdict.INCONCLUSIVE


def test_exit_statuses() -> None:
    """Each verdict has a status of its own, and only MET is 0; 2 and 5 belong to usage and breakage."""
    assert {verdict.value: verdict.exit_status for verdict in Verdict} == {
        "MET": 0,
        "MISSED": 1,
        "INCONCLUSIVE": 3,
        "INVALID": 4,
    }
