"""Two readings of the survivors compared: a store that still changes has not come to rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from drdrill.measure.survivors import join_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drdrill.measure.survivors import Rows, Survivors


@dataclass(frozen=True, slots=True)
class Disagreement:
    """How the second reading differs from the first, in rows: gone, new, or with other values."""

    vanished: int
    appeared: int
    changed: int

    def __bool__(self) -> bool:
        return bool(self.vanished or self.appeared or self.changed)


def compare_readings(first: Survivors, second: Survivors) -> Disagreement:
    """Compare two readings row by row, whatever their order; an id may be there more than once.

    Rows are sorted client by client: those of different clients have nothing in common.
    """
    vanished = appeared = changed = 0
    if not first.equals(second):
        for number in first.clients | second.clients:
            found = _compare_rows(first.of_client(number), second.of_client(number))
            vanished += found.vanished
            appeared += found.appeared
            changed += found.changed
    return Disagreement(vanished, appeared, changed)


def _compare_rows(first: Rows, second: Rows) -> Disagreement:
    if first.equals(second):
        return Disagreement(0, 0, 0)
    rows = join_rows([first, second])
    order = np.lexsort((rows.positions, rows.amounts, rows.ids))
    rows = rows.take(order)
    distinct = _starts(
        (np.diff(rows.ids) != 0) | (np.diff(rows.amounts) != 0) | (np.diff(rows.positions) != 0)
    )
    # Of each distinct row, by how many the first reading has more than the second; then by id.
    more = np.add.reduceat(np.where(order < len(first), 1, -1), distinct)
    groups = _starts(np.diff(rows.ids[distinct]) != 0)
    gone = np.add.reduceat(np.maximum(more, 0), groups)
    new = np.add.reduceat(np.maximum(-more, 0), groups)
    both = np.minimum(gone, new)
    return Disagreement(int((gone - both).sum()), int((new - both).sum()), int(both.sum()))


def _starts(changes: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return where each run of equal elements begins, from where an element differs from the one before."""
    return np.concatenate([[0], np.flatnonzero(changes) + 1])
