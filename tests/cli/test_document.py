"""The document of a run: its verdict and status from those of its drills, and a broken harness kept apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from drdrill.cli.document import describe_run
from drdrill.cli.scenarios import Ended
from drdrill.cli.summary import describe_time
from drdrill.record.directory import DrillDirectory, read_json, write_json

SCHEMA = read_json(Path(__file__).parents[2] / "docs" / "schemas" / "run.schema.json")


def _end(root: Path, name: str, verdict: str | None, outcome: str, exit_status: int | None = None) -> Ended:
    """Return a scenario that ended so, with its verdict stored."""
    drill = DrillDirectory(root / "reports" / name)
    drill.create()
    if verdict is not None:
        measured = {"value_seconds": 6.5, "resolution_seconds": 0.1}
        stored = {
            "verdict": verdict,
            "reasons": [] if verdict == "MET" else [{"text": f"it is {verdict}."}],
            "objectives": [{"kind": "rto", "measured": measured}],
            "rpa": {
                "seconds": 1.25, "lost_rows": 3, "lost_amount": "12.50", "currency": "ETB", "unknown_rows": 2,
            },
        }  # fmt: skip
        write_json(drill.verdict_path, stored)
    return Ended(name, name.title(), outcome, drill.path, f"{name} went wrong", exit_status)


def _describe(root: Path, *ended: Ended) -> dict[str, Any]:
    document = describe_run(
        ended,
        directory=root / "reports" / "runs" / "1",
        root=root,
        seed=7,
        disaster_class="database",
        environment="embedded",
    )
    jsonschema.validate(document, SCHEMA)
    return document


@pytest.mark.parametrize(
    ("verdict", "outcome", "error", "status"),
    [
        ("MET", "passed", None, 0),
        ("MISSED", "failed", None, 1),
        ("INCONCLUSIVE", "broken", 3, 3),
        ("INVALID", "broken", 4, 4),
    ],
)
def test_a_verdict_is_the_exit_status(
    tmp_path: Path, verdict: str, outcome: str, error: int | None, status: int
) -> None:
    """The status is the verdict's, and a scenario that ended by its verdict is not broken."""
    document = _describe(tmp_path, _end(tmp_path, "one", verdict, outcome, error))
    assert (document["verdict"], document["exit_status"]) == (verdict, status)
    assert document["scenarios"][0]["broken"] is None
    assert document["scenarios"][0]["reasons"] == ([] if verdict == "MET" else [f"it is {verdict}."])


@pytest.mark.parametrize(
    ("verdict", "error"), [("MET", None), ("MET", 3), ("INCONCLUSIVE", None), ("INVALID", 5), (None, 2)]
)
def test_a_broken_harness_is_no_verdict(tmp_path: Path, verdict: str | None, error: int | None) -> None:
    """A scenario that broke for a reason of its own ends with status 5 and says what went wrong."""
    document = _describe(tmp_path, _end(tmp_path, "one", verdict, "broken", error))
    assert document["exit_status"] == 5
    assert document["scenarios"][0]["broken"] == "one went wrong"


def test_a_miss_beats_a_broken_harness(tmp_path: Path) -> None:
    """Nothing hides a real miss: not a broken scenario beside it, and not its own."""
    broken, missed = _end(tmp_path, "one", None, "broken"), _end(tmp_path, "two", "MISSED", "failed")
    document = _describe(tmp_path, broken, missed)
    assert (document["verdict"], document["exit_status"]) == ("MISSED", 1)
    assert document["scenarios"][0]["broken"] == "one went wrong"
    assert _describe(tmp_path, _end(tmp_path, "three", "MISSED", "broken"))["exit_status"] == 1


def test_a_scenario_without_a_verdict_is_not_met(tmp_path: Path) -> None:
    """Beside one that was met, a scenario that left no verdict makes the run inconclusive; its figures are null."""
    met, none = _end(tmp_path, "one", "MET", "passed"), Ended("two", "Two", "skipped", None, "", None)
    document = _describe(tmp_path, met, none)
    assert (document["verdict"], document["exit_status"]) == ("INCONCLUSIVE", 3)
    unknown = document["scenarios"][1]
    assert {key for key, value in unknown.items() if value is not None} == {
        "name", "title", "reasons", "stated_waits",
    }  # fmt: skip


def test_figures_and_places_are_those_of_the_drill(tmp_path: Path) -> None:
    """Figures come from verdict.json as they are; directories are named as seen from the drill repository."""
    document = _describe(tmp_path, _end(tmp_path, "one", "MET", "passed"))
    assert document["directory"] == "reports/runs/1"
    assert document["scenarios"] == [
        {
            "name": "one", "title": "One", "verdict": "MET", "reasons": [], "broken": None,
            "directory": "reports/one", "report": None, "rta_seconds": 6.5, "resolution_seconds": 0.1,
            "rpa_seconds": 1.25, "lost_rows": 3, "lost_amount": "12.50", "currency": "ETB", "unknown_rows": 2,
            "seconds": None, "stated_waits": [],
        }
    ]  # fmt: skip


def test_how_long_it_took_is_told_with_its_stated_waits(tmp_path: Path) -> None:
    """For people: the whole, what is left of it, and each wait; nothing where nobody knows."""
    waits = [{"what": "stability", "seconds": 10.0}, {"what": "the endpoint's TTL", "seconds": 5.0}]
    assert list(describe_time({"seconds": 61.25, "stated_waits": waits})) == [
        "  took 61.2 s: 46.2 s beside 15 s of stated waits",
        "    10.00 s  stability",
        "     5.00 s  the endpoint's TTL",
    ]
    scenario = _describe(tmp_path, _end(tmp_path, "one", "MET", "passed"))["scenarios"][0]
    assert list(describe_time(scenario)) == []
