"""How long a drill took, and which of its waits are stated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.measure.waits import StatedWait, read_time_spent
from drdrill.plan import load_plan
from tests.measure.story import BEGIN, END, FAULT, MS, RECOVERED, SECOND

if TYPE_CHECKING:
    from drdrill.measure.waits import TimeSpent
    from tests.measure.story import Story


def _read(story: Story) -> TimeSpent:
    story.events.sort(key=lambda event: event[0])
    directory = story.store()
    return read_time_spent(directory, load_plan(directory.plan_path), "power_loss")


def test_stated_waits_are_told_apart(story: Story) -> None:
    """Stability before and after, the outage that has to show, a slow link, and the TTL where the endpoint moved."""
    delay = {"condition": {"delay_seconds": 3.0, "cut": False}}
    link = {"kind": "link_delay", "resource": "link", "before_ns": FAULT, "after_ns": FAULT, "details": delay}
    story.events += [
        (FAULT - 10 * MS, "fault.injected", link),
        (FAULT + SECOND, "outage.observed", {"seen": True}),
        (RECOVERED + 6 * SECOND, "recovery.observed", {"recovered": True, "outage_seconds": 4.0}),
        (END + 3 * SECOND, "drill.ended", {"verdict": "MET"}),
    ]
    for _, kind, data in story.events:
        if kind == "store.observed":
            data["ttl_seconds"] = 5
    spent = _read(story)
    assert spent.waits == (
        StatedWait("stability before the fault", 5),
        StatedWait("the link's delay", 3),
        StatedWait("the outage that has to show", 0.5),
        StatedWait("stability after recovery", 5),
        StatedWait("the endpoint's TTL", 5),
    )
    assert spent.seconds == (END + 3 * SECOND - BEGIN + SECOND) / SECOND
    assert spent.beside_waits == pytest.approx(spent.seconds - 18.5)


def test_what_was_not_waited_for_is_not_told(story: Story) -> None:
    """A drill that was broken off, and an endpoint that stayed where it was."""
    story.data_of("failover.observed").update(promotions=0)
    story.data_of("steady_state.observed")["holds"] = False
    spent = _read(story)
    assert (spent.seconds, spent.beside_waits, spent.waits) == (None, None, ())
