"""The swept RPA: what would have been lost had the primary died at another moment of the run, at any of them.

A drill measures one moment; luck chose it. Readings of positions and the ledger tell of all the others.

**What is computed.** At a moment t the primary had written its log up to P(t), and the standbys that streamed
had flushed it up to F(t), by what they had told the primary. Acknowledgements have times and no positions. But a
write that was acknowledged before the primary was asked for P lies below that P, and one that was attempted after
P was told lies above it. So F(t) is put among the P of all readings, which gives a time tau(t) at which the
primary stood where the standby is: what was acknowledged in (tau, t] would be lost, and RPA(t) is the last
acknowledgement up to t less the earliest one of those, as in `losing_side`.

**How exactly.** Reading k was asked for at a[k]; it told P[k], then F[k], both before a[k+1]. The two were not
read at one moment, so nothing is concluded from their difference. For all t in [a[k], a[k+1]):

- *at most*: F(t) >= F[k-1], as what is flushed stays flushed. With the last j for which P[j] <= F[k-1], all that
  was acknowledged up to a[j] is safe. The figure is the worst moment of the interval, its end.
- *at least*: at a[k], F was no more than F[k]. With the first m for which P[m] >= F[k], all that was attempted
  since a[m+1] and acknowledged by a[k] is not on the standby, as far as it has told.

The conservative one, *at most*, is the figure; the distance between the two is its resolution, about three
intervals of sampling. *At least* trusts the standby's word to be fresh: how long it was under way is not
sampled, so really a little less may be lost, and it never excuses anything.

For the fault itself one thing more is known: the standby lived on, and had all of F[k] when it took over. So the
last reading before the fault bounds the real loss by F[k], and that is compared with the loss that rows show.

**Synchronous standby.** Its acknowledgements waited for it, so nothing would be lost while a reading, the one before
and the one after say that it was synchronous: 0, where positions alone could only say "less than some intervals".
Positions can contradict: *at least* above 0 at such a reading is a finding.

**Unknown is unbounded, never zero.** Without a reading that is fresh, without a standby that streamed in this reading
and the one before, or with one that was behind since before sampling began, the loss is unbounded. Such times
rank above all others: a percentile that falls among them is not known.

Every write that the primary acknowledged counts once, a retried one at most twice. Not covered: writes that
nobody acknowledged, and acknowledgements without a server's address.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from drdrill.measure.curve import UNBOUNDED, Curve, join
from drdrill.measure.history import NEVER, read_acknowledgements
from drdrill.measure.presence import writers_of
from drdrill.measure.replication import FRESH_NS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from drdrill.measure.history import Acknowledgements
    from drdrill.measure.replication import Reading
    from drdrill.record.ledger import ClientLedger

_NONE = -1  # before all times and positions


@dataclass(frozen=True, slots=True)
class Drilled:
    """What positions say of the loss at the fault, and what rows say. `measured_ns` None: no standby took over."""

    at_least_ns: int
    at_most_ns: int
    measured_ns: int | None

    @property
    def agrees(self) -> bool | None:
        """Tell whether what was measured is within the bounds; None: there is nothing to compare."""
        return None if self.measured_ns is None else self.at_least_ns <= self.measured_ns <= self.at_most_ns


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """The swept RPA of a run. `drilled` None: what positions say of the fault is not known.

    `broken_promises`: readings that say synchronous, while acknowledged writes were certainly not on the standby.
    """

    curve: Curve
    drilled: Drilled | None
    broken_promises: int


def sweep(
    ledgers: Sequence[ClientLedger],
    readings: Sequence[Reading],
    addresses: Mapping[str, int],
    fault_ns: int | None,
    measured_ns: int | None,
    *,
    given_up: int | None = None,
) -> Sweep:
    """Sweep a run. `addresses`: IPv4 (as integers) of the hosts that readings name.

    `measured_ns`: the loss of the drill in time, where a standby took over; None: it does not compare. `given_up`: the
    address of a primary whose region was given up: then its time alone is swept, as the region that took over has no
    other one to copy to until it is failed back.
    """
    of_server: dict[int, list[_Tenure]] = {}
    for server, tenures in _split(readings, addresses).items():
        borders = [_NONE, *(one[0].at_ns for one in tenures[1:]), NEVER]
        of_server[server] = [
            _Tenure(own, since_ns, until_ns)
            for own, (since_ns, until_ns) in zip(tenures, pairwise(borders), strict=True)
        ]
    for ledger in writers_of(ledgers):
        for told in read_acknowledgements(ledger):
            for tenure in of_server.setdefault(told.server, [_Tenure((), _NONE, NEVER)]):
                tenure.add(told)
    swept = [
        tenure for server, tenures in of_server.items() if given_up in (None, server) for tenure in tenures
    ]
    drilled = None
    if fault_ns is not None and swept:
        asked_ns, serving = max(((one.last_asked(fault_ns), one) for one in swept), key=lambda one: one[0])
        if asked_ns != _NONE and fault_ns - asked_ns <= FRESH_NS:
            drilled = serving.drilled(asked_ns, measured_ns)
    broken_promises = sum(tenure.broken_promises for tenure in swept)
    return Sweep(join([tenure.curve() for tenure in swept]), drilled, broken_promises)


def _split(readings: Sequence[Reading], addresses: Mapping[str, int]) -> dict[int, list[list[Reading]]]:
    """Return the readings of one primary after another: by its address, run by run."""
    runs: dict[int, list[list[Reading]]] = {}
    last: Reading | None = None
    for reading in readings:
        server = addresses.get(reading.primary)
        if reading.position is None or server is None:
            continue
        own = runs.setdefault(server, [])
        # A log that goes back is another one: a new server under the old name.
        if last is None or last.primary != reading.primary or reading.position < (last.position or 0):
            own.append([])
        own[-1].append(reading)
        last = reading
    return runs


class _Tenure:
    """One server as primary: what is asked of its acknowledgements, answered client by client.

    All acknowledgements of the server in [`since_ns`, `until_ns`) belong to it. Arrays have one element a reading.
    """

    def __init__(self, readings: Sequence[Reading], since_ns: int, until_ns: int) -> None:
        self._since_ns, self._until_ns = since_ns, until_ns
        self._asked_ns = np.array([one.at_ns for one in readings], np.int64)
        positions = np.array([one.position for one in readings], np.int64)
        flushed = np.array([_NONE, *map(_flushed_by_both, readings, readings[1:])][: len(readings)], np.int64)
        told = np.array([_told(one) for one in readings], np.int64)
        self._followed = flushed != _NONE
        self._synchronous = self._followed & _with_neighbours(
            np.array([one.synchronous for one in readings], bool)
        )
        self._end_ns = np.minimum(np.append(self._asked_ns[1:], until_ns)[: len(readings)], self._fresh_ns)
        self._safe_ns, self._safe_at_last_ns = (
            _pick(self._asked_ns, np.searchsorted(positions, has, side="right") - 1, _NONE)
            for has in (flushed, np.where(told == NEVER, _NONE, told))
        )
        self._lost_from_ns = _pick(self._asked_ns, np.searchsorted(positions, told) + 1, NEVER)
        count = len(readings)
        self._first_ns, self._last_ns = NEVER, _NONE
        self._earliest_ns = np.full(count, NEVER)  # of what may be lost
        self._earliest_at_last_ns = np.full(count, NEVER)
        self._earliest_certain_ns = np.full(count, NEVER)
        self._last_asked_ns = np.full(count, _NONE)  # the last acknowledgement before the reading
        self._last_end_ns = np.full(count, _NONE)
        self._rows = np.zeros(count, np.int64)

    @property
    def _fresh_ns(self) -> NDArray[np.int64]:
        return self._asked_ns + FRESH_NS

    def add(self, told: Acknowledgements) -> None:
        """Add what the server told one client."""
        begin, end = np.searchsorted(told.acknowledged_ns, [self._since_ns, self._until_ns]).tolist()
        times_ns = told.acknowledged_ns[begin:end]
        if not len(times_ns):
            return
        self._first_ns = min(self._first_ns, int(times_ns[0]))
        self._last_ns = max(self._last_ns, int(times_ns[-1]))
        asked, ended, safe, at_last = (
            np.searchsorted(times_ns, moments_ns, side="right")
            for moments_ns in (self._asked_ns, self._end_ns, self._safe_ns, self._safe_at_last_ns)
        )
        # In the order of acknowledgement, the first one attempted at x or later is where the highest time of
        # attempt so far reaches x.
        attempted_ns = np.maximum.accumulate(told.attempted_ns[begin:end])
        certain = np.searchsorted(attempted_ns, self._lost_from_ns)
        np.maximum(self._last_asked_ns, _pick(times_ns, asked - 1, _NONE), out=self._last_asked_ns)
        np.maximum(self._last_end_ns, _pick(times_ns, ended - 1, _NONE), out=self._last_end_ns)
        np.minimum(self._earliest_ns, _pick(times_ns, safe, NEVER), out=self._earliest_ns)
        np.minimum(self._earliest_at_last_ns, _pick(times_ns, at_last, NEVER), out=self._earliest_at_last_ns)
        np.minimum(self._earliest_certain_ns, _pick(times_ns, certain, NEVER), out=self._earliest_certain_ns)
        self._rows += np.maximum(ended - safe, 0)

    @property
    def broken_promises(self) -> int:
        """Return how many readings say synchronous, and were contradicted."""
        return int(np.count_nonzero(self._synchronous & (self._earliest_certain_ns <= self._last_asked_ns)))

    def last_asked(self, by_ns: int) -> int:
        """Return when the last reading until a moment was asked for."""
        asked_ns = self._asked_ns[self._asked_ns <= by_ns]
        return int(asked_ns[-1]) if len(asked_ns) else _NONE

    def drilled(self, asked_ns: int, measured_ns: int | None) -> Drilled | None:
        """Return what was lost if a standby that then took over got no more than it told in this reading.

        Other than at a moment of the curve, it had all of that when it took over; and whatever the server
        acknowledged later is lost, too.
        """
        index = int(np.searchsorted(self._asked_ns, asked_ns))
        if self._synchronous[index]:
            return Drilled(0, 0, measured_ns)
        if self._safe_at_last_ns[index] == _NONE:
            return None
        at_most_ns = max(0, self._last_ns - int(self._earliest_at_last_ns[index]))
        return Drilled(int(self._at_least_ns[index]), at_most_ns, measured_ns)

    def curve(self) -> Curve:
        """Return the loss from the server's first acknowledgement to its last one."""
        edges = np.concatenate([self._asked_ns, self._fresh_ns, [self._first_ns, self._last_ns]])
        edges = np.unique(edges[(edges >= self._first_ns) & (edges <= self._last_ns)])
        from_ns, until_ns = edges[:-1], edges[1:]
        index = np.searchsorted(self._asked_ns, from_ns, side="right") - 1
        stale = (index < 0) | (from_ns >= _pick(self._fresh_ns, index, _NONE))
        at_most_ns = np.where(stale, UNBOUNDED, _pick(self._at_most_ns, index, UNBOUNDED))
        unknown = at_most_ns == UNBOUNDED
        return Curve(
            from_ns,
            until_ns,
            np.where(unknown, 0, _pick(self._at_least_ns * ~self._synchronous, index, 0)),
            at_most_ns,
            np.where(unknown, 0, _pick(self._rows * ~self._synchronous, index, 0)),
        )

    @property
    def _at_most_ns(self) -> NDArray[np.int64]:
        lost_ns: NDArray[np.int64] = np.maximum(self._last_end_ns - self._earliest_ns, 0)
        lost_ns[self._safe_ns == _NONE] = UNBOUNDED
        lost_ns[self._synchronous] = 0
        return lost_ns

    @property
    def _at_least_ns(self) -> NDArray[np.int64]:
        lost_ns: NDArray[np.int64] = np.maximum(self._last_asked_ns - self._earliest_certain_ns, 0)
        return lost_ns


def _flushed_by_both(before: Reading, now: Reading) -> int:
    """Return the furthest flush position that one of the standbys which still stream had told before."""
    return max((before.flushes[host] for host in before.flushes.keys() & now.flushes.keys()), default=_NONE)


def _told(reading: Reading) -> int:
    return NEVER if reading.flushed is None else reading.flushed


def _with_neighbours(flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell of each element whether it, the one before and the one after are true; the last needs none after it."""
    padded = np.concatenate([[False], flags, [True]])
    agreed: NDArray[np.bool_] = padded[:-2] & padded[1:-1] & padded[2:]
    return agreed


def _pick(values: NDArray[np.int64], indices: NDArray[np.int64], otherwise: int) -> NDArray[np.int64]:
    """Return the values at indices, another one where an index is outside."""
    if not len(values):
        return np.full(len(indices), otherwise)
    inside = (indices >= 0) & (indices < len(values))
    return np.where(inside, values[np.clip(indices, 0, len(values) - 1)], otherwise)
