"""Whether one cohort of the prober was served, window by window, and since when again after a fault.

Time here is the schedule's: request k belongs to `start_ns + k * period_ns`, and its latency counts from
there, whether or not the prober sent it in time. A request without a good answer within its timeout is a
failure. A window begins at each scheduled request.

Thresholds hold at the resolution of a window. With 25 requests a ratio of 0.99 or a 99th percentile cannot be
told from "all of them": so one failed request alone, or one slow one alone, never makes a window down (one
failed request is not an outage), unless the plan demands a ratio of 1. The percentile is the lower empirical
one (`numpy.percentile(..., method="lower")`) of the good requests; failures count in the ratio and only
there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from drdrill.core.clock import NANOSECONDS
from drdrill.measure.history import NEVER, resolve
from drdrill.record.ledger import sequence_of

if TYPE_CHECKING:
    from datetime import timedelta

    from numpy.typing import NDArray

    from drdrill.plan.model import Availability
    from drdrill.record.ledger import ClientLedger


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The plan's thresholds in ns and counts."""

    window_ns: int
    minimum_samples: int
    success_ratio: float
    latency_ns: int
    stability_ns: int

    @property
    def lateness_ns(self) -> int:
        """Return how late a request may leave: half a window, then it tells of another one's time."""
        return self.window_ns // 2


def thresholds_of(availability: Availability) -> Thresholds:
    """Return the thresholds of a plan."""
    return Thresholds(
        nanoseconds(availability.window),
        availability.minimum_samples,
        availability.success_ratio,
        nanoseconds(availability.latency_p99),
        nanoseconds(availability.stability),
    )


def nanoseconds(duration: timedelta) -> int:
    """Return a duration in ns."""
    return round(duration.total_seconds() * NANOSECONDS)


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """One client's requests on its schedule, one element a request, up to the last one whose fate is settled.

    `good_ns`: when the good answer came, `NEVER` where none came in time. `late_ns`: how late the prober sent
    it.
    """

    start_ns: int
    period_ns: int
    good_ns: NDArray[np.int64]
    late_ns: NDArray[np.int64]
    attempted: NDArray[np.bool_]

    @property
    def scheduled_ns(self) -> NDArray[np.int64]:
        """Return when each request was due."""
        scheduled: NDArray[np.int64] = self.start_ns + np.arange(len(self.good_ns)) * self.period_ns
        return scheduled

    @property
    def good(self) -> NDArray[np.bool_]:
        """Tell of each request whether a good answer came in time."""
        good: NDArray[np.bool_] = self.good_ns != NEVER
        return good

    @property
    def observed_until_ns(self) -> int:
        """Return the end of the time that the requests tell of."""
        return self.start_ns + len(self.good_ns) * self.period_ns


def read_samples(ledger: ClientLedger) -> Samples:
    """Lay a ledger out on its schedule.

    A request counts only if its fate is settled: acknowledged, or failed while the client still sent others,
    or the client outlived its timeout. What was in flight when the client was stopped tells nothing of the
    service. A request that the client left out is late until the end of its life.
    """
    history, client = resolve(ledger), ledger.client
    timeout_ns = round(client.timeout_seconds * NANOSECONDS)
    scheduled = client.start_ns + np.arange(len(history.attempts), dtype=np.int64) * client.period_ns
    attempted = history.attempts > 0
    lived_until_ns = int(history.attempted_ns.max(where=attempted, initial=0))
    good_ns = history.acknowledged_ns.copy()
    good_ns[good_ns - scheduled > timeout_ns] = NEVER
    late = history.attempted_ns - scheduled
    late[~attempted] = (lived_until_ns - scheduled)[~attempted]
    # All that had their timeout while the client lived are settled; of the last ones each is looked at.
    first = int(np.searchsorted(scheduled, lived_until_ns - timeout_ns, side="right"))
    settled = (good_ns[first:] != NEVER) | ~attempted[first:]
    settled |= _failed_ns(ledger, first, len(scheduled)) <= lived_until_ns
    end = first + (len(settled) if settled.all() else int(settled.argmin()))
    return Samples(
        client.start_ns, client.period_ns, good_ns[:end], np.maximum(late[:end], 0), attempted[:end]
    )


