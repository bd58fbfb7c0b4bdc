"""RTA of the whole service: every cohort's recovery, the slowest one counted, and the split of that time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from drdrill.measure.availability import Recovery, find_recovery, judge_windows, read_samples
from drdrill.record.ledger import ClientKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from drdrill.measure.availability import Samples, Thresholds, Windows
    from drdrill.record.ledger import Client, ClientLedger


PEOPLE = ", by people"  # how the name of a phase ends that waited for them
AFTER_STEPS = "until all are served"


@dataclass(frozen=True, slots=True)
class CohortOutage:
    """One cohort through a fault. Times are boot-time ns, durations ns; None: not known.

    `longest_gap_ns`: between good completions around and after the fault, up to the end of observation; it
    knows no threshold. `late_ns`: the worst lateness of the prober for as long as the service was judged.
    `up_before`: whether the last window that a healthy service would have answered before the fault was up
    (None: there is none).
    """

    client: Client
    recovery: Recovery
    longest_gap_ns: int
    late_ns: int
    up_before: bool | None
    observed_until_ns: int
    windows: int


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of the recovery time, in boot-time ns."""

    name: str
    from_ns: int
    until_ns: int


@dataclass(frozen=True, slots=True)
class StepEnd:
    """The end of a step that a recovery waited for: its phase, whose time it was, and when, in boot-time ns."""

    phase: str
    by_people: bool
    at_ns: int


@dataclass(frozen=True, slots=True)
class Outage:
    """The service through a fault: cohorts that honour TTL decide; `others` (no TTL, pooled) are reported."""

    fault_ns: int
    cohorts: tuple[CohortOutage, ...]
    others: tuple[CohortOutage, ...]
    resolution_ns: int

    @property
    def slowest(self) -> CohortOutage | None:
        """Return the cohort that was served last; None when one of them was not seen to recover."""
        if not self.cohorts or any(cohort.recovery.recovered_ns is None for cohort in self.cohorts):
            return None
        return max(self.cohorts, key=lambda cohort: cohort.recovery.at_least_ns)

    @property
    def outage_ns(self) -> int | None:
        """Return the RTA from the outage: from the fault to the slowest cohort's recovery."""
        slowest = self.slowest
        return None if slowest is None else slowest.recovery.at_least_ns - self.fault_ns

    @property
    def at_least_ns(self) -> int:
        """Return how long the outage lasted at least, for all that was seen."""
        return max((cohort.recovery.at_least_ns - self.fault_ns for cohort in self.cohorts), default=0)

    @property
    def down_ns(self) -> int:
        """Return the longest time for which a cohort was down, at least; 0: no window of any was."""
        return max(
            (
                max(0, cohort.recovery.at_least_ns - cohort.recovery.down_from_ns)
                for cohort in self.cohorts
                if cohort.recovery.down_from_ns is not None
            ),
            default=0,
        )

    @property
    def was_down(self) -> bool:
        """Tell whether any window of any cohort was down after the fault."""
        return any(cohort.recovery.down_from_ns is not None for cohort in self.cohorts)

    @property
    def longest_gap_ns(self) -> int | None:
        """Return the longest time between good completions of one cohort."""
        return max((cohort.longest_gap_ns for cohort in self.cohorts), default=None)


def measure_outage(
    ledgers: Sequence[ClientLedger],
    thresholds: Thresholds,
    fault_ns: int,
    fault_until_ns: int,
    *,
    whole_ns: int | None = None,
    judged_until_ns: int = 0,
) -> Outage:
    """Measure what users had of a fault that was injected between two moments of the boot-time clock.

    The resolution is the worst cohort's sample period and lateness, and the time that the injection took.
    `whole_ns`: when users were first served from whole data, where the fault destroyed some: an answer from data that
    is not whole is none, so no window from the fault until then is up. `judged_until_ns`: until when users were to be
    served, also after their recovery: for so long the prober has to keep its schedule.
    """
    cohorts: list[CohortOutage] = []
    others: list[CohortOutage] = []
    for ledger in ledgers:
        client = ledger.client
        if client.kind in {ClientKind.CONTROL, ClientKind.WATCHER}:
            continue
        decides = client.kind is ClientKind.PROBER and client.honours_ttl
        measured = _measure_cohort(ledger, thresholds, fault_ns, whole_ns, judged_until_ns)
        (cohorts if decides else others).append(measured)
    seen = max((cohort.client.period_ns + cohort.late_ns for cohort in cohorts), default=0)
    return Outage(fault_ns, tuple(cohorts), tuple(others), seen + max(0, fault_until_ns - fault_ns))


