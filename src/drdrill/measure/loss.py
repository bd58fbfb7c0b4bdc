"""Survivors against the ledger: which rows are lost, and every other way in which they differ.

| Word | Row |
|---|---|
| lost | acknowledged, not there |
| recovered unknown | nobody knew, there |
| duplicated | there more than once |
| phantom | there, never attempted |
| contradicted | there, although every answer was a definite no: users were told the opposite |
| altered | there with another amount |
| reordered | there at a position before one that was acknowledged before it was attempted |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from drdrill.measure.presence import match, writers_of
from drdrill.record.ledger import ClientKind, Outcome, outcomes_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from drdrill.measure.history import History
    from drdrill.measure.presence import Presence
    from drdrill.measure.survivors import Survivors
    from drdrill.record.ledger import ClientLedger

_LOW_BITS = 32
_EXAMPLES = 5  # ids named of each kind, for people who want to look at a row


@dataclass(frozen=True, slots=True, eq=False)
class LostRows:
    """The lost rows as columns of one length, earliest acknowledgement first."""

    ids: NDArray[np.uint64]
    amounts: NDArray[np.int64]
    attempted_ns: NDArray[np.int64]
    acknowledged_ns: NDArray[np.int64]
    servers: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def amount(self) -> int:
        """Return the sum of the amounts in minor units; exact also where it exceeds 64 bits."""
        high = int((self.amounts >> _LOW_BITS).sum(dtype=np.int64))
        low = int((self.amounts & ((1 << _LOW_BITS) - 1)).sum(dtype=np.int64))
        return (high << _LOW_BITS) + low


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Counts of rows by what became of them; `examples` names the first ids of each kind."""

    acknowledged: int
    unknown: int
    recovered_unknown: int
    duplicated: int
    phantom: int
    contradicted: int
    altered: int
    reordered: int
    lost: LostRows
    examples: Mapping[str, tuple[int, ...]]


def compare(ledgers: Sequence[ClientLedger], survivors: Survivors) -> Comparison:
    """Compare what clients were told with what is there. The positive control is left out."""
    tally = _Tally()
    for history, presence in match(ledgers, survivors):
        tally.add_client(history, presence)
    strangers = survivors.of_others({ledger.client.number for ledger in writers_of(ledgers)}).ids
    tally.add("phantom", strangers[~_written_by_control(ledgers, strangers)])
    count = tally.count
    return Comparison(
        acknowledged=tally.acknowledged,
        unknown=tally.unknown,
        recovered_unknown=count["recovered_unknown"],
        duplicated=count["duplicated"],
        phantom=count["phantom"],
        contradicted=count["contradicted"],
        altered=count["altered"],
        reordered=count["reordered"],
        lost=tally.lost(),
        examples=dict(tally.examples),
    )


def _written_by_control(ledgers: Sequence[ClientLedger], ids: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Tell of each id whether a positive control wrote it that got an answer.

    Such a control has failed and spoils the drill; its rows are our own doing, and accuse no store.
    """
    written = np.zeros(len(ids), np.bool_)
    for ledger in ledgers:
        answered = outcomes_of(ledger.outcomes["code"]) == Outcome.ACKNOWLEDGED
        if ledger.client.kind is ClientKind.CONTROL and answered.any():
            written |= np.isin(ids, ledger.attempts["id"])
    return written


def find_reordered(history: History, presence: Presence) -> NDArray[np.bool_]:
    """Tell of each request whether its row's position contradicts happens-before within the client.

    w1 acknowledged before w2 was attempted implies position(w1) < position(w2). The earliest acknowledgement
    among all rows from w2's position on decides, so a cumulative minimum, from the last position backwards,
    replaces the comparison of pairs. What was not acknowledged has its acknowledgement at `NEVER`.
    """
    slots, positions = presence.order()
    earliest_ns = np.minimum.accumulate(history.acknowledged_ns[slots][::-1])[::-1]
    if (positions[1:] == positions[:-1]).any():
        earliest_ns = earliest_ns[np.searchsorted(positions, positions, side="left")]
    reordered = np.zeros(len(presence.there), np.bool_)
    reordered[slots[earliest_ns < history.attempted_ns[slots]]] = True
    return reordered


class _Tally:
    """Adds up what the clients' comparisons give; keeps whole rows only of what was lost."""

    def __init__(self) -> None:
        kinds = ("recovered_unknown", "duplicated", "phantom", "contradicted", "altered", "reordered")
        self.acknowledged = 0
        self.unknown = 0
        self.count = dict.fromkeys(kinds, 0)
        self.examples: dict[str, tuple[int, ...]] = dict.fromkeys(kinds, ())
        empty = np.empty(0, np.int64)
        self._lost = [(np.empty(0, np.uint64), empty, empty, empty, np.empty(0, np.uint32))]

    def add(self, kind: str, ids: NDArray[np.uint64]) -> None:
        kept = self.examples[kind]
        self.count[kind] += len(ids)
        self.examples[kind] = kept + tuple(int(one) for one in ids[: _EXAMPLES - len(kept)])

    def add_client(self, history: History, presence: Presence) -> None:
        there = presence.there
        self.acknowledged += int(np.count_nonzero(history.acknowledged))
        self.unknown += int(np.count_nonzero(history.unknown))
        self.add("recovered_unknown", history.ids(history.unknown & there))
        self.add("duplicated", history.ids(presence.duplicated))
        self.add("phantom", presence.phantoms)
        self.add("contradicted", history.ids(history.refused & there))
        self.add("altered", history.ids(presence.altered))
        self.add("reordered", history.ids(find_reordered(history, presence)))
        gone = history.acknowledged & ~there
        self._lost.append(
            (
                history.ids(gone),
                history.amount[gone],
                history.attempted_ns[gone],
                history.acknowledged_ns[gone],
                history.servers(gone),
            )
        )

    def lost(self) -> LostRows:
        columns = map(np.concatenate, zip(*self._lost, strict=True))
        ids, amounts, attempted_ns, acknowledged_ns, servers = columns
        order = np.lexsort((ids, acknowledged_ns))
        self.examples["lost"] = tuple(int(one) for one in ids[order][:_EXAMPLES])
        return LostRows(
            ids[order], amounts[order], attempted_ns[order], acknowledged_ns[order], servers[order]
        )
