"""The proof of a restore on a drill's page: in words, as a table and as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from drdrill.report import render_page
from drdrill.report.account import read_account
from drdrill.report.frame import NARROW, WIDE
from drdrill.report.pictures import draw_all
from drdrill.report.restore_section import describe_destroyed, describe_restores
from tests.measure.restored import RestoredStory, make_restored_story
from tests.report.browser import CHROMIUM, Browser
from tests.report.conftest import store

if TYPE_CHECKING:
    from pathlib import Path

    from tests.measure.story import Story

_SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def restored(tmp_path: Path) -> RestoredStory:
    """Return a drill with a restore that is MET."""
    return make_restored_story(tmp_path)


def _marks(root: ET.Element, kind: str) -> list[ET.Element]:
    return [mark for mark in root.iter(f"{_SVG}rect") if mark.get("class") == kind]


def test_a_proof_says_from_what_to_when_and_what_bounds_the_loss(restored: RestoredStory) -> None:
    """Base, moment, archive, the open segment, and every row that had to be there."""
    (one,) = describe_restores(read_account(store(restored)))
    assert (one.name, one.verdict) == ("orders-restored", "MET")
    facts = dict(one.facts)
    assert facts["restored from"] == (
        "the snapshot rds:orders-2026-11-28-19-00 of orders-damaged, finished 2026-11-28 19:00:00.000 UTC, and the "
        "archived log"
    )
    assert facts["to the moment"] == "2026-11-28 19:05:00.000 UTC, -1.00\N{NO-BREAK SPACE}s from the fault"
    assert "000000010000000000000013, which was open" in facts["not archived then"]
    assert facts["loss is bounded by"].startswith(
        "the moment that was restored to, not by the archive: 150 rows"
    )
    assert {row.name: row.number for row in one.rows if row.bad} == {
        "missing": 0, "too young": 0, "different": 0, "extra": 0,
    }  # fmt: skip


def test_a_restore_that_lacks_rows_is_told_with_one_of_them(restored: RestoredStory) -> None:
    """The summary says how many of how many are missing, and names one."""
    assert restored.restored is not None
    gone = restored.restored.pop(0)
    (one,) = describe_restores(read_account(store(restored)))
    assert one.verdict == "MISSED"
    assert f"1 are missing; for example id {gone[0]}" in one.summary


def test_what_nobody_read_is_said(restored: RestoredStory) -> None:
    """Without its rows a restore has no table, and its verdict is open."""
    restored.drop("restore.read")
    restored.restored = None
    (one,) = describe_restores(read_account(store(restored)))
    assert (one.verdict, one.rows) == ("INCONCLUSIVE", ())
    assert "were not read" in dict(one.facts)["not compared"]


def test_destroyed_rows_are_counted_back_and_missing(restored: RestoredStory) -> None:
    """What the fault destroyed is back, or lost with the restore."""
    rows = [row.number for row in describe_destroyed(read_account(store(restored)))]
    assert rows[0] == rows[1] + rows[2]
    assert rows[1] > 0


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_picture_shows_what_came_back_and_what_was_lost(restored: RestoredStory, width: int) -> None:
    """In red what was acknowledged after the moment restored to; then users are on the restored server."""
    picture = draw_all(read_account(store(restored)), width)["restore"]
    root = ET.fromstring(picture.svg())  # noqa: S314 (our own text)
    (lost,) = _marks(root, "failed")
    assert lost.findtext(f"{_SVG}title") == "150 rows were lost"
    (served,) = _marks(root, "second")
    assert float(served.get("x", "0")) > float(lost.get("x", "0"))
    assert len(_marks(root, "first")) == 2


def test_a_page_without_a_restore_does_not_speak_of_one(story: Story) -> None:
    """The section is there only where something was restored or destroyed."""
    assert 'id="restore"' not in render_page(store(story))


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium; `./drdrill doctor` says how to get it")
@pytest.mark.parametrize("width", [1440, 390])
def test_the_section_fits_its_window(restored: RestoredStory, tmp_path: Path, width: int) -> None:
    """In a browser nothing is cut off, nothing is asked for and nobody complains."""
    path = tmp_path / "report.html"
    path.write_text(render_page(store(restored)), encoding="utf-8")
    with Browser(width=width, height=900) as browser:
        browser.open(path.as_uri())
        cut = browser.evaluate("""[...document.querySelectorAll('#restore figure > div')].filter(one => one.offsetWidth)
            .flatMap(one => [...one.querySelectorAll('svg text')]).filter(text => {
                const box = text.getBBox(), whole = text.ownerSVGElement.viewBox.baseVal;
                return box.x < -1 || box.x + box.width > whole.width + 1;
            }).map(text => text.textContent)""")
        assert browser.evaluate("document.documentElement.scrollWidth") <= width
        assert (browser.outside, browser.complaints, cut) == ([], [], [])
