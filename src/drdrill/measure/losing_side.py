"""Whose acknowledgements are lost, the span of them (RPA), and whether the loss is a suffix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from drdrill.measure.history import NEVER, resolve
from drdrill.measure.presence import match, writers_of

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    """Acknowledged requests of all clients as columns."""

    attempted_ns: NDArray[np.int64]
    acknowledged_ns: NDArray[np.int64]
    servers: NDArray[np.uint64]
    there: NDArray[np.bool_]


def find_losing_side(
    ledgers: Sequence[ClientLedger], survivors: Survivors, lost: LostRows
) -> LosingSide | None:
    """Return whose acknowledgements are lost; None when nothing is.

    A server's tenure ends where another server acknowledges after its earliest lost row: what it acknowledges
    when it serves again later is no part of the loss. What it acknowledged after that and lost, is.
    A hole is counted only where time proves the order: the surviving row was attempted after the lost one had
    been acknowledged, by the same server. Rows in flight together prove nothing.
    """
    if not len(lost):
        return None
    since = _acknowledged_since(ledgers, survivors, int(lost.acknowledged_ns[0]))
    last_ns, holes = 0, 0
    losers = np.unique(lost.servers)
    for server in losers:
        lost_ns = lost.acknowledged_ns[lost.servers == server]
        own = since.servers == server
        others_ns = since.acknowledged_ns[~own & (since.acknowledged_ns > lost_ns[0])]
        own &= since.acknowledged_ns <= others_ns.min(initial=NEVER)
        last_ns = max(last_ns, int(lost_ns[-1]), int(since.acknowledged_ns[own].max(initial=0)))
        latest_kept_ns = since.attempted_ns[own & since.there].max(initial=0)
        holes += int(np.count_nonzero(lost_ns < latest_kept_ns))
    return LosingSide(
        servers=tuple(int(server) for server in losers),
        rpa_ns=last_ns - int(lost.acknowledged_ns[0]),
        earliest_lost_ns=int(lost.acknowledged_ns[0]),
        earliest_lost_id=int(lost.ids[0]),
        holes=holes,
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


def _acknowledged_since(
    ledgers: Sequence[ClientLedger], survivors: Survivors, since_ns: int
) -> _Acknowledged:
    parts = []
    for history, presence in match(ledgers, survivors):
        chosen = np.flatnonzero(history.acknowledged & (history.last_acknowledged_ns >= since_ns))
        parts.append(
            (
                history.attempted_ns[chosen],
                history.last_acknowledged_ns[chosen],
                history.server[chosen],
                presence.there[chosen],
            )
        )
    attempted_ns, acknowledged_ns, servers, there = zip(*parts, strict=True)
    return _Acknowledged(
        np.concatenate(attempted_ns),
        np.concatenate(acknowledged_ns),
        np.concatenate(servers),
        np.concatenate(there),
    )
