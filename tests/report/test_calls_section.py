"""What a failover called, on the page: beside the command or the runbook, with what it never did, and as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.measure import measure
from drdrill.measure.call_record import FILE
from drdrill.record.directory import write_json
from drdrill.report import render_page
from tests.measure.called import THERE, call, connection, databases, put_record
from tests.measure.regional import commanded
from tests.report.browser import CHROMIUM, Browser
from tests.report.conftest import store
from tests.report.test_region_page import read_section

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.record.directory import DrillDirectory
    from tests.measure.regional import RegionalStory

HOSTILE = "<script>alert('x')</script>\"&"
CALLS = (
    databases("begin", 1, "orders"),
    call("rds:PromoteReadReplica", 2, DBInstanceIdentifier=HOSTILE),
    call("rds:PromoteReadReplica", 3, outcome="DBInstanceNotFound", DBInstanceIdentifier="copy-9"),
    call("eks:ListClusters", 4, outcome="unanswered", seconds=7.5),
    call("s3:PutObject", 4, Bucket="status-" + "x" * 300, Key="index.html"),
    connection("rds", 5, seconds=4.5),
    connection("kubernetes", 6, region=THERE, name="eks-shop", outcome="answered", seconds=0),
    databases("end", 9, "orders"),
)


def _put_calls(regional: RegionalStory) -> DrillDirectory:
    """Write the drill, whose store has a copy, with a record of calls."""
    regional.plan["resource: orders,"] = "resource: orders, replicated: true,"
    directory = put_record(store(regional), CALLS)
    write_json(directory.verdict_path, measure(directory).to_json())
    return directory


def test_calls_stand_with_the_command(regional: RegionalStory) -> None:
    """Each operation with its region, its number and its failures; what did not answer; what was never done."""
    commanded(regional)
    text = read_section(render_page(_put_calls(regional)), "failover")
    assert "What it asked in vain, and what it never did" in text
    assert "called what does not answer in eu-west-1: rds once. It waited 4.50" in text
    assert "that of orders-database was not (copy-0: nobody asked for it)" in text
    assert "rds PromoteReadReplica" in text
    assert "1 of them DBInstanceNotFound" in text
    assert "1 of them not answered; 7.50" in text
    assert "nobody answered; 4.50" in text
    assert "kubernetes eks-shop" in text


def test_identifiers_are_text(regional: RegionalStory) -> None:
    """What somebody sent as a name is shown as it is, cut where it is long, and is no markup."""
    commanded(regional)
    page = render_page(_put_calls(regional))
    assert "<script" not in page
    assert "&lt;script&gt;alert(" in page
    assert "x" * 61 not in page


def test_calls_of_a_runbook(regional: RegionalStory) -> None:
    """The company's own runbook has the same record in the same section, beside its own."""
    page = render_page(_put_calls(regional))
    assert 'id="runbook"' in page
    text = read_section(page, "failover")
    assert "The runbook, on the operators" in text
    assert "PromoteReadReplica" in text


def test_a_record_that_is_gone_is_told(regional: RegionalStory) -> None:
    """The page says why it is not known what was called, and that nothing of it is."""
    commanded(regional)
    directory = _put_calls(regional)
    (directory.evidence / FILE).unlink()
    text = read_section(render_page(directory), "failover")
    assert "the journal refers to calls.jsonl, and it is not there" in text
    assert "Not known." in text


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium; `./drdrill doctor` says how to get it")
@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_calls_fit_their_window(regional: RegionalStory, tmp_path: Path, width: int, height: int) -> None:
    """However long names are, a page with calls is not wider than its window."""
    commanded(regional)
    path = tmp_path / "report.html"
    path.write_text(render_page(_put_calls(regional)), encoding="utf-8")
    with Browser(width=width, height=height) as browser:
        browser.open(path.as_uri())
        assert browser.evaluate("document.documentElement.scrollWidth") <= width
        assert browser.evaluate("document.querySelector('#failover table').offsetWidth") <= width
        assert browser.complaints == []
