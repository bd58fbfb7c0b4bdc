"""Positive controls: proof, in every run, that this drill would have seen what it says was not there.

Two: a copy of the survivors without k acknowledged rows must be found to lack exactly those, and the client
that asks an address where nobody answers must be seen down from before the fault until recovery. A scenario may
plant a defect on purpose (`must_find` of the plan): then finding it is a third.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from drdrill.core.clock import NANOSECONDS
from drdrill.measure.availability import judge_windows, read_samples
from drdrill.measure.loss import compare
from drdrill.measure.presence import match
from drdrill.measure.projection import seeded
from drdrill.record.ledger import ClientKind, make_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from drdrill.measure.availability import Thresholds
    from drdrill.measure.loss import Comparison
    from drdrill.measure.reason import Reason
    from drdrill.measure.survivors import Survivors
    from drdrill.record.ledger import ClientLedger

_REMOVED_ROWS = 7


@dataclass(frozen=True, slots=True)
class Control:
    """The result of one positive control: whether it worked, what it did, and what it proves can be seen."""

    name: str
    passed: bool
    text: str
    sensitivity: str


def remove_rows(
    ledgers: Sequence[ClientLedger], survivors: Survivors, found: Comparison, seed: int
) -> Control:
    """Remove a few acknowledged rows, chosen by the seed, and demand that exactly those are found lost."""
    sensitivity = f"one row of {found.acknowledged} acknowledged"
    removed = _draw_rows(ledgers, survivors, seeded(seed, "control"))
    if not len(removed):
        return Control("removed rows", False, "no acknowledged row is there to be removed", sensitivity)
    thinned = survivors.without(survivors.find(removed))
    again = compare(ledgers, thinned)
    lacking = np.setdiff1d(again.lost.ids, found.lost.ids)
    passed = np.array_equal(lacking, removed) and len(again.lost) == len(found.lost) + len(removed)
    text = f"{len(removed)} acknowledged rows were taken out of a copy; {len(lacking)} were found missing"
    return Control("removed rows", passed, text, sensitivity)


def _draw_rows(
    ledgers: Sequence[ClientLedger], survivors: Survivors, generator: np.random.Generator
) -> NDArray[np.uint64]:
    """Draw the ids of a few acknowledged rows that are there once, each equally likely; sorted."""
    removable = {
        history.client.number: history.acknowledged & presence.there & ~presence.duplicated
        for history, presence in match(ledgers, survivors)
    }
    total = sum(int(np.count_nonzero(mask)) for mask in removable.values())
    # Drawn are places among all removable ids in order, so that the ids need not be in memory together.
    places = np.sort(generator.choice(total, min(_REMOVED_ROWS, total), replace=False) if total else [])
    drawn, begin = [np.empty(0, np.uint64)], 0
    for number, mask in sorted(removable.items()):
        end = begin + int(np.count_nonzero(mask))
        inside = places[(places >= begin) & (places < end)] - begin
        if len(inside):
            drawn.append(np.flatnonzero(mask)[inside].astype(np.uint64) | np.uint64(make_id(number, 0)))
        begin = end
    return np.concatenate(drawn)


def find_planted(code: str, found: Sequence[Reason]) -> Control:
    """Demand that a defect that the scenario plants was found. `found`: the reasons that it gave."""
    text = " ".join(reason.text for reason in found) or f"nobody found what was planted: {code}"
    return Control("planted defect", bool(found), text, code.replace("_", " "))


def watch_black_hole(
    ledgers: Sequence[ClientLedger], thresholds: Thresholds, fault_ns: int, until_ns: int
) -> Control:
    """Demand that the black hole is seen down at every moment from before the fault to `until_ns`."""
    sensitivity = "; ".join(sorted({_shortest(ledger, thresholds) for ledger in ledgers if _decides(ledger)}))
    controls = [ledger for ledger in ledgers if ledger.client.kind is ClientKind.CONTROL]
    problem = "" if controls else "no client asked the address where nobody answers"
    seen = 0
    for ledger in controls:
        samples = read_samples(ledger)
        # A black hole needs no statistics: the control may ask less often than the plan demands of a cohort.
        asked = -(-thresholds.window_ns // samples.period_ns)
        fewest = min(thresholds.minimum_samples, asked)
        windows = judge_windows(samples, replace(thresholds, minimum_samples=fewest))
        seen += int(np.count_nonzero(windows.down))
        judged = windows.begin_ns[windows.known]
        if samples.good.any():
            problem = f"{ledger.client.name} got an answer where nobody answers"
        elif not windows.known.any():
            problem = f"{ledger.client.name} has no window that can be judged"
        elif judged[0] > fault_ns or judged[-1] + thresholds.window_ns < until_ns:
            problem = f"{ledger.client.name} did not ask from before the fault until recovery"
    text = problem or f"the black hole was seen down in all of {seen} windows"
    return Control("black hole", not problem, text, sensitivity)


def _decides(ledger: ClientLedger) -> bool:
    return ledger.client.kind is ClientKind.PROBER and ledger.client.honours_ttl


def _shortest(ledger: ClientLedger, thresholds: Thresholds) -> str:
    """Return the shortest outage that makes a window down, in words."""
    period_ns = ledger.client.period_ns
    samples = -(-thresholds.window_ns // period_ns)
    failures = int((1 - thresholds.success_ratio) * samples + 1e-9)
    failures = max(1, failures) if thresholds.success_ratio < 1 else 0
    return f"an outage of {(failures + 1) * period_ns / NANOSECONDS:g} s"
