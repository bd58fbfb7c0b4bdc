"""The page of a drill with several services and a runbook: their sections, and only where there are any."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from drdrill.report import render_page
from drdrill.report.account import read_account
from drdrill.report.frame import NARROW, WIDE
from drdrill.report.pictures import draw_all
from drdrill.report.runbook_section import describe_runbook
from tests.measure.regional import DECLARED
from tests.measure.test_deaths import kill
from tests.measure.watched import add_watchers
from tests.report.browser import CHROMIUM, Browser
from tests.report.conftest import store
from tests.report.test_page import _read

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.record.directory import DrillDirectory
    from tests.measure.regional import RegionalStory
    from tests.measure.story import Story


def read_section(page: str, name: str) -> str:
    """Return the visible text of a section of a page."""
    found = re.search(rf'<section id="{name}">.*?</section>', page, re.DOTALL)
    assert found is not None
    return _read(found[0])


def test_the_runbook_has_a_section(regional: RegionalStory) -> None:
    """Steps with their time and slack, the answer with its reason, and whose time the critical path was."""
    text = read_section(render_page(store(regional)), "runbook")
    assert "Failover. All of its 3 steps were seen done." in text
    assert re.search(r"promotion restore machine 1\.70.s yes 59 min", text)
    assert re.search(r"Is it lost \(as commander\) yes after 1.s, policy:approve: a drill not recorded", text)
    assert re.search(r"from the outage 4\.0.+ from the declaration 2\.5.+ declared 1\.50.s after", text)
    assert re.search(r"of it, machines 1\.80.s: 1\.20 times the 1\.50.s that its steps took", text)


def test_a_step_that_was_not_done_stands_out(regional: RegionalStory) -> None:
    """The reason stands beside the step, also of one that never began."""
    regional.end_of("promotion").update(state="failed", reason="its action ended with 1")
    regional.drop_step("status_page")
    page = render_page(store(regional))
    text = read_section(page, "runbook")
    assert "2 of its steps were not seen done." in text
    assert "failed: its action ended with 1" in text
    assert "status page never began" in text
    assert page.count('<tr class="grave"><td>promotion') == 1


def test_what_a_person_saw_is_shown(regional: RegionalStory) -> None:
    """What stood beside the question is on the page, as text."""
    assert regional.steps is not None
    answered = next(data for _, kind, data in regional.steps if kind == "gate.answered")
    answered.update(shown="<b>all is red</b>", approved=False)
    account = read_account(store(regional))
    told = describe_runbook(account)
    assert told is not None
    assert (told.answers[0].shown, told.answers[0].refused) == ("<b>all is red</b>", True)
    assert "&lt;b&gt;all is red&lt;/b&gt;" in render_page(store_again(regional))


def store_again(story: RegionalStory) -> DrillDirectory:
    """Write the same drill to another place."""
    story.path = story.path / "again"
    return store(story)


def test_every_service_has_its_strip(regional: RegionalStory) -> None:
    """Each service that was probed has a picture of its own, with its own clients and no others."""
    pictures = draw_all(read_account(store(regional)), WIDE)
    assert "probe-customers-0" in pictures["availability of customers"].svg()
    assert "probe-letters-0" not in pictures["availability of customers"].svg()
    assert "probe-" not in pictures["availability"].svg()
    assert "eu-central-1" in pictures["commits"].svg()
    assert "0.0.0." not in "".join(picture.svg() for picture in pictures.values())


def test_a_service_that_nobody_probed_has_none(regional: RegionalStory) -> None:
    """Its row says so, and the page renders."""
    del regional.clients["probe-letters-0"], regional.writes["probe-letters-0"]
    page = render_page(store(regional))
    assert "letters other not probed 4 h INCONCLUSIVE" in read_section(page, "services")
    assert "Availability of letters" not in page
    assert "How long letters was away is not known." in _read(page)


def test_the_projection_names_the_runbooks_sources(regional: RegionalStory) -> None:
    """Durations in production are those of the runbook's steps."""
    text = read_section(render_page(store(regional)), "fidelity")
    assert re.search(r"promotion constant: typical 20 min a guess", text)


def test_a_drill_without_has_neither(story: Story) -> None:
    """A page of one service, recovered without a runbook, has no section of it."""
    page = render_page(store(story))
    assert 'id="runbook"' not in page
    assert 'id="services"' not in page


def test_the_same_files_give_the_same_bytes(regional: RegionalStory) -> None:
    """The sections are as deterministic as the rest."""
    directory = store(regional)
    assert render_page(directory) == render_page(directory)
    before = render_page(directory)
    assert render_page(store_again(regional)).replace("again", "") == before.replace("again", "")


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_the_waterfall_is_drawn_at_both_widths(regional: RegionalStory, width: int) -> None:
    """On a telephone as on a desk."""
    assert regional.steps is not None
    assert regional.steps[0][0] < DECLARED
    assert draw_all(read_account(store(regional)), width)["waterfall"].width == width


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium; `./drdrill doctor` says how to get it")
def test_it_can_be_read_on_a_telephone(regional: RegionalStory, tmp_path: Path) -> None:
    """Nothing has to be scrolled sideways, and no label of a picture is cut off."""
    path = tmp_path / "report.html"
    path.write_text(render_page(store(regional)), encoding="utf-8")
    with Browser(width=390, height=844) as browser:
        browser.open(path.as_uri())
        assert browser.evaluate("document.documentElement.scrollWidth") <= 390
        cut = browser.evaluate("""[...document.querySelectorAll('.narrow svg text')].filter(text => {
            const box = text.getBBox(), whole = text.ownerSVGElement.viewBox.baseVal;
            return box.x < -1 || box.x + box.width > whole.width + 1;
        }).map(text => text.textContent)""")
    assert cut == []


def test_deaths_of_the_operators_are_shown(regional: RegionalStory) -> None:
    """Where each fell and what it cost stands in a table, and in the waterfall a line with that time behind it."""
    without = render_page(store(regional))
    assert "Deaths of the operators" not in without
    kill(regional)
    regional.path /= "killed"
    directory = store(regional)
    page = render_page(directory)
    text = read_section(page, "runbook")
    assert "1: inside of a step, 0.60 s after 1 step was seen done" in text
    assert re.search(r"after the fault, 1 steps done, in promotion; processes killed: 2", text)
    assert re.search(r"0\.50.s until it was where it had been, begun again after 0\.40.s", text)
    waterfall = draw_all(read_account(directory), WIDE)["waterfall"].svg()
    assert "death 1: 0.50" in waterfall.replace("\N{NO-BREAK SPACE}", " ")
    assert waterfall.count('class="fault"') == 1
    assert "DEATH 1 of the operators" in _read(page)


def test_what_watchers_were_told_is_shown(regional: RegionalStory) -> None:
    """Each region's watcher has a line: how many writes it was told are done, and when the first and the last were."""
    add_watchers(regional)
    text = _read(render_page(store(regional)))
    first = r"watcher in eu-west-1 20 of \d+ writes acknowledged, the first -9\.99 s and the last -0\.49 s"
    assert re.search(first, text)
    assert re.search(r"watcher in eu-central-1 \d+ of \d+ writes acknowledged, the first \+4\.00 s", text)
