"""`drdrill measure`: where a stored verdict differs from what its files give, and which directories it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from drdrill.cli.main import main
from drdrill.measure.comparison import find_differences
from drdrill.record.directory import write_json

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("stored", "computed", "differences"),
    [
        ({"a": {"b": [1, {"c": 2}]}}, {"a": {"b": [1, {"c": 2}]}}, []),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, ["a.b: stored 1, computed 2"]),
        ({"a": [1, 2]}, {"a": [1, 3]}, ["a[1]: stored 2, computed 3"]),
        ({"a": [{"b": "x"}]}, {"a": [{"b": None}]}, ["a[0].b: stored 'x', computed None"]),
        ({"a": [1]}, {"a": [1, 2]}, ["a: stored [1], computed [1, 2]"]),
        ({"a": 1}, {}, ["a: stored 1, computed nothing"]),
        ({}, {"a": 1}, ["a: stored nothing, computed 1"]),
        ({"a": None}, {}, ["a: stored None, computed nothing"]),
        ({"b": 1, "a": 1}, {"a": 2, "b": 2}, ["a: stored 1, computed 2", "b: stored 1, computed 2"]),
    ],
)
def test_every_difference_is_found_by_its_path(stored: Any, computed: Any, differences: list[str]) -> None:
    """Equal documents give nothing; others give each place with what was stored and what was computed."""
    assert list(find_differences(stored, computed)) == differences


def test_another_directory_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A directory of no drill is a mistake of the caller, told by name."""
    assert main(["measure", str(tmp_path)]) == 2
    assert f"{tmp_path}: this is the directory of no drill" in capsys.readouterr().err


def test_a_run_without_drills_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run whose scenarios left no directory has nothing to be measured."""
    write_json(tmp_path / "run.json", {"scenarios": [{"directory": None}]})
    assert main(["measure", str(tmp_path)]) == 2
    assert "no drill of this run left a directory" in capsys.readouterr().err
