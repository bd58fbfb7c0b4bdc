"""What the documents state of a runbook's run is shown by tests that are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUNBOOKS = ROOT / "docs" / "runbook.md"
_ROW = re.compile(r"^\| (?P<what>.+?) \| .+ \| `(?P<file>[\w/]+\.py)::(?P<test>\w+)` \|$")


def _read_rows() -> list[tuple[str, str, str]]:
    """Return what the table of what goes wrong states, with the file and the name of its test."""
    section = (
        RUNBOOKS.read_text(encoding="utf-8").split("## When something goes wrong\n")[1].partition("\n## ")[0]
    )
    rows = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [
        (found["what"], found["file"], found["test"]) if (found := _ROW.match(row)) else (row, "", "")
        for row in rows
    ]


@pytest.mark.parametrize(("what", "file", "test"), _read_rows(), ids=[row[0] for row in _read_rows()])
def test_what_is_stated_is_tested(what: str, file: str, test: str) -> None:
    """Each row names a test, and the test is in its file."""
    assert test, f"no test is named: {what}"
    module = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
    assert test in {node.name for node in module.body if isinstance(node, ast.FunctionDef)}


def test_there_are_rows() -> None:
    """A table that moved proves nothing."""
    assert len(_read_rows()) > 10
