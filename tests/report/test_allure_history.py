"""Earlier runs on a run's page: only those before it, each once, whatever a dying process left."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from drdrill.report.allure.history import earlier_runs, remember

if TYPE_CHECKING:
    from pathlib import Path


def _run(uuid: str, timestamp: int) -> str:
    return json.dumps({"uuid": uuid, "timestamp": timestamp}) + "\n"


def _uuids(lines: str) -> list[str]:
    return [json.loads(line)["uuid"] for line in lines.splitlines()]


def test_a_page_shows_the_runs_before_it(tmp_path: Path) -> None:
    """Later runs, and the run itself, are left out, so that an old page can be made again as it was."""
    history = tmp_path / "history.jsonl"
    history.write_text(_run("c", 3) + _run("a", 1) + _run("b", 2), encoding="utf-8")
    assert _uuids(earlier_runs(history, ended_ms=3)) == ["a", "b"]
    assert earlier_runs(tmp_path / "none", ended_ms=3) == ""


def test_only_the_newest_runs_are_shown(tmp_path: Path) -> None:
    """A year of weekly drills is enough for a trend."""
    history = tmp_path / "history.jsonl"
    history.write_text("".join(_run(str(number), number) for number in range(60)), encoding="utf-8")
    assert _uuids(earlier_runs(history, ended_ms=60)) == [str(number) for number in range(10, 60)]


def test_a_run_is_remembered_once(tmp_path: Path) -> None:
    """The generator's last line is added, and not again when the page is made again."""
    history = tmp_path / "reports" / "history.jsonl"
    remember(history, _run("a", 1))
    remember(history, _run("a", 1) + _run("b", 2))
    remember(history, _run("a", 1) + _run("b", 2))
    remember(history, "")
    assert _uuids(history.read_text(encoding="utf-8")) == ["a", "b"]


def test_a_torn_line_hurts_no_other(tmp_path: Path) -> None:
    """What a dying process left half written is passed over, and the next line is whole."""
    history = tmp_path / "history.jsonl"
    history.write_text(_run("a", 1) + '{"uuid": "torn', encoding="utf-8")
    remember(history, _run("b", 2))
    assert _uuids(earlier_runs(history, ended_ms=9)) == ["a", "b"]
