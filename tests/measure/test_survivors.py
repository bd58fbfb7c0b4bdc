"""Reading survivors, and comparing two readings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from drdrill.core.errors import DamagedRecordError
from drdrill.measure.disagreement import compare_readings
from drdrill.measure.survivors import HEADER, ROW_DTYPE, TRAILER, read_survivors
from tests.measure.histories import Row, make_survivors
from tests.measure.story import encode_survivors

if TYPE_CHECKING:
    from pathlib import Path

ROWS = [(2**40 + 7, 125, 1), (3, -5, 2**40), (2**62, 0, -1)]


def test_rows_are_read_as_they_were_written(tmp_path: Path) -> None:
    """Ids, amounts and positions come back, negative ones too."""
    path = tmp_path / "survivors.copy"
    path.write_bytes(encode_survivors(ROWS))
    survivors = read_survivors(path)
    columns = (survivors.ids, survivors.amounts, survivors.positions)
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == ROWS


def test_empty_store_has_no_rows(tmp_path: Path) -> None:
    """A complete file without rows is an empty store, not a damaged file."""
    path = tmp_path / "survivors.copy"
    path.write_bytes(encode_survivors([]))
    assert len(read_survivors(path)) == 0


@pytest.mark.parametrize(
    "content",
    [
        b"",
        encode_survivors(ROWS)[:-2],
        encode_survivors(ROWS)[:-20],
        b"X" + encode_survivors(ROWS)[1:],
        encode_survivors(ROWS)[:19] + b"\0\2" + encode_survivors(ROWS)[21:],
        encode_survivors(ROWS)[:21] + b"\xff\xff\xff\xff" + encode_survivors(ROWS)[25:],
    ],
)
def test_incomplete_or_foreign_file_is_damage(tmp_path: Path, content: bytes) -> None:
    """A file cut short, with a null, or with other columns is refused by name."""
    path = tmp_path / "survivors.copy"
    path.write_bytes(content)
    with pytest.raises(DamagedRecordError, match=r"survivors\.copy"):
        read_survivors(path)


def test_missing_file_is_damage(tmp_path: Path) -> None:
    """A file that is not there is refused by name."""
    with pytest.raises(DamagedRecordError, match=r"survivors\.copy"):
        read_survivors(tmp_path / "survivors.copy")


def test_copy_without_rows_leaves_the_original() -> None:
    """Removing rows gives a copy."""
    survivors = make_survivors([Row(1), Row(2), Row(3)])
    assert survivors.without(np.array([1])).ids.tolist() == [1, 3]
    assert len(survivors) == 3


def test_order_of_rows_is_no_disagreement() -> None:
    """Two readings with the same rows agree, whatever their order."""
    rows = [Row(1, position=1), Row(2, position=2)]
    assert not compare_readings(make_survivors(rows), make_survivors(rows[::-1]))


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([Row(1), Row(1)], [Row(1)], (1, 0, 0)),
        ([Row(1)], [Row(1), Row(1)], (0, 1, 0)),
        ([Row(1), Row(1, amount=7)], [Row(1), Row(1)], (0, 0, 1)),
        ([Row(1, position=1), Row(1, position=2)], [Row(1, position=2), Row(1, position=1)], (0, 0, 0)),
        ([], [Row(1)], (0, 1, 0)),
    ],
)
def test_copies_of_one_row_are_compared_too(
    first: list[Row], second: list[Row], expected: tuple[int, int, int]
) -> None:
    """An id that is there twice in one reading and once in the other is a difference."""
    found = compare_readings(make_survivors(first), make_survivors(second))
    assert (found.vanished, found.appeared, found.changed) == expected


def test_readings_differ_by_row() -> None:
    """Rows that vanish, appear or change between the readings are counted each."""
    first = make_survivors([Row(1), Row(2), Row(3), Row(5)])
    second = make_survivors([Row(1), Row(2, amount=7), Row(3, position=9), Row(4), Row(6)])
    found = compare_readings(first, second)
    assert (found.vanished, found.appeared, found.changed) == (1, 2, 2)


def test_many_rows_are_read_in_order(tmp_path: Path) -> None:
    """A file of several blocks is read as one, with small values and large ones."""
    path = tmp_path / "survivors.copy"
    generator = np.random.default_rng(1)
    raw = np.zeros(150_000, ROW_DTYPE)
    raw["fields"] = 3
    raw["id_length"] = raw["amount_length"] = raw["position_length"] = 8
    raw["id"] = generator.integers(0, 5, len(raw)) << 40 | np.arange(len(raw))
    raw["amount"] = generator.integers(-(2**33), 2**33, len(raw))
    raw["position"] = np.arange(len(raw))[::-1]
    path.write_bytes(HEADER + raw.tobytes() + TRAILER)
    survivors = read_survivors(path)
    columns = (survivors.ids, survivors.amounts, survivors.positions)
    for column, name in zip(columns, ("id", "amount", "position"), strict=True):
        assert np.array_equal(column, raw[name])


def test_null_in_a_later_block_is_damage(tmp_path: Path) -> None:
    """No row is taken on trust, however far back it stands."""
    path = tmp_path / "survivors.copy"
    path.write_bytes(encode_survivors([*[(1, 1, 1)] * 70_000, (2, 2, 2)]))
    content = bytearray(path.read_bytes())
    content[-2 - ROW_DTYPE.itemsize + 2 + 3] = 4
    path.write_bytes(content)
    with pytest.raises(DamagedRecordError, match=r"survivors\.copy"):
        read_survivors(path)
