"""`drdrill plan` prints mistakes one a line, or as JSON, and the schema."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from drdrill.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_mistakes_are_printed_with_their_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A plan with mistakes ends with status 2; each stands on its own line with file and line."""
    plan = tmp_path / "plan.yaml"
    plan.write_text("version: 1\ntitel: x\n", encoding="utf-8")
    assert main(["plan", "check", str(plan)]) == 2
    *mistakes, count = capsys.readouterr().out.splitlines()
    assert mistakes
    assert all(line.startswith(str(plan)) for line in mistakes)
    assert count == f"{plan}: {len(mistakes)} mistakes."


def test_mistakes_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--json` prints one document with the same mistakes as data."""
    plan = tmp_path / "plan.yaml"
    plan.write_text("version: 1\n", encoding="utf-8")
    assert main(["plan", "check", "--json", str(plan)]) == 2
    document = json.loads(capsys.readouterr().out)
    assert document["file"] == str(plan)
    assert set(document["mistakes"][0]) == {"file", "line", "field", "problem", "remedy"}


def test_a_missing_plan_is_a_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is not there is said by name, without a traceback."""
    assert main(["plan", "check", str(tmp_path / "no.yaml")]) == 2
    assert "no.yaml: there is no such file." in capsys.readouterr().out


def test_the_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    """`plan schema` prints a JSON Schema."""
    assert main(["plan", "schema"]) == 0
    assert json.loads(capsys.readouterr().out)["$schema"].startswith("https://json-schema.org/")
