"""The scenarios run under plain pytest, without the command line of drdrill."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.record.directory import read_json

if TYPE_CHECKING:
    from tests.live.repository import Repository


@pytest.mark.drill
@pytest.mark.long
def test_plain_pytest_runs_the_scenarios(repository: Repository) -> None:
    """`pytest scenarios/ --environment embedded` drills, judges and takes the mirror down."""
    ended = repository.run(
        "scenarios/", "--environment", "embedded", "-p", "no:cacheprovider", module="pytest"
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "1 passed" in ended.stdout
    (drill,) = repository.find_drills()
    assert read_json(drill.verdict_path)["verdict"] == "MET"
    repository.await_nothing_left()
