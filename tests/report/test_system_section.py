"""The page of a drill of the whole system: what the recovery left, what users were told, and what stores agree on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from drdrill.report import render_page
from drdrill.report.account import read_account
from drdrill.report.frame import NARROW, WIDE
from drdrill.report.pictures import draw_all
from drdrill.report.system_section import describe_system
from tests.report.browser import CHROMIUM, Browser
from tests.report.conftest import store
from tests.report.test_region_page import read_section
from tests.report.whole_system import (
    FULL,
    HERE,
    PAGES,
    PILOT,
    THERE,
    ask_stores,
    look_of,
    region,
    see_system,
    tell_users,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.measure.regional import RegionalStory


@pytest.fixture
def whole(regional: RegionalStory) -> RegionalStory:
    """Return a drill of the whole system in which all is well in the end, and not written yet."""
    see_system(regional)
    return regional


def test_capacity_is_compared(whole: RegionalStory) -> None:
    """Nodes and ready pods of the primary before stand beside those of the region that serves in the end."""
    text = read_section(render_page(store(whole)), "system")
    assert "eu-west-1, before eu-central-1, before eu-central-1, in the end" in text
    assert "nodes 3 1 3 letters 2 1 2 orders 3 1 3" in text


def test_less_than_before_stands_out(whole: RegionalStory) -> None:
    """A region that was not scaled up in full, and one that does not answer."""
    look_of(whole, "after_recovery")["regions"][THERE] = region(3, PILOT)
    told = describe_system(read_account(store(whole)))
    assert told is not None
    assert [(row.name, row.counts[-1], row.fewer) for row in told.capacity] == [
        ("nodes", "3", False),
        ("letters", "1", True),
        ("orders", "1", True),
    ]


def test_a_region_that_does_not_answer(whole: RegionalStory) -> None:
    """It carries nothing, and that is not told as if it had been counted."""
    look_of(whole, "after_recovery")["regions"][THERE] = region(0, {}, answers=False)
    told = describe_system(read_account(store(whole)))
    assert told is not None
    assert {(row.counts[-1], row.fewer) for row in told.capacity} == {("no answer", True)}


def test_names_that_are_not_unique_are_told_in_full(whole: RegionalStory) -> None:
    """Two deployments of one name in two places stay two."""
    look_of(whole, "before_fault")["regions"][HERE] = region(3, {**FULL, "test/orders": 1})
    told = describe_system(read_account(store(whole)))
    assert told is not None
    assert [row.name for row in told.capacity] == ["nodes", "letters", "shop/orders", "test/orders"]


def test_nobody_looked(whole: RegionalStory) -> None:
    """What was not seen is said to be so, for every part."""
    whole.drop("system.observed")
    text = read_section(render_page(store(whole)), "system")
    assert "Nobody saw what the regions carried. Where the public name leads users" in text
    assert "before the fault nobody looked in the end nobody looked" in text
    assert "Nobody read the status page. Do the stores agree? Nobody asked them." in text


def test_one_look_is_missing(whole: RegionalStory) -> None:
    """What is known is told beside what is not."""
    look_of(whole, "after_recovery")["moment"] = "later"
    text = read_section(render_page(store(whole)), "system")
    assert "nodes 3 1 not seen" in text
    assert "in the end nobody looked" in text


def test_where_users_are_led(whole: RegionalStory) -> None:
    """Addresses in their order, and whether somebody answers."""
    text = read_section(render_page(store(whole)), "system")
    assert "before the fault 10.0.2.4, 10.0.10.4: somebody answers at each" in text
    look_of(whole, "after_recovery")["addresses"] = {"10.4.0.4": True, "api.shop.example": False}
    whole.path /= "dead"
    page = render_page(store(whole))
    assert "10.4.0.4 answers, api.shop.example does NOT answer" in read_section(page, "system")
    assert '<dd class="grave">10.4.0.4 answers' in page
    look_of(whole, "after_recovery")["addresses"] = {}
    whole.path /= "nowhere"
    assert "in the end nowhere" in read_section(render_page(store(whole)), "system")


def test_what_users_were_told(whole: RegionalStory) -> None:
    """Each version with its time and what is new in it, as text; nothing of it is run."""
    page = render_page(tell_users(whole, *PAGES))
    text = read_section(page, "system")
    assert re.search(
        r"\+1\.00.s Status · We look at it\. \+2\.00.s Orders are back\. first told 1.s after", text
    )
    assert "longest silence" in text
    assert "alert" not in page


def test_words_of_a_status_page_are_no_markup(whole: RegionalStory) -> None:
    """Text that looks like HTML stays text."""
    page = render_page(tell_users(whole, "<p>&lt;img src=x&gt; is back</p>"))
    assert "&lt;img src=x&gt; is back" in page
    assert "<img" not in page


def test_users_who_were_told_nothing(whole: RegionalStory) -> None:
    """A status page that was read and never changed."""
    text = read_section(render_page(tell_users(whole)), "system")
    assert "The status page never changed after the fault. longest silence" in text


def test_what_stores_agree_on(whole: RegionalStory) -> None:
    """Agreement, what is wrong with it, and what could not be asked; what replication explains is no miss."""
    ask_stores(whole, "every Posting sums to zero", across=False, wrong=tuple(f"row {n}" for n in range(7)))
    ask_stores(whole, "both know every order", across=True, wrong=("order 3",))
    ask_stores(whole, "no money waits", across=False, problem="no connection")
    ask_stores(whole, "all is well", across=True)
    told = describe_system(read_account(store(whole)))
    assert told is not None
    assert [(one.name, one.about, one.text, one.wrong) for one in told.agreements] == [
        (
            "Every Posting sums to zero",
            "one store",
            "no: row 0; row 1; row 2; row 3; row 4 and 2 more",
            True,
        ),
        (
            "Both know every order",
            "several stores",
            "no: order 3. Each store lost what its own replication had not brought over.",
            False,
        ),
        ("No money waits", "one store", "not known: no connection", True),
        ("All is well", "several stores", "yes", False),
    ]


def test_the_runbook_proposes(whole: RegionalStory) -> None:
    """What the runbook does otherwise than the plan's text is on the page, as text."""
    page = render_page(store(whole))
    assert "Proposed changes to the plan" in read_section(page, "runbook")
    assert "<li>Deploy &lt;b&gt;first&lt;/b&gt;, then switch.</li>" in page


