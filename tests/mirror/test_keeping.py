"""Keeping the parts of a system, and making them again in an order in which they can be."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.aws.keeping import NotKeptError
from drdrill.mirror.keeping import Keeping

if TYPE_CHECKING:
    from pathlib import Path


class Part:
    """Keeps a word and a file; tells when it was made again."""

    def __init__(
        self, name: str, told: list[str], *, after: tuple[str, ...] = (), fails: bool = False
    ) -> None:
        self.name = name
        self.after = after
        self._told = told
        self._fails = fails

    def keep(self, folder: Path) -> object:
        """Keep them."""
        (folder / "bytes").write_text(f"bytes of {self.name}")
        return f"records of {self.name}"

    def restore(self, kept: Any, folder: Path) -> None:
        """Be made again."""
        if self._fails:
            raise NotKeptError(f"{self.name} does not come back.")
        assert kept == f"records of {self.name}"
        assert (folder / "bytes").read_text() == f"bytes of {self.name}"
        self._told.append(self.name)


def _keeping(*parts: Part) -> Keeping:
    return Keeping(lambda: parts)


def test_each_part_gets_its_own_again_after_those_that_it_needs(tmp_path: Path) -> None:
    """The order in which they are listed is nothing; what a part says that it comes after is there before it."""
    told: list[str] = []
    parts = [Part("c", told, after=("b",)), Part("b", told, after=("a",)), Part("a", told)]
    assert _keeping(*parts).table()["keep_system"](folder=str(tmp_path)) == {"kept": ["c", "b", "a"]}
    _keeping(*parts).restore(tmp_path)
    assert told == ["a", "b", "c"]


def test_parts_that_need_nothing_of_each_other_are_made_side_by_side(tmp_path: Path) -> None:
    """Each of two waits until the other one has begun."""
    barrier = threading.Barrier(2, timeout=10)

    class Meeting(Part):
        def restore(self, kept: Any, folder: Path) -> None:
            """Be made again, together."""
            barrier.wait()
            super().restore(kept, folder)

    told: list[str] = []
    parts = [Meeting("a", told), Meeting("b", told)]
    _keeping(*parts).keep(str(tmp_path))
    _keeping(*parts).restore(tmp_path)
    assert sorted(told) == ["a", "b"]


def test_a_part_that_does_not_come_back_is_told_and_nobody_waits_for_it(tmp_path: Path) -> None:
    """What needs it is not begun, and its own error is raised."""
    told: list[str] = []
    parts = [Part("a", told, fails=True), Part("b", told, after=("a",))]
    _keeping(*parts).keep(str(tmp_path))
    with pytest.raises(NotKeptError, match=r"a does not come back\."):
        _keeping(*parts).restore(tmp_path)
    assert told == []


def test_records_that_are_no_records(tmp_path: Path) -> None:
    """Bytes that no pickle begins with are an error that says whose they are."""
    part = Part("a", [])
    _keeping(part).keep(str(tmp_path))
    (tmp_path / "a" / "records.pickle").write_bytes(b"else")
    with pytest.raises(NotKeptError, match="what was kept of a cannot be read"):
        _keeping(part).restore(tmp_path)
