"""What users had who made journeys: per service, step and zone; from their ledgers alone.

A journey's first request counts from when it was due, whether or not it left in time; each later one from when it left:
it waits for the answer before it, and the service behind it is not to blame for that. A write that was sent again has
the latency of the acknowledgement that it got in the end. Percentiles are the lower empirical ones.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from drdrill.core.clock import NANOSECONDS
from drdrill.measure.history import NEVER, resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from drdrill.measure.history import History
    from drdrill.record.ledger import ClientLedger

_MS = NANOSECONDS / 1000
_NOWHERE = "no zone named"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which step of which journey a ledger is of."""

    journey: str
    step: str
    service: str
    ledger: ClientLedger


@dataclass(frozen=True, slots=True)
class Figures:
    """Requests, how many were acknowledged, and how long those took, in milliseconds; None: none was.

    `repeated`: requests that were sent more than once. `unknown`: of those that were not acknowledged, how many may
    have been done.
    """

    requests: int
    acknowledged: int
    unknown: int
    repeated: int
    p50_ms: float | None
    p99_ms: float | None
    worst_ms: float | None

    @property
    def failed(self) -> int:
        """How many were not acknowledged."""
        return self.requests - self.acknowledged

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class JourneysMeasured:
    """What users had. `begun` and `completed` by journey; `late_ms`: how late their process was, 99th percentile."""

    services: Mapping[str, Figures]
    steps: Mapping[tuple[str, str], Figures]
    zones: Mapping[tuple[str, str], Figures]
    begun: Mapping[str, int]
    completed: Mapping[str, int]
    late_ms: float | None

    @property
    def whole(self) -> bool:
        """Whether there were journeys, and all of them were completed."""
        return bool(sum(self.begun.values())) and self.begun == self.completed


@dataclass(frozen=True, slots=True, eq=False)
class _Requests:
    """Requests of one ledger: of each whether it was acknowledged, after how many ns, in which zone."""

    acknowledged: NDArray[np.bool_]
    unknown: NDArray[np.bool_]
    attempts: NDArray[np.integer]
    latency_ns: NDArray[np.int64]
    zone: NDArray[np.uint32]

    def take(self, chosen: NDArray[np.bool_]) -> _Requests:
        return _Requests(
            self.acknowledged[chosen], self.unknown[chosen], self.attempts[chosen],
            self.latency_ns[chosen], self.zone[chosen],
        )  # fmt: skip


def measure_journeys(asked: Sequence[Asked], zones: Sequence[str]) -> JourneysMeasured:
    """Measure what users had; `zones` by number, as the ledgers' codes have them, from 1 on."""
    read = [(one, resolve(one.ledger)) for one in asked]
    begins = {one.journey: one.step for one in reversed(asked)}
    requests = [(one, _requests(history, first=begins[one.journey] == one.step)) for one, history in read]
    services: dict[str, list[_Requests]] = {one.service: [] for one in asked}
    steps: dict[tuple[str, str], list[_Requests]] = {(one.journey, one.step): [] for one in asked}
    by_zone: dict[tuple[str, str], list[_Requests]] = {}
    for one, found in requests:
        services[one.service].append(found)
        steps[one.journey, one.step].append(found)
        for number in np.unique(found.zone[found.acknowledged]):
            name = zones[number - 1] if 0 < number <= len(zones) else _NOWHERE
            by_zone.setdefault((one.service, name), []).append(
                found.take(found.acknowledged & (found.zone == number))
            )
    return JourneysMeasured(
        services={name: _figures(found) for name, found in services.items()},
        steps={name: _figures(found) for name, found in steps.items()},
        zones={name: _figures(found) for name, found in sorted(by_zone.items())},
        begun=_count(read, first=True),
        completed=_count(read, first=False),
        late_ms=_measure_lateness(read),
    )


def _requests(history: History, *, first: bool) -> _Requests:
    made = history.attempts > 0
    client = history.client
    due_ns = client.start_ns + np.arange(len(history.attempts), dtype=np.int64) * client.period_ns
    from_ns = due_ns if first else history.attempted_ns
    latency_ns = np.where(history.acknowledged_ns == NEVER, 0, history.acknowledged_ns - from_ns)
    every = np.ones(len(history.attempts), np.bool_)
    return _Requests(
        history.acknowledged, history.unknown, history.attempts, latency_ns, history.servers(every)
    ).take(made)


def _figures(parts: Iterable[_Requests]) -> Figures:
    found = list(parts)
    latency_ms = np.concatenate([one.latency_ns[one.acknowledged] for one in found]) / _MS
    p50, p99, worst = (
        tuple(round(float(one), 1) for one in np.percentile(latency_ms, (50, 99, 100), method="lower"))
        if len(latency_ms)
        else (None, None, None)
    )
    return Figures(
        requests=sum(len(one.acknowledged) for one in found),
        acknowledged=sum(int(one.acknowledged.sum()) for one in found),
        unknown=sum(int((one.unknown & ~one.acknowledged).sum()) for one in found),
        repeated=sum(int((one.attempts > 1).sum()) for one in found),
        p50_ms=p50,
        p99_ms=p99,
        worst_ms=worst,
    )


def _count(read: Sequence[tuple[Asked, History]], *, first: bool) -> dict[str, int]:
    """Count the journeys that were begun, or those whose last step was acknowledged."""
    ends: dict[str, str] = {}
    for one, _ in read:
        if not first or one.journey not in ends:
            ends[one.journey] = one.step
    counted = dict.fromkeys(ends, 0)
    for one, history in read:
        if ends[one.journey] == one.step:
            counted[one.journey] += int((history.attempts > 0 if first else history.acknowledged).sum())
    return counted


def _measure_lateness(read: Sequence[tuple[Asked, History]]) -> float | None:
    """Return how late first steps left: those depend on nobody but the users' own process."""
    first: dict[str, str] = {}
    late = []
    for one, history in read:
        if first.setdefault(one.journey, one.step) != one.step:
            continue
        made = np.flatnonzero(history.attempts > 0)
        late.append(history.attempted_ns[made] - (history.client.start_ns + made * history.client.period_ns))
    every = np.concatenate(late) if late else np.empty(0)
    return round(float(np.percentile(every, 99, method="lower")) / _MS, 1) if len(every) else None
