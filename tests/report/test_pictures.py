"""Pictures: well-formed, self-contained, described for those who cannot see them, in both widths."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from drdrill.report.account import read_account
from drdrill.report.frame import NARROW, WIDE
from drdrill.report.picture import Picture, shorten
from drdrill.report.pictures import draw_all, render_pictures
from tests.report.conftest import store

if TYPE_CHECKING:
    from tests.measure.story import Story

_SVG = "{http://www.w3.org/2000/svg}"


def test_standalone_pictures_bring_their_style_and_load_nothing(story: Story) -> None:
    """Each is one well-formed SVG with its style sheet, its size, a title and a description."""
    pictures = render_pictures(store(story))
    assert list(pictures) == ["objectives", "availability", "commits", "course", "phases", "map", "swept"]
    for svg in pictures.values():
        root = ET.fromstring(svg)  # noqa: S314 (our own text)
        assert root.tag == f"{_SVG}svg"
        assert root.find(f"{_SVG}style") is not None
        assert all((root.findtext(f"{_SVG}{name}") or "").strip() for name in ("title", "desc"))
        assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_nothing_is_drawn_outside_a_picture(story: Story, width: int) -> None:
    """Every rectangle stands within, also on a telephone."""
    for name, picture in draw_all(read_account(store(story)), width).items():
        for mark in ET.fromstring(picture.svg()).iter(f"{_SVG}rect"):  # noqa: S314 (our own text)
            x, y, wide, high = (float(mark.get(key, "0")) for key in ("x", "y", "width", "height"))
            assert x >= 0, name
            assert x + wide <= width + 1, name
            assert 0 <= y <= y + high <= picture.height + 0.1, name


def test_text_is_escaped_and_coordinates_are_short() -> None:
    """Text stays text; a tenth of a pixel is enough, and there is no minus zero."""
    picture = Picture(10, 10, title="a < b", description="")
    picture.text(-0.01, 1.25, "<b> & co")
    svg = picture.svg()
    assert "<title>a &lt; b</title>" in svg
    assert '<text class="label" x="0" y="1.2">&lt;b&gt; &amp; co</text>' in svg


def test_a_long_text_is_cut_with_an_ellipsis() -> None:
    """What does not fit ends with an ellipsis; what fits is left alone."""
    assert shorten("short", 100) == "short"
    assert shorten("a very long name of a phase", 63) == "a very lo…"
