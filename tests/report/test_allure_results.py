"""The copy of the results that Allure's page is made from: without noise, with the kind of every failure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.core.errors import DamagedRecordError
from drdrill.report.allure.results import copy_results

if TYPE_CHECKING:
    from pathlib import Path


def _write(folder: Path, name: str = "a", **fields: Any) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-result.json"
    path.write_text(json.dumps({"name": name, "status": "passed", "stop": 5, **fields}), encoding="utf-8")
    return path


def _copy(folder: Path) -> dict[str, Any]:
    copy_results(folder, folder.parent / "copy")
    content: dict[str, Any] = json.loads((folder.parent / "copy" / "a-result.json").read_text())
    return content


def test_fixtures_and_the_names_of_the_machine_are_left_out(tmp_path: Path) -> None:
    """Containers, host and process are gone from the copy; what the run stored stays as it was."""
    labels = [{"name": name, "value": "x"} for name in ("host", "thread", "epic")]
    stored = _write(tmp_path / "stored", labels=labels)
    (stored.parent / "b-container.json").write_text("{}", encoding="utf-8")
    (stored.parent / "c-attachment.csv").write_text("a,b\n", encoding="utf-8")
    before = {path.name: path.read_bytes() for path in stored.parent.iterdir()}
    assert [label["name"] for label in _copy(stored.parent)["labels"]] == ["epic"]
    assert sorted(path.name for path in (tmp_path / "copy").iterdir()) == [
        "a-result.json",
        "c-attachment.csv",
    ]
    assert {path.name: path.read_bytes() for path in stored.parent.iterdir()} == before


@pytest.mark.parametrize(
    ("status", "message", "outcome"),
    [
        ("failed", "drdrill.core.errors.ObjectiveMissedError: 2 h", "objective missed"),
        ("broken", "drdrill.core.errors.InconclusiveError: late", "inconclusive"),
        ("broken", "drdrill.core.errors.InvalidDrillError: no load", "invalid"),
        ("broken", "drdrill.core.errors.EnvironmentFailedError: down", "harness broken"),
        ("broken", "ZeroDivisionError: division by zero", "harness broken"),
        ("broken", None, "harness broken"),
        ("passed", None, None),
    ],
)
def test_every_failure_says_of_which_kind_it_is(
    tmp_path: Path, status: str, message: str | None, outcome: str | None
) -> None:
    """The label `outcome` tells a missed objective, an inconclusive, an invalid and a broken drill apart."""
    details: dict[str, Any] = {"statusDetails": {"message": message}} if message else {}
    _write(tmp_path / "stored", status=status, **details)
    labels = {label["name"]: label["value"] for label in _copy(tmp_path / "stored")["labels"]}
    assert labels.get("outcome") == outcome


def test_a_failure_is_told_in_words(tmp_path: Path) -> None:
    """Our errors lose their class and a trace that says no more; the trace of others stays, also in steps."""
    step = {"name": "Then", "statusDetails": {"message": "ZeroDivisionError: x", "trace": "line 7"}}
    missed = {"message": "drdrill.core.errors.ObjectiveMissedError: 2 h", "trace": "a.feature:3: A\n2 h"}
    _write(tmp_path / "stored", status="failed", statusDetails=missed, steps=[step])
    copied = _copy(tmp_path / "stored")
    assert copied["statusDetails"] == {"message": "2 h", "trace": ""}
    assert copied["steps"] == [step]


def test_a_copy_says_what_it_holds(tmp_path: Path) -> None:
    """The hash depends on the content alone, and the end is the last test's."""
    _write(tmp_path / "stored", "a", stop=7)
    _write(tmp_path / "stored", "b", stop=9)
    first = copy_results(tmp_path / "stored", tmp_path / "one")
    assert first == copy_results(tmp_path / "stored", tmp_path / "two")
    assert (first.tests, first.ended_ms) == (2, 9)
    _write(tmp_path / "stored", "b", stop=10)
    assert copy_results(tmp_path / "stored", tmp_path / "three").sha256 != first.sha256


def test_a_damaged_result_is_named(tmp_path: Path) -> None:
    """What is not JSON is an error with the file's name."""
    _write(tmp_path / "stored").write_text("{", encoding="utf-8")
    with pytest.raises(DamagedRecordError, match=r"a-result\.json"):
        copy_results(tmp_path / "stored", tmp_path / "copy")