def test_a_drill_of_databases_alone_has_no_such_section(regional: RegionalStory) -> None:
    """Where only databases were up, nothing is said of the rest, and a runbook without proposals has none."""
    page = render_page(store(regional))
    assert 'id="system"' not in page
    assert "Proposed changes" not in page


def test_steps_of_journeys_have_no_row(whole: RegionalStory) -> None:
    """Clients that send when their user comes to them tell nothing of availability; that they are left out is said."""
    directory = store(whole)
    account = read_account(directory)
    for width in (WIDE, NARROW):
        assert "shop-0" not in draw_all(account, width)["availability"].svg()
    assert "Without a row: 1 client that is a step of journeys." in read_section(
        render_page(directory), "users"
    )


def test_the_outage_is_split_by_the_runbook(whole: RegionalStory) -> None:
    """Where the time went is told in the runbook's phases, people's in their own colour."""
    drawn = draw_all(read_account(store(whole)), WIDE)["phases"].svg()
    assert "after “" not in drawn
    assert re.search(r'class="second"[^>]*><title>declare, by people', drawn)
    assert re.search(r'class="first"[^>]*><title>restore', drawn)


def test_a_basis_is_told_once(whole: RegionalStory) -> None:
    """What a projection is based on stands there once, with all services that it is that of."""
    text = read_section(render_page(store(whole)), "fidelity")
    assert re.search(r"Recovery time of orders, customers: the runbook `Failover`", text)
    assert re.search(r"Recovery time of letters: the runbook `Failover`, all of its steps", text)


def test_the_same_files_give_the_same_bytes(whole: RegionalStory) -> None:
    """The section is as deterministic as the rest."""
    ask_stores(whole, "all is well", across=True)
    directory = tell_users(whole, *PAGES)
    assert render_page(directory) == render_page(directory)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium; `./drdrill doctor` says how to get it")
def test_it_can_be_read_on_a_telephone(whole: RegionalStory, tmp_path: Path) -> None:
    """Nothing has to be scrolled sideways, also in a table; nothing is asked for, and nothing complained of."""
    ask_stores(whole, "both know every order", across=True, wrong=("order 3",))
    path = tmp_path / "report.html"
    path.write_text(render_page(tell_users(whole, *PAGES)), encoding="utf-8")
    with Browser(width=390, height=844) as browser:
        browser.open(path.as_uri())
        assert browser.evaluate("document.documentElement.scrollWidth") <= 390
        tables = "[...document.querySelectorAll('#system .table')]"
        assert browser.evaluate(f"{tables}.filter(one => one.scrollWidth > one.clientWidth).length") == 0
        assert browser.outside == []
        assert browser.complaints == []
