"""The two-writers watch: tells whether one writer at a time can have acknowledged everything.

The invariant. A write that server S acknowledged was committed by S at some instant between its attempt and
its acknowledgement. If at every instant at most one server accepts writes, the instants in order name the
servers in turn, and the writer's place changes only at a role change. So the least number of alternations
between servers that *any* choice of instants allows is a lower bound of the role changes that took place.
When it exceeds the number that the cloud reports, no choice of instants explains the acknowledgements with
one writer at a time: two servers acknowledged during one and the same tenure. Where no number of role changes
is known, each server is granted one tenure: with n servers, n - 1 alternations.

How the least number is found. One server A against all others B. Stay with the present side as long as
possible: until the earliest acknowledgement among the other side's writes that were attempted after its last
tenure ended (those attempted before fit into that tenure, for they were not yet overdue). Whoever moves
earlier leaves the same writes to the other side and fewer to its own, so latest is best; both first sides are
tried. With two servers the number is exact. With more, each server against the rest gives a number that is
too low at worst (a move between two of the rest is not seen): an accusation is never false.

Why few writes are kept. A tenure ends with an acknowledgement of the other side. So only writes that were
attempted between the other side's first acknowledgement and its last one can be cut off from each other by
such an instant. Of those attempted before, and of those attempted after, the earliest acknowledgement says
everything. After one clean failover next to nothing is left to be put in order.

Left out: writes that were attempted more than once (an earlier attempt may have committed elsewhere), and
acknowledgements without a server's address.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from drdrill.measure.history import NEVER, distinct, resolve
from drdrill.measure.presence import writers_of
from drdrill.record.ledger import Outcome, outcomes_of, servers_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from drdrill.measure.facts import Failover
    from drdrill.record.ledger import ClientLedger

_ENOUGH = 10_000  # more alternations are not counted: by then nobody doubts, and each costs a search


@dataclass(frozen=True, slots=True)
class Alternation:
    """The write that forces the writer's place to change: `server` acknowledged it at `by_ns`."""

    id: int
    server: int
    by_ns: int


@dataclass(frozen=True, slots=True)
class WritersWatch:
    """How often the writer's place must have changed, how often it may have, and the proof of more.

    `servers`: all that acknowledged, as IPv4 integers; where `places` has names, they are its numbers, from 1 on.
    `evidence`: the write that used up the last allowed change, if there was one, and the write that contradicts it;
    empty where nothing does.
    """

    servers: tuple[int, ...]
    alternations: int
    allowed: int
    evidence: tuple[Alternation, ...]
    places: tuple[str, ...] = ()

    @property
    def two_writers(self) -> bool:
        """Tell whether two servers acknowledged writes during one tenure."""
        return self.alternations > self.allowed


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """Writes of one side by time of attempt; `due_ns[i]`: the earliest acknowledgement from i on."""

    attempted_ns: NDArray[np.int64]
    due_ns: NDArray[np.int64]
    due_index: NDArray[np.int64]
    ids: NDArray[np.uint64]
    servers: NDArray[np.uint32]


@dataclass(frozen=True, slots=True, eq=False)
class _Writes:
    """Acknowledged writes of all clients as columns, by time of attempt."""

    ids: NDArray[np.uint64]
    servers: NDArray[np.uint32]
    attempted_ns: NDArray[np.int64]
    acknowledged_ns: NDArray[np.int64]

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.integer]) -> _Writes:
        """Return the writes where a mask is true, or at indices."""
        return _Writes(
            self.ids[chosen], self.servers[chosen], self.attempted_ns[chosen], self.acknowledged_ns[chosen]
        )


@dataclass(frozen=True, slots=True)
class _Span:
    """From the first to the last acknowledgement of one or more servers."""

    first_ns: int = NEVER
    last_ns: int = -1

    def union(self, other: _Span) -> _Span:
        """Return the span from the first to the last of both."""
        return _Span(min(self.first_ns, other.first_ns), max(self.last_ns, other.last_ns))


def watch_writers(
    ledgers: Sequence[ClientLedger], promotions: int | None, *, first: int | None = None
) -> WritersWatch:
    """Compare the acknowledgements with the number of role changes that the cloud reports (None: unknown).

    `first`: the server whose tenure comes first, where that is known; None: whichever explains more.
    """
    writes = _read_writes(ledgers)
    servers = distinct(writes.servers)
    allowed = max(0, len(servers) - 1) if promotions is None else promotions
    first = first if first in servers else None
    most: list[Alternation] = []
    # With two servers, one against the rest is the same question as the other against the rest.
    for server in servers[: 1 if len(servers) == 2 else len(servers)]:  # noqa: PLR2004
        most = max(most, _fewest_alternations(writes, server, first), key=len)
    evidence = tuple(most[max(0, allowed - 1) : allowed + 1]) if len(most) > allowed else ()
    return WritersWatch(servers, len(most), allowed, evidence)


