"""A drill's page in a real browser: it shows, it fits, it asks for nothing and complains of nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.report import render_page
from tests.report.browser import CHROMIUM, Browser
from tests.report.conftest import store

if TYPE_CHECKING:
    from pathlib import Path

    from tests.measure.story import Story

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium; `./drdrill doctor` says how to get it")


@pytest.fixture
def page(story: Story, tmp_path: Path) -> Path:
    """Return the file of a drill's page."""
    path = tmp_path / "report.html"
    path.write_text(render_page(store(story)), encoding="utf-8")
    return path


@pytest.mark.parametrize(("width", "height", "shown"), [(1440, 900, "wide"), (390, 844, "narrow")])
def test_a_page_fits_its_window(page: Path, width: int, height: int, shown: str) -> None:
    """No request, no complaint, no sideways scrolling; one of each pair of pictures is shown, drawn for this width."""
    with Browser(width=width, height=height) as browser:
        browser.open(page.as_uri())
        assert browser.evaluate("document.documentElement.scrollWidth") <= width
        visible = browser.evaluate(
            "[...document.querySelectorAll('figure > div')].filter(one => one.offsetWidth).map(one => one.className)"
        )
        letters = browser.evaluate(
            f"""Math.min(...[...document.querySelectorAll('.{shown} svg')].map(
                one => 12 * one.getBoundingClientRect().width / one.viewBox.baseVal.width))"""
        )
        assert browser.outside == []
        assert browser.complaints == []
    assert set(visible) == {shown}
    assert len(visible) == 7
    assert letters >= 10  # px: what stands at a picture's axis can be read


def test_every_text_of_a_picture_stands_within_it(page: Path) -> None:
    """With the letters that a browser really has, no label is cut off at a picture's edge."""
    with Browser(width=390, height=844) as browser:
        browser.open(page.as_uri())
        cut = browser.evaluate("""[...document.querySelectorAll('.narrow svg text')].filter(text => {
            const box = text.getBBox(), whole = text.ownerSVGElement.viewBox.baseVal;
            return box.x < -1 || box.x + box.width > whole.width + 1;
        }).map(text => text.textContent)""")
    assert cut == []
