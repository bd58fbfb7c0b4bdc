"""The page and the summary of a drill in which nobody was to fail over."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from drdrill.cli.summary import print_verdict
from drdrill.measure import measure
from drdrill.record.directory import write_json
from drdrill.report import render_page
from drdrill.report.account import read_account
from drdrill.report.frame import WIDE
from drdrill.report.headline import write_headline
from drdrill.report.pictures import draw_all
from tests.measure.called import connection, databases, put_record
from tests.measure.stayed import SAID, go_on, last_look, make_stayed
from tests.report.conftest import store
from tests.report.test_page import _read
from tests.report.test_region_page import read_section, store_again

if TYPE_CHECKING:
    from pathlib import Path

    from tests.measure.regional import RegionalStory


@pytest.fixture
def stayed(tmp_path: Path) -> RegionalStory:
    """Return a drill in which nobody failed over, and nobody was to."""
    return make_stayed(tmp_path)


def test_the_page_says_that_nobody_failed_over(stayed: RegionalStory) -> None:
    """The headline, the runbook with what its detection said and no step that stands out, and no projected figure."""
    page = render_page(store(stayed))
    assert "no client that probes orders was without service" in _read(page)
    assert "none was lost. Nobody failed over, as the plan expects." in _read(page)
    text = read_section(page, "runbook")
    assert "Failover. It ended at detection. Nobody failed over, as the plan expects." in text
    assert SAID in text
    assert "promotion blocked" in text
    section = page[page.index('<section id="runbook">') :]
    assert 'class="grave"' not in section[: section.index("</section>")]
    assert "projected nothing: nobody fails over, so nothing is recovered" in read_section(page, "objectives")
    assert "projected nothing" in draw_all(read_account(store_again(stayed)), WIDE)["objectives"].svg()


def test_the_page_says_that_somebody_failed_over(stayed: RegionalStory) -> None:
    """A needless failover is on the first line, and its runbook is told like any other."""
    go_on(stayed)
    directory = store(stayed)
    assert write_headline(read_account(directory)).endswith("Somebody failed over, although nobody was to.")
    assert "It ended at detection" not in read_section(render_page(directory), "runbook")


def test_the_page_asks_for_no_failover(stayed: RegionalStory) -> None:
    """What it called is told with what it called in vain, and nothing is said of what it never did."""
    lines = [databases("begin", 1), connection("rds", 2), databases("end", 3)]
    directory = put_record(store(stayed), lines)
    write_json(directory.verdict_path, measure(directory).to_json())
    text = read_section(render_page(directory), "failover")
    assert "What was run, where nobody was to fail over" in text
    assert "What it asked in vain The failover called what does not answer in eu-west-1: rds once." in text
    assert "never" not in text


def test_the_page_says_that_it_is_not_known(stayed: RegionalStory) -> None:
    """Where nobody saw the system in the end, nothing is claimed."""
    last_look(stayed)["primaries"] = {}
    assert write_headline(read_account(store(stayed))).endswith("which nobody was to, is not known.")


def test_the_summary_projects_nothing(stayed: RegionalStory) -> None:
    """In the place of a figure it says that there is none."""
    said = io.StringIO()
    print_verdict(Console(file=said, width=120), stayed.measure().to_json(), "reports/1")
    (line,) = [line for line in said.getvalue().splitlines() if "RTO orders" in line]
    assert line.split()[-2:] == ["nothing", "MET"]