def count_allowed(reported: Sequence[Failover], restored: int) -> int | None:
    """Return how often the writer's place may have changed by what was reported; None: nobody looked.

    `restored`: how many restored databases served users. One that was put in the place of another one begins a tenure
    without a promotion; one that served without having been put anywhere is a second writer.
    """
    if not reported:
        return None
    latest = reported[-1]
    moved = restored if latest.moves is None else min(latest.moves, restored)
    return max(one.promotions for one in reported) + moved  # a count only grows: no look takes one back


def _fewest_alternations(writes: _Writes, server: int, first: int | None) -> list[Alternation]:
    own = writes.servers == server
    sides = _side(writes, own), _side(writes, ~own)
    beginnings = (0, 1) if first is None else (int(server != first),)
    return min((_alternate(sides, one) for one in beginnings), key=len)


def _alternate(sides: tuple[_Side, _Side], first: int) -> list[Alternation]:
    """Follow the latest possible moves from a first side to the end."""
    moves: list[Alternation] = []
    left_ns = [-1, -1]  # when each side's last tenure ended; at first none has had one
    present = first
    while len(moves) < _ENOUGH:
        other = sides[1 - present]
        index = int(np.searchsorted(other.attempted_ns, left_ns[1 - present], side="right"))
        if index == len(other.due_ns):
            break
        forcing = int(other.due_index[index])
        due_ns = int(other.due_ns[index])
        moves.append(Alternation(int(other.ids[forcing]), int(other.servers[forcing]), due_ns))
        left_ns[present] = due_ns
        present = 1 - present
    return moves


def _side(writes: _Writes, chosen: NDArray[np.bool_]) -> _Side:
    due = writes.acknowledged_ns[chosen]
    backwards = np.minimum.accumulate(due[::-1])
    # Where the minimum so far stands: the last index, going backwards, that lowered it.
    lowered = np.flatnonzero(np.diff(backwards, prepend=NEVER))
    where = np.repeat(lowered, np.diff(np.append(lowered, len(due))))
    return _Side(
        writes.attempted_ns[chosen],
        backwards[::-1],
        (len(due) - 1 - where)[::-1],
        writes.ids[chosen],
        writes.servers[chosen],
    )


def _read_writes(ledgers: Sequence[ClientLedger]) -> _Writes:
    """Return the writes that can decide, by time of attempt."""
    spans = _find_spans(ledgers)
    empty = np.empty(0, np.int64)
    parts = [_Writes(np.empty(0, np.uint64), np.empty(0, np.uint32), empty, empty)]
    for ledger in writers_of(ledgers):
        history = resolve(ledger)
        usable = history.acknowledged & (history.attempts == 1)
        writes = _Writes(
            history.ids(usable),
            history.servers(usable),
            history.attempted_ns[usable],
            history.acknowledged_ns[usable],
        )
        parts.append(writes.take(_find_decisive(writes, spans)))
    writes = _Writes(
        np.concatenate([part.ids for part in parts]),
        np.concatenate([part.servers for part in parts]),
        np.concatenate([part.attempted_ns for part in parts]),
        np.concatenate([part.acknowledged_ns for part in parts]),
    )
    return writes.take(np.argsort(writes.attempted_ns, kind="stable"))


def _find_spans(ledgers: Sequence[ClientLedger]) -> dict[int, _Span]:
    """Return the span of every server's acknowledgements, also of writes that are left out later."""
    spans: dict[int, _Span] = {}
    for ledger in writers_of(ledgers):
        outcomes = ledger.outcomes
        codes = np.array(distinct(outcomes["code"]), np.uint64)
        said_yes = outcomes_of(codes) == Outcome.ACKNOWLEDGED
        for code, server in zip(codes[said_yes], servers_of(codes[said_yes]).tolist(), strict=True):
            if server:
                times_ns = outcomes["at_ns"][outcomes["code"] == code]
                span = _Span(int(times_ns.min()), int(times_ns.max()))
                spans[server] = span.union(spans.get(server, _Span()))
    return spans


def _find_decisive(writes: _Writes, spans: Mapping[int, _Span]) -> NDArray[np.bool_]:
    """Tell which of a client's writes can decide, given the spans of all servers' acknowledgements."""
    decisive = np.zeros(len(writes.ids), np.bool_)
    for server in spans:
        others = reduce(_Span.union, (span for other, span in spans.items() if other != server), _Span())
        own = writes.servers == server
        before = own & (writes.attempted_ns <= others.first_ns)
        after = own & (writes.attempted_ns > others.last_ns)
        decisive |= own & ~before & ~after
        for part in (before, after):
            earliest_ns = writes.acknowledged_ns.min(initial=NEVER, where=part)
            decisive |= part & (writes.acknowledged_ns == earliest_ns)
    return decisive
