"""Whose acknowledgements are lost, the span of them (RPA), and whether the loss is a suffix."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from drdrill.measure.history import NEVER, resolve
from drdrill.measure.presence import match, writers_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from drdrill.measure.loss import LostRows
    from drdrill.measure.survivors import Survivors
    from drdrill.record.ledger import ClientLedger


@dataclass(frozen=True, slots=True)
class LosingSide:
    """The servers that acknowledged what was lost, and how much time of theirs is gone.

    `rpa_ns`: from the earliest lost acknowledgement to the last one that they gave until another server took
    over. `holes`: lost rows after which the same server certainly committed one that survived: loss that is
    no suffix.
    """

    servers: tuple[int, ...]
    rpa_ns: int
    earliest_lost_ns: int
    earliest_lost_id: int
    holes: int


@dataclass(frozen=True, slots=True, eq=False)
class _Acknowledged:
    """Acknowledged requests of one client as columns."""

    attempted_ns: NDArray[np.int64]
    acknowledged_ns: NDArray[np.int64]
    servers: NDArray[np.uint32]
    there: NDArray[np.bool_]


class _Tenure:
    """What a server that lost rows acknowledged, from the earliest loss of all on until another took over.

    It ends where another server acknowledges after its earliest lost row: what it acknowledges when it serves
    again later is no part of the loss. What it acknowledged after that and lost, is. `new_ns`: when a new server got
    its address; `NEVER`: none did.
    """

    def __init__(self, server: int, lost: LostRows, new_ns: int) -> None:
        self.server = server
        self._lost_ns = lost.acknowledged_ns[lost.servers == server]
        self._until_ns = new_ns if new_ns > self._lost_ns[0] else NEVER
        self._acknowledged_ns = [np.empty(0, np.int64)]
        self._kept_ns = [np.empty(0, np.int64)]  # when it was attempted if it is there, else 0

    def add(self, since: _Acknowledged) -> None:
        """Add what one client was told since the earliest loss."""
        times_ns, own = since.acknowledged_ns, since.servers == self.server
        others_ns = times_ns[~own & (times_ns > self._lost_ns[0])]
        self._until_ns = min(self._until_ns, int(others_ns.min(initial=NEVER)))
        # Another client may know of an earlier takeover, but no later one counts: the rest need not be kept.
        own &= times_ns <= self._until_ns
        self._acknowledged_ns.append(times_ns[own])
        self._kept_ns.append(np.where(since.there[own], since.attempted_ns[own], 0))

    def end(self) -> tuple[int, int]:
        """Return its last acknowledgement, lost ones included, and its holes."""
        times_ns, kept_ns = np.concatenate(self._acknowledged_ns), np.concatenate(self._kept_ns)
        own = times_ns <= self._until_ns
        last_ns = max(int(self._lost_ns[-1]), int(times_ns[own].max(initial=0)))
        return last_ns, int(np.count_nonzero(self._lost_ns < kept_ns[own].max(initial=0)))


def find_losing_side(
    ledgers: Sequence[ClientLedger],
    survivors: Survivors,
    lost: LostRows,
    new_ns: Mapping[int, int] = MappingProxyType({}),
) -> LosingSide | None:
    """Return whose acknowledgements are lost; None when nothing is.

    `new_ns`: by address, when a new server got it, which has no part in what the one before it lost.

    A hole is counted only where time proves the order: the surviving row was attempted after the lost one had
    been acknowledged, by the same server. Rows in flight together prove nothing.
    """
    if not len(lost):
        return None
    tenures = [
        _Tenure(int(server), lost, new_ns.get(int(server), NEVER)) for server in np.unique(lost.servers)
    ]
    for history, presence in match(ledgers, survivors):
        chosen = history.acknowledged & (history.last_acknowledged_ns >= lost.acknowledged_ns[0])
        since = _Acknowledged(
            history.attempted_ns[chosen],
            history.last_acknowledged_ns[chosen],
            history.servers(chosen),
            presence.there[chosen],
        )
        for tenure in tenures:
            tenure.add(since)
    ends = [tenure.end() for tenure in tenures]
    return LosingSide(
        servers=tuple(tenure.server for tenure in tenures),
        rpa_ns=max(last_ns for last_ns, _ in ends) - int(lost.acknowledged_ns[0]),
        earliest_lost_ns=int(lost.acknowledged_ns[0]),
        earliest_lost_id=int(lost.ids[0]),
        holes=sum(holes for _, holes in ends),
    )


def measure_gap(ledgers: Sequence[ClientLedger], until_ns: int, span_ns: int) -> int | None:
    """Return the longest time (ns) without an acknowledgement within `span_ns` before a moment.

    A loss shorter than that would have had no row to show it. None: there was no acknowledgement in that
    time.
    """
    parts = [np.empty(0, np.int64)]
    for ledger in writers_of(ledgers):
        times = resolve(ledger).acknowledged_ns
        parts.append(times[(times >= until_ns - span_ns) & (times <= until_ns)])
    moments = np.sort(np.concatenate(parts))
    return int(np.diff(moments, append=until_ns).max()) if len(moments) else None
