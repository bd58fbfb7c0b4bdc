"""The map of the store: who was where before the fault and at last, by region and zone."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from drdrill.report.account import read_account
from drdrill.report.frame import NARROW, WIDE
from drdrill.report.pictures import draw_all
from tests.measure.story import FAULT
from tests.report.conftest import store

if TYPE_CHECKING:
    from tests.measure.story import Story

_SVG = "{http://www.w3.org/2000/svg}"


def _draw(story: Story, width: int) -> ET.Element | None:
    picture = draw_all(read_account(store(story)), width).get("map")
    return ET.fromstring(picture.svg()) if picture else None  # noqa: S314 (our own text)


def _texts(root: ET.Element) -> list[str]:
    return [text.text or "" for text in root.iter(f"{_SVG}text")]


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_map_shows_roles_before_and_after(story: Story, width: int) -> None:
    """Every server is there with its role, its zone and what became of it; the one that was struck is marked."""
    root = _draw(story, width)
    assert root is not None
    assert root.findtext(f"{_SVG}desc") == (
        "Before the fault: primary db-1 in eu-west-1a, standby db-2 in eu-west-1b; "
        "Afterwards: primary db-2 in eu-west-1b, standby db-3 in eu-west-1a"
    )
    texts = _texts(root)
    assert [one for one in texts if one in {"fault here", "synchronous", "was standby", "new server"}] == [
        "fault here",
        "synchronous",
        "new server",
        "was standby",
    ]
    assert texts.count("eu-central-1: no copy of this store") == 2
    (struck,) = (mark for mark in root.iter(f"{_SVG}rect") if mark.get("class") == "chip hit")
    assert struck.findtext(f"{_SVG}title") == "primary db-1 in eu-west-1a, struck by the fault"


def test_a_zone_that_is_struck_marks_all_in_it(story: Story) -> None:
    """A fault of a zone strikes every server in it."""
    for kind in ("fault.injected", "fault.observed"):
        story.data_of(kind)["resource"] = "eu-west-1b"
    root = _draw(story, WIDE)
    assert root is not None
    struck = [mark for mark in root.iter(f"{_SVG}rect") if mark.get("class") == "chip hit"]
    assert [mark.findtext(f"{_SVG}title") for mark in struck] == [
        "standby db-2 in eu-west-1b, struck by the fault"
    ]


def test_a_region_that_is_lost_marks_all_in_it(story: Story) -> None:
    """A fault of a region strikes all in it; what the cloud still calls primary there is marked until it is healed."""
    for kind in ("fault.injected", "fault.observed"):
        story.data_of(kind)["resource"] = "eu-west-1"
    root = _draw(story, WIDE)
    assert root is not None
    struck = [mark for mark in root.iter(f"{_SVG}rect") if mark.get("class") == "chip hit"]
    assert len(struck) == 4
    look = next(at_ns for at_ns, _, data in story.events if data.get("moment") == "after_fault")
    story.drop("fault.healed")
    story.events.append((look - 1, "fault.healed", {"resource": "eu-west-1"}))
    story.events.sort(key=lambda event: event[0])
    story.path /= "healed"
    root = _draw(story, WIDE)
    assert root is not None
    assert len([mark for mark in root.iter(f"{_SVG}rect") if mark.get("class") == "chip hit"]) == 2


def test_every_host_of_a_fault_is_marked(story: Story) -> None:
    """A fault that strikes several hosts marks each of them."""
    story.data_of("fault.injected")["details"] = {"hosts": [{"host": "db-1"}, {"host": "db-2"}]}
    root = _draw(story, WIDE)
    assert root is not None
    assert len([mark for mark in root.iter(f"{_SVG}rect") if mark.get("class") == "chip hit"]) == 2


def test_a_promoted_replica_is_in_the_other_region(story: Story) -> None:
    """A region is drawn where it holds a copy; a zone that the plan does not have stands by itself."""
    after = next(data for _, _, data in story.events if data.get("moment") == "after_fault")
    after["members"] = [
        {"host": "db-7", "zone": "eu-central-1b", "address": "10.1.0.7", "role": "primary"},
        {"host": "db-8", "zone": "moon-1a", "address": "10.9.0.8", "role": "replica"},
    ]
    root = _draw(story, WIDE)
    assert root is not None
    assert {"eu-central-1", "eu-central-1b", "moon-1a", "not in the plan", "replica"} <= {*_texts(root)}
    assert "eu-west-1: no copy of this store" in _texts(root)


def test_what_was_never_seen_is_not_drawn(story: Story) -> None:
    """With one look there is one panel."""
    story.events = [event for event in story.events if event[0] < FAULT or event[1] != "store.observed"]
    root = _draw(story, WIDE)
    assert root is not None
    assert "Afterwards" not in _texts(root)


def test_a_store_at_which_nobody_looked_has_no_map(story: Story) -> None:
    """Without a look there is nothing to draw."""
    story.drop("store.observed")
    assert _draw(story, WIDE) is None
