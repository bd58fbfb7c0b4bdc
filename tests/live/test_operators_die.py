"""The real failover, whose operators' machine dies as every step ends, and again and again inside of steps."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from drdrill.measure.deaths import read_doom
from drdrill.plan.runbook_checking import load_runbook
from drdrill.record.journal import read_journal
from tests.live.repository import Repository, finish

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.drill, pytest.mark.long]
SCENARIO = "region_loses_power_operators_die"
WORDS = "the operators' machine dies 3 times while"
INSIDE = 20
WITHIN = timedelta(
    minutes=40
)  # a death costs 5 to 60 s; the drill without any takes 4 min, building the system 5


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    """Return a copy of the drill repository with that one scenario."""
    copy = Repository.copy(tmp_path, SCENARIO)
    try:
        yield copy
    finally:
        copy.clear()


@pytest.mark.parametrize(
    ("words", "inside"),
    [("dies as every step ends", False), (f"dies {INSIDE} times inside of steps", True)],
    ids=["boundaries", "inside"],
)
def test_it_comes_to_the_same_end(repository: Repository, words: str, *, inside: bool) -> None:
    """However often it dies, all steps are seen done in the end, users are served, and one region wrote at a time."""
    repository.alter("scenarios/region_failure.feature", WORDS, f"the operators' machine {words} while")
    ended = finish(repository.start("run", "region", "--json"), within=WITHIN)
    (drill,) = repository.find_drills()
    verdict = json.loads(drill.verdict_path.read_text(encoding="utf-8"))
    steps = load_runbook(drill.path / "failover" / "runbook.yaml").steps
    doom = read_doom(drill)
    print(json.dumps(verdict["deaths"], indent=1))  # noqa: T201
    assert len(doom.deaths) == len(doom.drawn) == (INSIDE if inside else len(steps) - 1)
    assert all(one.under_way for one in doom.deaths) or not inside
    assert all(one.resumed_ns is not None for one in doom.deaths)
    runs = read_journal(drill.path / "failover" / "journal.jsonl")
    assert [event.kind for event in runs].count("runbook.begun") == len(doom.deaths) + 1
    assert runs[-1].data["done"] is True
    assert verdict["runbook"]["not_done"] == []
    assert verdict["writers"]["two_writers"] is False
    assert all(one["acknowledged"] for one in verdict["watchers"])
    assert (verdict["verdict"], ended.returncode) == ("MET", 0), json.dumps(verdict["reasons"], indent=1)
