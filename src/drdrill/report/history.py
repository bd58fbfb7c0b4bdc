"""What users had, request by request and second by second: from the ledgers to what a picture shows.

Nothing is judged here. A request is *served* when its good answer came within the plan's latency, counted from its
scheduled time, *slow* when it came later but before the client gave up, *failed* when none came. A request that a
prober sent too late tells nothing: *unknown*. A client that holds connections sends late when they hang: *held up*.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from drdrill.core.clock import NANOSECONDS
from drdrill.measure.availability import Samples, Thresholds, read_samples
from drdrill.record.ledger import ClientKind, ClientLedger, Outcome, outcomes_of, servers_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class Service(IntEnum):
    """What a request had, the worst last: where several share a place in a picture, the worst one shows."""

    SERVED = 0
    UNKNOWN = 1
    SLOW = 2
    HELD_UP = 3
    FAILED = 4


@dataclass(frozen=True, slots=True)
class Span:
    """A time, in seconds from the origin, in which a client's requests had the same."""

    begin: float
    end: float
    service: Service


@dataclass(frozen=True, slots=True)
class Experience:
    """What one client had. `decides`: whether recovery is judged by it."""

    name: str
    decides: bool
    honours_ttl: bool
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class CommitRate:
    """Acknowledged writes a second, by the server that answered (its address); one element a bin."""

    begin: float
    bin_seconds: float
    by_server: tuple[tuple[int, tuple[float, ...]], ...]

    @property
    def highest(self) -> float:
        """Return the highest rate of all servers together."""
        totals = [sum(rates) for rates in zip(*(rates for _, rates in self.by_server), strict=True)]
        return max(totals, default=0.0)


def observed_range(ledgers: Sequence[ClientLedger], origin_ns: int) -> tuple[float, float] | None:
    """Return begin and end, in seconds from the origin, of what clients attempted; None: nothing."""
    times = [ledger.attempts["at_ns"] for ledger in _users(ledgers) if len(ledger.attempts)]
    if not times:
        return None
    first, last = min(int(one.min()) for one in times), max(int(one.max()) for one in times)
    return (first - origin_ns) / NANOSECONDS, (last - origin_ns) / NANOSECONDS


def read_experiences(
    ledgers: Sequence[ClientLedger], thresholds: Thresholds, origin_ns: int, *, places: int
) -> tuple[Experience, ...]:
    """Return what every client had, at a resolution of so many places over its whole life."""
    return tuple(
        Experience(
            ledger.client.name,
            ledger.client.kind is ClientKind.PROBER and ledger.client.honours_ttl,
            ledger.client.honours_ttl,
            _spans(ledger, thresholds, origin_ns, places),
        )
        for ledger in _users(ledgers)
    )


def _users(ledgers: Sequence[ClientLedger]) -> list[ClientLedger]:
    others = {ClientKind.CONTROL, ClientKind.WATCHER}
    return [ledger for ledger in ledgers if ledger.client.kind not in others]


def _spans(ledger: ClientLedger, thresholds: Thresholds, origin_ns: int, places: int) -> tuple[Span, ...]:
    samples = read_samples(ledger)
    late = Service.UNKNOWN if ledger.client.kind is ClientKind.PROBER else Service.HELD_UP
    services = _classify(samples, thresholds, late)
    if not len(services):
        return ()
    each = max(1, -(-len(services) // places))
    starts = np.arange(0, len(services), each)
    worst = np.maximum.reduceat(services, starts)
    changes = np.flatnonzero(np.diff(worst)) + 1
    begins = np.concatenate([[0], changes])
    ends = np.concatenate([changes, [len(worst)]])
    edges = samples.start_ns - origin_ns + np.append(starts, len(services)) * samples.period_ns
    return tuple(
        Span(int(edges[begin]) / NANOSECONDS, int(edges[end]) / NANOSECONDS, Service(int(worst[begin])))
        for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)
    )


def _classify(samples: Samples, thresholds: Thresholds, late: Service) -> NDArray[np.int8]:
    took_ns = samples.good_ns - samples.scheduled_ns
    services = np.full(len(samples.good_ns), Service.FAILED, np.int8)
    services[samples.good] = Service.SLOW
    services[samples.good & (took_ns <= thresholds.latency_ns)] = Service.SERVED
    untold = ~samples.attempted | (samples.late_ns > thresholds.lateness_ns)
    services[untold & (services != Service.SERVED)] = late
    return services


def count_commits(
    ledgers: Sequence[ClientLedger], origin_ns: int, *, begin: float, end: float, bin_seconds: float
) -> CommitRate:
    """Count acknowledgements of all users in bins from `begin` to `end` (seconds from the origin)."""
    count = max(
        1, int((end - begin) / bin_seconds + 1e-9)
    )  # whole bins only: a part of one would look like a drop
    edges_ns = origin_ns + np.rint((begin + np.arange(count + 1) * bin_seconds) * NANOSECONDS).astype(
        np.int64
    )
    totals: dict[int, NDArray[np.int64]] = {}
    first_ns: dict[int, int] = {}
    for ledger in _users(ledgers):
        outcomes = ledger.outcomes[outcomes_of(ledger.outcomes["code"]) == Outcome.ACKNOWLEDGED]
        servers, times = servers_of(outcomes["code"]), outcomes["at_ns"].astype(np.int64)
        for server in np.unique(servers).tolist():
            answered = times[servers == server]
            counted = np.histogram(answered, edges_ns)[0]
            totals[server] = totals.get(server, np.zeros(count, np.int64)) + counted
            first_ns[server] = min(first_ns.get(server, int(answered[0])), int(answered.min()))
    order = sorted(totals, key=lambda server: (first_ns[server], server))
    return CommitRate(
        begin,
        bin_seconds,
        tuple((server, tuple((totals[server] / bin_seconds).tolist())) for server in order),
    )
