"""Every experiment of the drill repository is valid and has its other half."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from chaoslib.experiment import ensure_experiment_is_valid, load_experiment

from drdrill.faults.toolkit import check_experiment, check_experiments

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "chaos" / "experiments"
EXPERIMENTS = sorted(FOLDER.iterdir())


def test_there_are_some() -> None:
    """A folder that is empty, or that moved, proves nothing."""
    assert EXPERIMENTS


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.name)
def test_valid(path: Path) -> None:
    """An experiment is valid by our rules, and as the plain `chaos validate` sees it."""
    assert check_experiment(path) == ()
    ensure_experiment_is_valid(load_experiment(str(path)))


def test_pairs() -> None:
    """Every inject has its heal, and every heal its inject."""
    assert check_experiments(FOLDER) == ()


def test_one_importer_of_chaoslib() -> None:
    """Only `drdrill.faults.toolkit` imports Chaos Toolkit's library; actions and probes do not need it."""
    importers = [
        path.relative_to(ROOT).as_posix()
        for folder in ("src/drdrill", "chaos")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"^\s*(from|import) chaoslib", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert importers == ["src/drdrill/faults/toolkit.py"]
