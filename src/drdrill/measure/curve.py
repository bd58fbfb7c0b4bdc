"""A curve of would-be losses over a run, and what can be said of it without knowing how it came about."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from drdrill.measure.history import NEVER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

UNBOUNDED = NEVER  # a loss of which nobody knows a limit; more than every other


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Times in which a primary served, as columns: one element a time, `UNBOUNDED` where the loss is not known.

    `rows`: how many acknowledgements would be lost at most.
    """

    from_ns: NDArray[np.int64]
    until_ns: NDArray[np.int64]
    at_least_ns: NDArray[np.int64]
    at_most_ns: NDArray[np.int64]
    rows: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.from_ns)

    @property
    def columns(self) -> tuple[NDArray[np.int64], ...]:
        """Return all columns, in their order."""
        return (self.from_ns, self.until_ns, self.at_least_ns, self.at_most_ns, self.rows)

    @property
    def lengths_ns(self) -> NDArray[np.int64]:
        """Return how long each time is."""
        return self.until_ns - self.from_ns

    @property
    def known(self) -> NDArray[np.bool_]:
        """Tell of each time whether the loss is bounded."""
        known: NDArray[np.bool_] = self.at_most_ns != UNBOUNDED
        return known

    def quantile(self, share: float) -> int | None:
        """Return the loss (ns) that was not exceeded for so much of the time; None: not known."""
        if not len(self):
            return None
        value = _quantile(self.at_most_ns, self.lengths_ns, share)
        return None if value == UNBOUNDED else value

    @property
    def resolution_ns(self) -> int | None:
        """Return how much less the loss may be at most, for 99 % of the known time; None: nothing is known."""
        known = self.known
        if not known.any():
            return None
        return _quantile((self.at_most_ns - self.at_least_ns)[known], self.lengths_ns[known], 0.99)

    def thinned(self, points: int) -> Curve:
        """Return about so many times: neighbours in one, which keeps their extremes, and equal ones in one."""
        if not len(self):
            return self
        each = -(-len(self) // points)
        apart = np.flatnonzero(self.from_ns[1:] != self.until_ns[:-1]) + 1
        thin = _merge(self, np.union1d(np.arange(0, len(self), each), apart))
        same = (thin.from_ns[1:] == thin.until_ns[:-1]) & (thin.at_most_ns[1:] == thin.at_most_ns[:-1])
        same &= thin.at_least_ns[1:] == thin.at_least_ns[:-1]
        return _merge(thin, np.flatnonzero(np.append(True, ~same)))


def join(curves: Sequence[Curve]) -> Curve:
    """Return one curve, in the order of time."""
    empty = np.empty((len(fields(Curve)), 0), np.int64)
    columns = np.concatenate([empty, *(np.stack(one.columns) for one in curves)], axis=1)
    return Curve(*columns[:, np.argsort(columns[0], kind="stable")])


def _merge(curve: Curve, starts: NDArray[np.int64]) -> Curve:
    """Return a curve with one element for each run that starts at these places."""
    return Curve(
        curve.from_ns[starts],
        curve.until_ns[np.append(starts[1:], len(curve)) - 1],
        np.minimum.reduceat(curve.at_least_ns, starts),
        np.maximum.reduceat(curve.at_most_ns, starts),
        np.maximum.reduceat(curve.rows, starts),
    )


def _quantile(values: NDArray[np.int64], weights: NDArray[np.int64], share: float) -> int:
    """Return the least value that is not exceeded by values of this share of the weight."""
    order = np.argsort(values, kind="stable")
    passed = np.cumsum(weights[order])
    # Half a unit less: a share of a whole number need not be exact.
    place = int(np.searchsorted(passed, share * int(passed[-1]) - 0.5))
    return int(values[order[min(place, len(order) - 1)]])
