"""The directory of a drill: made once, and its files replaced in one step."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING

import pytest

from drdrill.core.errors import DamagedRecordError
from drdrill.record.directory import DrillDirectory, read_json, write_json

if TYPE_CHECKING:
    from pathlib import Path


def test_a_directory_is_made_once(tmp_path: Path) -> None:
    """A drill never writes into the directory of another one."""
    directory = DrillDirectory(tmp_path / "reports" / "one")
    directory.create()
    assert directory.ledger.is_dir()
    assert directory.evidence.is_dir()
    assert directory.logs.is_dir()
    with pytest.raises(FileExistsError):
        directory.create()


def test_evidence_is_named_and_sealed(tmp_path: Path) -> None:
    """A reference has the path within the directory, the hash of the content, and whose word it is."""
    directory = DrillDirectory(tmp_path / "one")
    directory.create()
    (directory.evidence / "rows").write_bytes(b"rows")
    assert directory.describe_evidence(directory.evidence / "rows", source="psql") == {
        "evidence": "evidence/rows",
        "sha256": hashlib.sha256(b"rows").hexdigest(),
        "source": "psql",
    }


def test_a_reader_sees_the_old_or_the_new_file(tmp_path: Path) -> None:
    """While a file is replaced again and again, every reading is a whole one."""
    path, stopped = tmp_path / "verdict.json", threading.Event()
    write_json(path, {"number": 0, "padding": "x" * 50_000})

    def write() -> None:
        number = 0
        while not stopped.is_set():
            number += 1
            write_json(path, {"number": number, "padding": "x" * 50_000})

    thread = threading.Thread(target=write)
    thread.start()
    try:
        numbers = [read_json(path)["number"] for _ in range(200)]
    finally:
        stopped.set()
        thread.join()
    assert numbers == sorted(numbers)
    assert [one.name for one in tmp_path.iterdir()] == ["verdict.json"]


def test_a_failure_keeps_the_old_file(tmp_path: Path) -> None:
    """Content that cannot be written leaves what was there, and nothing else."""
    path = tmp_path / "verdict.json"
    write_json(path, {"number": 1})
    with pytest.raises(TypeError):
        write_json(path, {"number": object()})
    assert read_json(path) == {"number": 1}
    assert [one.name for one in tmp_path.iterdir()] == ["verdict.json"]


@pytest.mark.parametrize("text", ["", "[1]", "{"])
def test_a_file_that_is_not_ours(tmp_path: Path, text: str) -> None:
    """What is not a JSON object is damage, named with its file."""
    (tmp_path / "drill.json").write_text(text, encoding="utf-8")
    with pytest.raises(DamagedRecordError, match=r"drill\.json"):
        read_json(tmp_path / "drill.json")
