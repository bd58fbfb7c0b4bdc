"""Metrics of one region, kept as CloudWatch keeps those of AWS's own services: a set of statistics for each minute.

A minute in which nothing was measured has none: it is not there, and it is not zero.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from drdrill.core.clock import Clock

MINUTE = 60
_KEPT_MINUTES = 15 * 24 * 60  # CloudWatch keeps statistics of a minute for 15 days
STATISTICS = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")


@dataclass(frozen=True, slots=True)
class Metric:
    """What is measured: `dimensions` are pairs of name and value, in the order of names."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Statistics:
    """What was measured in a time."""

    unit: str
    count: int
    total: float
    lowest: float
    highest: float

    def with_(self, other: Statistics) -> Statistics:
        """Return the statistics of both together."""
        return Statistics(
            self.unit,
            self.count + other.count,
            self.total + other.total,
            min(self.lowest, other.lowest),
            max(self.highest, other.highest),
        )

    def value(self, statistic: str) -> float:
        """Return one of `STATISTICS`."""
        values = (self.count, self.total / self.count, self.total, self.lowest, self.highest)
        return float(dict(zip(STATISTICS, values, strict=True))[statistic])


class MetricStore:
    """Thread-safe: whoever measures puts, the API reads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._minutes: dict[Metric, dict[int, Statistics]] = {}

    def put(self, metric: Metric, value: float, unit: str) -> None:
        """Add a value that was measured now."""
        minute = int(self._clock.utc().timestamp()) // MINUTE
        one = Statistics(unit, 1, value, value, value)
        with self._lock:
            kept = self._minutes.setdefault(metric, {})
            before = kept.get(minute)
            if before is None and len(kept) >= _KEPT_MINUTES:
                del kept[next(iter(kept))]
            kept[minute] = before.with_(one) if before else one

    def list(self) -> tuple[Metric, ...]:
        """Return all metrics, in order."""
        with self._lock:
            return tuple(sorted(self._minutes, key=lambda one: (one.namespace, one.name, one.dimensions)))

    def read(
        self, metric: Metric, start: datetime, end: datetime, period: int
    ) -> Iterator[tuple[int, Statistics]]:
        """Yield each period from `start`, rounded down to its minute, to before `end`: seconds since 1970, statistics.

        Periods in which nothing was measured are left out.
        """
        first, last = int(start.timestamp()) // MINUTE, end.timestamp() / MINUTE
        with self._lock:
            minutes = sorted(self._minutes.get(metric, {}).items())
        found: dict[int, Statistics] = {}
        for minute, statistics in minutes:
            if first <= minute < last:
                begin = first * MINUTE + (minute - first) * MINUTE // period * period
                found[begin] = found[begin].with_(statistics) if begin in found else statistics
        yield from found.items()
