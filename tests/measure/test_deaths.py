"""The deaths of the operators' machine: what they cost, by both journals, and that there were as many as drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.core.verdict import Verdict
from tests.measure.regional import BEGUN, DECLARED
from tests.measure.story import FAULT, MS, SECOND, codes

if TYPE_CHECKING:
    from tests.measure.regional import RegionalStory

DIED = DECLARED + 600 * MS  # in the promotion
RESUMED = DIED + 400 * MS


def kill(story: RegionalStory, *, resumed: bool = True, drawn: int = 1) -> None:
    """Let the machine die in the promotion, and the runbook be resumed: the declaration is seen done again first."""
    place = next(number for number, event in enumerate(story.events) if event[0] > DIED)
    died: dict[str, Any] = {
        "number": 1, "drawn": "inside of a step, 0.60 s after 1 step was seen done", "at_ns": DIED,
        "done": ["declaration"], "under_way": ["promotion"], "killed": ["python -m drdrill.cli.main", "promote"],
    }  # fmt: skip
    story.events[place:place] = [
        (BEGUN, "operators.doomed", {"drawn": [died["drawn"]] * drawn}),
        (DIED + 100 * MS, "operators.died", died),
    ]
    assert story.steps is not None
    later = [one for one in story.steps if one[0] > DIED]
    story.steps = [one for one in story.steps if one[0] <= DIED]
    if resumed:
        names = ["declaration", "promotion", "status_page"]
        story.steps += [
            (RESUMED, "runbook.begun", {"title": "Failover", "steps": names}),
            (RESUMED, "step.begun", {"step": "declaration"}),
            (RESUMED + 100 * MS, "step.ended", {"step": "declaration", "state": "done", "acted": False, "reason": ""}),
            *later,
        ]  # fmt: skip


def test_what_a_death_costs(regional: RegionalStory) -> None:
    """It costs the time until all that had been done was seen done again; the drill is MET as ever."""
    kill(regional)
    measured = regional.measure()
    assert (measured.verdict, codes(measured)) == (Verdict.MET, set())
    (death,) = measured.to_json()["deaths"]
    assert death["at_seconds"] == (DIED - FAULT) / SECOND
    assert (death["done"], death["under_way"], death["killed"]) == (["declaration"], ["promotion"], 2)
    assert (death["resumed_seconds"], death["cost_seconds"]) == (0.4, 0.5)


def test_nobody_resumes(regional: RegionalStory) -> None:
    """What never was again where it had been has no cost, and the runbook did not come to its end."""
    kill(regional, resumed=False)
    measured = regional.measure()
    assert "runbook_not_done" in codes(measured)
    (death,) = measured.to_json()["deaths"]
    assert (death["resumed_seconds"], death["cost_seconds"]) == (None, None)


def test_it_was_to_die_more_often(regional: RegionalStory) -> None:
    """A drill in which the machine lives longer than drawn is another one than it says: INVALID."""
    kill(regional, drawn=3)
    measured = regional.measure()
    assert codes(measured, Verdict.INVALID) == {"operators_survived"}
    assert "was to die 3 times, and died 1 times" in measured.reasons[0].text