def _measure_cohort(
    ledger: ClientLedger, thresholds: Thresholds, fault_ns: int, whole_ns: int | None, judged_until_ns: int
) -> CohortOutage:
    samples = read_samples(ledger)
    windows = judge_windows(samples, thresholds)
    if whole_ns is not None:
        whole = (windows.begin_ns + thresholds.window_ns <= fault_ns) | (windows.begin_ns >= whole_ns)
        windows = replace(windows, up=windows.up & whole)
    recovery = find_recovery(samples, windows, thresholds, fault_ns)
    good_ns = np.sort(samples.good_ns[samples.good])
    before, after = good_ns[good_ns < fault_ns], good_ns[good_ns >= fault_ns]
    return CohortOutage(
        client=ledger.client,
        recovery=recovery,
        longest_gap_ns=_longest_gap(before, after, fault_ns, samples.observed_until_ns),
        late_ns=_lateness(samples, thresholds, fault_ns, recovery, judged_until_ns),
        up_before=_up_before(windows, thresholds, fault_ns),
        observed_until_ns=samples.observed_until_ns,
        windows=len(windows.up),
    )


def _longest_gap(before: NDArray[np.int64], after: NDArray[np.int64], fault_ns: int, until_ns: int) -> int:
    opens = int(before[-1]) if len(before) else fault_ns
    moments = np.concatenate([[opens], after, [max(until_ns, int(after[-1]) if len(after) else opens)]])
    return int(np.diff(moments).max())


def _lateness(
    samples: Samples, thresholds: Thresholds, fault_ns: int, recovery: Recovery, judged_until_ns: int
) -> int:
    """Return the worst lateness in ns among the requests that the service was judged by."""
    until_ns = samples.observed_until_ns
    if recovery.recovered_ns is not None:
        until_ns = max(recovery.recovered_ns + thresholds.stability_ns, judged_until_ns)
    scheduled = samples.scheduled_ns
    concerned = (scheduled >= fault_ns - thresholds.window_ns) & (scheduled <= until_ns)
    return int(samples.late_ns[concerned].max(initial=0))


def _up_before(windows: Windows, thresholds: Thresholds, fault_ns: int) -> bool | None:
    # A request that was in flight at the fault failed by it: the window must end early enough to be answered.
    before = windows.begin_ns + thresholds.window_ns + thresholds.latency_ns <= fault_ns
    chosen = np.flatnonzero(before & windows.known)
    return bool(windows.up[chosen[-1]]) if len(chosen) else None


def split_outage(outage: Outage, announced_ns: Sequence[tuple[str, int]]) -> tuple[Phase, ...]:
    """Split the recovery time: by what the cloud announced (text, time), and by what users saw.

    Until the first announcement nobody had detected anything. The failover is over when the first of the
    cohorts that were down is served again, stably: a single good answer may have been on its way at the fault.
    From then until the slowest cohort's recovery, caches of names drained.
    """
    slowest = outage.slowest
    if slowest is None or slowest.recovery.recovered_ns is None or not outage.was_down:
        return ()
    recovered_ns = slowest.recovery.recovered_ns
    served_ns = min(
        cohort.recovery.recovered_ns
        for cohort in outage.cohorts
        if cohort.recovery.recovered_ns is not None and cohort.recovery.down_from_ns is not None
    )
    marks = sorted((at_ns, text) for text, at_ns in announced_ns if outage.fault_ns < at_ns < served_ns)
    phases, since_ns, name = [], outage.fault_ns, "detect" if marks else "detect and fail over"
    for at_ns, text in marks:
        phases.append(Phase(name, since_ns, at_ns))
        since_ns, name = at_ns, f"after: {_event_of(text)}"
    phases.append(Phase(name, since_ns, served_ns))
    phases.append(Phase("drain name caches", served_ns, recovered_ns))
    return tuple(phases)


def split_by_steps(outage: Outage, steps: Sequence[StepEnd]) -> tuple[Phase, ...]:
    """Split the recovery time by the runbook's own phases: a part lasts until the step that ended it, in boot-time ns.

    What comes before the first step is that step's phase, and a wait between two is the later one's. What users see no
    more, as they are served, is no part of it; what they wait for after the last step is.
    """
    slowest = outage.slowest
    if slowest is None or slowest.recovery.recovered_ns is None or not outage.was_down:
        return ()
    recovered_ns, since_ns = slowest.recovery.recovered_ns, outage.fault_ns
    phases: list[Phase] = []
    for step in sorted(steps, key=lambda one: one.at_ns):
        until_ns = min(step.at_ns, recovered_ns)
        if until_ns > since_ns:
            phases.append(Phase(f"{step.phase}{PEOPLE if step.by_people else ''}", since_ns, until_ns))
            since_ns = until_ns
    if since_ns < recovered_ns:
        phases.append(Phase(AFTER_STEPS, since_ns, recovered_ns))
    return tuple(_join(phases))


def _join(phases: Sequence[Phase]) -> Iterator[Phase]:
    """Yield phases with neighbours of one name as one."""
    for name, group in groupby(phases, key=lambda one: one.name):
        parts = list(group)
        yield Phase(name, parts[0].from_ns, parts[-1].until_ns)


def _event_of(message: str) -> str:
    """Return what happened, without the reason that a cloud's message gives after its colon."""
    return message.partition(": ")[0].rstrip(".: ")
