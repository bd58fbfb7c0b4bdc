"""What the store has of each client's requests: ledger and survivors brought together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from drdrill.core.errors import DamagedRecordError
from drdrill.measure.history import History, resolve
from drdrill.record.ledger import ClientKind, make_id, sequence_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from drdrill.measure.survivors import Survivors
    from drdrill.record.ledger import ClientLedger

_NUMBER_SHIFT = np.uint64(make_id(1, 0).bit_length() - 1)


@dataclass(frozen=True, slots=True, eq=False)
class Presence:
    """What is there of one client's requests, one element a request; `phantoms`: ids never attempted.

    `position` is the first one of several copies.
    """

    copies: NDArray[np.int64]
    position: NDArray[np.int64]
    altered: NDArray[np.bool_]
    phantoms: NDArray[np.uint64]

    @property
    def there(self) -> NDArray[np.bool_]:
        """Tell of each request whether there is a row."""
        return self.copies > 0


def writers_of(ledgers: Sequence[ClientLedger]) -> list[ClientLedger]:
    """Return the ledgers of clients that write to the store: all but the positive control's.

    Raises `DamagedRecordError` when two have the same number: their ids could not be told apart.
    """
    writers = [ledger for ledger in ledgers if ledger.client.kind is not ClientKind.CONTROL]
    if len({ledger.client.number for ledger in writers}) < len(writers):
        raise DamagedRecordError(
            "Two clients of the ledger have one number, so their ids cannot be told apart."
        )
    return writers


def match(
    ledgers: Sequence[ClientLedger], survivors: Survivors, strangers: NDArray[np.bool_] | None = None
) -> Iterator[tuple[History, Presence]]:
    """Yield, client by client, what it knows and what is there; one client's arrays are in memory at a time.

    Clears the element of `strangers` of each row that bears a client's number.
    """
    numbers = (survivors.ids >> _NUMBER_SHIFT).astype(np.uint32)
    for ledger in writers_of(ledgers):
        rows = np.flatnonzero(numbers == ledger.client.number)
        if strangers is not None:
            strangers[rows] = False
        history = resolve(ledger)
        yield history, _presence(history, survivors, rows)


def _presence(history: History, survivors: Survivors, rows: NDArray[np.int64]) -> Presence:
    ids = survivors.ids[rows]
    slots = sequence_of(ids).astype(np.int64)
    size = len(history.attempts)
    known = slots < size
    known[known] = history.attempts[slots[known]] > 0
    phantoms = ids[~known]
    if len(phantoms):
        slots, rows = slots[known], rows[known]
    copies = np.bincount(slots, minlength=size)
    position = np.full(size, np.iinfo(np.int64).max, np.int64)
    if len(slots) and copies.max() > 1:
        np.minimum.at(position, slots, survivors.positions[rows])
    else:
        position[slots] = survivors.positions[rows]
    altered = np.zeros(size, np.bool_)
    altered[slots[survivors.amounts[rows] != history.amount[slots]]] = True
    return Presence(copies, position, altered, phantoms)