def _failed_ns(ledger: ClientLedger, first: int, end: int) -> NDArray[np.int64]:
    """Return when the last answer came to each request from `first` on, `NEVER` where none did."""
    failed_ns = np.full(end - first, NEVER, np.int64)
    outcomes = ledger.outcomes
    outcomes = outcomes[sequence_of(outcomes["id"]) >= first]
    failed_ns[sequence_of(outcomes["id"]).astype(np.int64) - first] = outcomes["at_ns"]
    return failed_ns


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Windows by the request at which they begin. A window that is not `known` is neither up nor down."""

    begin_ns: NDArray[np.int64]
    up: NDArray[np.bool_]
    known: NDArray[np.bool_]

    @property
    def down(self) -> NDArray[np.bool_]:
        """Tell of each window whether it is known to be down."""
        return self.known & ~self.up


def judge_windows(samples: Samples, thresholds: Thresholds) -> Windows:
    """Judge every whole window; unknown: too few requests, or one that the prober sent too late."""
    length = -(-thresholds.window_ns // samples.period_ns)
    if len(samples.good_ns) < length:
        empty = np.empty(0, np.bool_)
        return Windows(np.empty(0, np.int64), empty, empty)
    good = samples.good
    slow = good & (samples.good_ns - samples.scheduled_ns > thresholds.latency_ns)
    asked = _rolling(samples.attempted, length)
    answered = _rolling(good, length)
    late = _rolling(samples.late_ns > thresholds.lateness_ns, length)
    known = (asked >= thresholds.minimum_samples) & (late == 0)
    beyond = np.maximum(answered - 1, 0)  # good requests above the lower empirical percentile: their 1 %
    allowed_slow = beyond - 99 * beyond // 100
    allowed_failures = _allowed_failures(np.arange(length + 1), thresholds.success_ratio)
    enough = asked - answered <= allowed_failures[asked]
    up = known & (answered > 0) & enough & (_rolling(slow, length) <= allowed_slow)
    return Windows(samples.scheduled_ns[: len(up)], up, known)


def _allowed_failures(asked: NDArray[np.int64], ratio: float) -> NDArray[np.int64]:
    allowed: NDArray[np.int64] = np.floor((1 - ratio) * asked + 1e-9).astype(np.int64)
    return allowed if ratio == 1 else np.maximum(allowed, 1)


def _rolling(flags: NDArray[np.bool_], length: int) -> NDArray[np.int32]:
    """Return how many of each `length` neighbours are true."""
    if flags.all() or not flags.any():
        return np.full(len(flags) + 1 - length, length if flags[0] else 0, np.int32)
    total = np.zeros(len(flags) + 1, np.int32)
    np.cumsum(flags, out=total[1:])
    counts: NDArray[np.int32] = total[length:] - total[:-length]
    return counts


@dataclass(frozen=True, slots=True)
class Recovery:
    """What a cohort's windows say of the time after a fault, in ns on the boot-time clock.

    `recovered_ns`: begin of the stable run of up windows after the first down one, counted from the first
    window that begins with a good request; the fault itself when no window was down and the observation is
    long enough to say so; None: not seen. `at_least_ns`: the earliest moment at which the service can have
    recovered, for all that was seen: just after its last down window. `down_from_ns`: when the first request
    that failed or was slow was due; None: no window was down. `relapses`: down spells after recovery. A
    service that is down when last seen has not recovered, however long it was up in between; its bound is the
    recovery that did not last.
    """

    recovered_ns: int | None
    at_least_ns: int
    down_from_ns: int | None
    relapses: int


def find_recovery(samples: Samples, windows: Windows, thresholds: Thresholds, fault_ns: int) -> Recovery:
    """Find when a cohort was served again, stably, after the outage that a fault opened."""
    # The run's time is that of its windows, from the first one's begin to the last one's end.
    needed = max(1, -(-(thresholds.stability_ns - thresholds.window_ns) // samples.period_ns) + 1)
    down = np.flatnonzero(windows.down & (windows.begin_ns + thresholds.window_ns > fault_ns))
    start = int(np.searchsorted(windows.begin_ns, fault_ns, side="left"))
    down_from_ns, at_least_ns = None, fault_ns
    if len(down):
        start = max(start, int(down[0]) + 1)
        down_from_ns = _down_from(samples, int(down[0]), thresholds, fault_ns)
        at_least_ns = max(fault_ns, int(windows.begin_ns[down[-1]]) + samples.period_ns)
    begins, ends = _runs(windows.up[start:])
    if down_from_ns is None and len(begins) and begins[0] == 0 and ends[0] >= needed:
        return Recovery(fault_ns, fault_ns, None, 0)
    # An up window may begin with a failure that it is allowed; served is who got a good answer.
    good = np.append(np.flatnonzero(samples.good[start:]), len(samples.good_ns))
    begins = good[np.searchsorted(good, begins)]
    stable = np.flatnonzero(ends - begins >= needed)
    if not len(stable):
        return Recovery(None, at_least_ns, down_from_ns, 0)
    first = start + int(begins[stable[0]])
    recovered_ns = int(windows.begin_ns[first])
    relapses = len(_runs(windows.down[first:])[0])
    if relapses and windows.down[np.flatnonzero(windows.known)[-1]]:
        return Recovery(None, recovered_ns, down_from_ns, relapses)  # down when last seen: it did not stay
    return Recovery(recovered_ns, recovered_ns, down_from_ns, relapses)


def _runs(flags: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return begin and end (exclusive) of every run of true elements."""
    edges = np.diff(flags.astype(np.int8), prepend=0, append=0)
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)


def _down_from(samples: Samples, window: int, thresholds: Thresholds, fault_ns: int) -> int:
    """Return when the first bad request of a down window was due, the fault at the earliest."""
    length = -(-thresholds.window_ns // samples.period_ns)
    scheduled = samples.scheduled_ns[window : window + length]
    answered = samples.good_ns[window : window + length]
    bad = (answered == NEVER) | (answered - scheduled > thresholds.latency_ns)
    return max(fault_ns, int(scheduled[int(bad.argmax())]))
