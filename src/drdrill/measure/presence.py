"""What the store has of each client's requests: ledger and survivors brought together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from drdrill.core.errors import DamagedRecordError
from drdrill.measure.history import resolve
from drdrill.record.ledger import ClientKind, sequence_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from drdrill.measure.history import History
    from drdrill.measure.survivors import Rows, Survivors
    from drdrill.record.ledger import ClientLedger


@dataclass(frozen=True, slots=True, eq=False)
class Presence:
    """What is there of one client's requests; `phantoms`: ids that it never attempted.

    `slots`, `amounts` and `positions` have one element a row, in the order of the file; all that is computed
    from them has one element a request.
    """

    history: History
    slots: NDArray[np.int64]
    amounts: NDArray[np.signedinteger]
    positions: NDArray[np.signedinteger]
    there: NDArray[np.bool_]
    phantoms: NDArray[np.uint64]

    @property
    def duplicated(self) -> NDArray[np.bool_]:
        """Tell of each request whether there is more than one row."""
        if np.count_nonzero(self.there) == len(self.slots):
            return np.zeros(len(self.there), np.bool_)
        duplicated: NDArray[np.bool_] = np.bincount(self.slots, minlength=len(self.there)) > 1
        return duplicated

    @property
    def altered(self) -> NDArray[np.bool_]:
        """Tell of each request whether a row has another amount than was written."""
        altered = np.zeros(len(self.there), np.bool_)
        altered[self.slots[self.amounts != self.history.amount[self.slots]]] = True
        return altered

    def order(self) -> tuple[NDArray[np.int64], NDArray[np.signedinteger]]:
        """Return the requests that are there by position, and their positions; of several copies the first."""
        slots, positions = self.slots, self.positions
        if not (positions[1:] >= positions[:-1]).all():
            order = np.argsort(positions, kind="stable")
            slots, positions = slots[order], positions[order]
        if np.count_nonzero(self.there) < len(slots):
            first = np.sort(np.unique(slots, return_index=True)[1])
            slots, positions = slots[first], positions[first]
        return slots, positions


def writers_of(ledgers: Sequence[ClientLedger]) -> list[ClientLedger]:
    """Return the ledgers of clients that write to the store: all but the positive control's and those who only ask.

    Who only asks has no amount in any attempt: there is no row that could be lost.
    Raises `DamagedRecordError` when two have the same number: their ids could not be told apart.
    """
    users = [ledger for ledger in ledgers if ledger.client.kind is not ClientKind.CONTROL]
    if len({ledger.client.number for ledger in users}) < len(users):
        raise DamagedRecordError(
            "Two clients of the ledger have one number, so their ids cannot be told apart."
        )
    return [ledger for ledger in users if not only_asks(ledger)]


def only_asks(ledger: ClientLedger) -> bool:
    """Tell whether a client writes nothing: it has attempts, and no amount in any."""
    amounts = ledger.attempts["amount"]
    return len(amounts) > 0 and amounts[0] == 0 and not amounts.any()


def match(ledgers: Sequence[ClientLedger], survivors: Survivors) -> Iterator[tuple[History, Presence]]:
    """Yield, client by client, what it knows and what is there; two clients' arrays are in memory at most.

    The last client's go when the next one's are there, which is on purpose: let go earlier, their pages went back
    to the kernel and were asked for again, which cost another 0.6 s in ten million rows.
    """
    for ledger in writers_of(ledgers):
        history = resolve(ledger)
        yield history, _presence(history, survivors.of_client(ledger.client.number))


def _presence(history: History, rows: Rows) -> Presence:
    slots = sequence_of(rows.ids).view(np.int64)
    phantoms = rows.ids[:0]
    size = len(history.attempts)
    if int(slots.max(initial=-1)) >= size or not history.attempts.all():
        known = slots < size
        known[known] = history.attempts[slots[known]] > 0
        phantoms, slots, rows = rows.ids[~known], slots[known], rows.take(known)
    there = np.zeros(size, np.bool_)
    there[slots] = True
    return Presence(history, slots, rows.amounts, rows.positions, there, phantoms)
