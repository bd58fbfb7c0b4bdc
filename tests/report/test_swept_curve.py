"""The picture and the words of the swept RPA."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from drdrill.measure.document import in_version
from drdrill.record.directory import DrillDirectory, write_json
from drdrill.report import render_page
from drdrill.report.account import read_account
from drdrill.report.frame import NARROW, WIDE
from drdrill.report.pictures import draw_all
from drdrill.report.sections import describe_swept
from tests.measure.story import FAULT, MS, OLD, SECOND
from tests.report.conftest import store

if TYPE_CHECKING:
    from tests.measure.story import Story

_SVG = "{http://www.w3.org/2000/svg}"


def _lag(story: Story, lag_ns: int) -> None:
    """Let the standby lag, and lose the lag."""
    story.make_asynchronous(lag_ns)
    for writes in story.writes.values():
        for write in writes:
            if write.server == OLD and write.answered_ns > FAULT - lag_ns:
                write.rows = 0


def _draw(directory: DrillDirectory, width: int) -> ET.Element:
    return ET.fromstring(draw_all(read_account(directory), width)["swept"].svg())  # noqa: S314 (our own text)


def _of(root: ET.Element, tag: str, kind: str) -> list[ET.Element]:
    return [mark for mark in root.iter(f"{_SVG}{tag}") if mark.get("class") == kind]


def test_the_curve_shows_figures_and_the_drilled_moment(story: Story) -> None:
    """Lines for the figures that are known, grey where nothing is, and what was really lost at the fault."""
    _lag(story, 2 * SECOND)
    directory = store(story)
    for width in (WIDE, NARROW):
        root = _draw(directory, width)
        # The new primary was alone for two of twenty seconds, so that no limit is known for 99 % of the time.
        assert len(_of(root, "line", "level")) == 2
        assert _of(root, "rect", "unknown")
        (measured,) = _of(root, "circle", "mark")[1:]  # the first one is the legend's
        assert (measured.findtext(f"{_SVG}title") or "").startswith("really lost: 1.9")
        assert not _of(root, "circle", "missed")


def test_a_loss_that_does_not_agree_is_marked(story: Story) -> None:
    """Where positions and rows contradict each other the mark is red and the words say so."""
    story.make_asynchronous(2 * SECOND)
    directory = store(story)
    assert len(_of(_draw(directory, WIDE), "circle", "missed")) == 1
    last = describe_swept(read_account(directory))[-1]
    assert re.fullmatch(
        r"1\.\d+\ss to 2\.\d+\ss by positions; 0\ss by the rows, which does NOT agree", last["text"]
    )


def test_the_words_say_what_is_not_known(story: Story) -> None:
    """Unknown shares are named, with the time for which nothing limits the loss."""
    _lag(story, 500 * MS)
    told = {one["name"]: one["text"] for one in describe_swept(read_account(store(story)))}
    assert re.match(r"0\.[67]\d\ss; really up to 0\.\d+\ss less", told["median over the time"])
    assert told["99th percentile"] == "unbounded"
    assert re.match(r"unbounded; where it is bounded, 0\.\d+\ss: \d+ acknowledged writes", told["worst"])
    assert re.match(r"\d\.\d+\ss of the \d+\.\d+\ss in which a primary served: no", told["unbounded for"])


def test_a_verdict_of_an_earlier_version_is_none_that_differs(story: Story) -> None:
    """Before there was a sweep neither its figures nor its findings were stored; no page calls that a difference."""
    story.make_asynchronous(2 * SECOND)
    directory = store(story)
    stored = json.loads(directory.verdict_path.read_text(encoding="utf-8"))
    assert "swept_differs" in {one["code"] for one in stored["findings"]}
    write_json(directory.verdict_path, in_version(stored, 1))
    page = render_page(directory)
    assert "What would have been lost at any other moment" in page
    assert "The stored verdict is not what the stored files give" not in page
