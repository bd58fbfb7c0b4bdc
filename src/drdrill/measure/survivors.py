"""The rows that a store still has after recovery, read from PostgreSQL's binary COPY of three bigint columns.

Format: https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format". Without nulls every row has
the same 38 bytes, so that numpy reads the file as one array.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from drdrill.core.errors import DamagedRecordError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SIGNATURE = b"PGCOPY\n\xff\r\n\0"
HEADER = SIGNATURE + bytes(8)  # no flags, no extension
TRAILER = b"\xff\xff"
ROW_DTYPE = np.dtype(
    [
        ("fields", ">i2"),
        ("id_length", ">i4"),
        ("id", ">i8"),
        ("amount_length", ">i4"),
        ("amount", ">i8"),
        ("position_length", ">i4"),
        ("position", ">i8"),
    ]
)
_FIELDS = 3
_LENGTH = 8
_CHUNK_ROWS = 1 << 20  # bounds the memory of one step of the reading to some 40 MB


@dataclass(frozen=True, slots=True, eq=False)
class Survivors:
    """The rows as columns of one length: id, amount in minor units, position in the order of inserts."""

    ids: NDArray[np.uint64]
    amounts: NDArray[np.int64]
    positions: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ids)

    def without(self, rows: NDArray[np.int64]) -> Survivors:
        """Return a copy that lacks the rows at these indices."""
        return Survivors(
            np.delete(self.ids, rows), np.delete(self.amounts, rows), np.delete(self.positions, rows)
        )


def read_survivors(path: Path) -> Survivors:
    """Read a whole file; raises `DamagedRecordError` when it is cut short or is not three bigint columns."""
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            header = stream.read(len(HEADER))
            stream.seek(max(0, size - len(TRAILER)))
            trailer = stream.read()
    except OSError as error:
        raise DamagedRecordError(f"{path}: the survivors cannot be read: {error.strerror}.") from error
    rows, rest = divmod(size - len(HEADER) - len(TRAILER), ROW_DTYPE.itemsize)
    if header != HEADER or rest or rows < 0 or trailer != TRAILER:
        raise DamagedRecordError(f"{path}: this is not a complete binary COPY of three bigint columns.")
    survivors = Survivors(np.empty(rows, np.uint64), np.empty(rows, np.int64), np.empty(rows, np.int64))
    if rows:
        with path.open("rb") as stream:
            stream.seek(len(HEADER))
            for start in range(0, rows, _CHUNK_ROWS):
                _copy(np.fromfile(stream, ROW_DTYPE, min(_CHUNK_ROWS, rows - start)), survivors, start, path)
    return survivors


def _copy(chunk: NDArray[np.void], survivors: Survivors, start: int, path: Path) -> None:
    lengths = ("id_length", "amount_length", "position_length")
    if (chunk["fields"] != _FIELDS).any() or any((chunk[name] != _LENGTH).any() for name in lengths):
        raise DamagedRecordError(f"{path}: a row is not three bigint values without null.")
    end = start + len(chunk)
    survivors.ids[start:end] = chunk["id"].astype(np.int64).view(np.uint64)
    survivors.amounts[start:end] = chunk["amount"]
    survivors.positions[start:end] = chunk["position"]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """How the second reading differs from the first, in rows: gone, new, or with other values."""

    vanished: int
    appeared: int
    changed: int

    def __bool__(self) -> bool:
        return bool(self.vanished or self.appeared or self.changed)


def compare_readings(first: Survivors, second: Survivors) -> Disagreement:
    """Compare two readings row by row, whatever their order; an id may be there more than once."""
    columns = ((first.ids, second.ids), (first.amounts, second.amounts), (first.positions, second.positions))
    if all(np.array_equal(one, other) for one, other in columns):
        return Disagreement(0, 0, 0)
    ids, amounts, positions = (np.concatenate(pair) for pair in columns)
    order = np.lexsort((positions, amounts, ids))
    ids, amounts, positions = ids[order], amounts[order], positions[order]
    rows = _starts((np.diff(ids) != 0) | (np.diff(amounts) != 0) | (np.diff(positions) != 0))
    # Of each distinct row, by how many the first reading has more than the second; then by id.
    more = np.add.reduceat(np.where(order < len(first), 1, -1), rows)
    groups = _starts(np.diff(ids[rows]) != 0)
    gone = np.add.reduceat(np.maximum(more, 0), groups)
    new = np.add.reduceat(np.maximum(-more, 0), groups)
    changed = np.minimum(gone, new)
    return Disagreement(int((gone - changed).sum()), int((new - changed).sum()), int(changed.sum()))


def _starts(changes: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return where each run of equal elements begins, from where an element differs from the one before."""
    return np.concatenate([[0], np.flatnonzero(changes) + 1])
