"""A runbook's projection and its waterfall: checked against what a person would work out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.core.errors import DamagedRecordError
from drdrill.measure.runbook_projection import check_objectives, project_runbook
from drdrill.measure.waterfall import read_waterfall, sum_people_seconds
from drdrill.plan import load_plan
from drdrill.plan.runbook import Runbook
from drdrill.record.journal import Event
from drdrill.report.waterfall import draw_waterfall

if TYPE_CHECKING:
    from collections.abc import Mapping


def step(
    needs: list[str], duration: Mapping[str, str], *, by: str = "machine", critical: bool = True
) -> dict[str, Any]:
    """Return a step."""
    return {
        "action": {"gate": {"role": "r", "question": "q"}} if by == "person" else {"command": ["x"]},
        "needs": needs,
        "within": "1 h",
        "phase": "declare" if by == "person" else "restore",
        "by": by,
        "critical": critical,
        "duration": {"source": "a guess", **duration},
    } | ({} if by == "person" else {"verify": {"command": ["y"]}})


def constant(minutes: int) -> dict[str, str]:
    """Return a duration that is always the same."""
    return {"distribution": "constant", "typical": f"{minutes} min"}


def make(**steps: dict[str, Any]) -> Runbook:
    """Return a runbook."""
    return Runbook.model_validate({"version": 1, "title": "T", "loses": "primary", "steps": steps})


DIAMOND = make(
    gate=step([], constant(10), by="person"),
    short=step(["gate"], constant(5)),
    long=step(["gate"], constant(20)),
    end=step(["short", "long"], constant(1)),
    later=step(["end"], constant(60), critical=False),
)


def test_constant() -> None:
    """Of constant durations the projection is the critical path, to the second; slack is what is left."""
    told = project_runbook(DIAMOND, seed=1, objective_seconds=3600, only_critical=True)
    assert told.median_seconds == told.p95_seconds == 31 * 60
    assert told.machine_median_seconds == 21 * 60
    assert told.within_objective == 1.0
    assert told.often_critical == {"gate": 1.0, "short": 0.0, "long": 1.0, "end": 1.0, "later": 0.0}
    assert (told.slack_seconds["long"], told.slack_seconds["short"]) == (29 * 60, 44 * 60)
    assert told.slack_seconds["later"] is None
    assert project_runbook(DIAMOND, seed=1).p95_seconds == 91 * 60


def test_distributions() -> None:
    """The slower of two parallel steps counts in each draw: later than either's own median."""
    even = {"distribution": "uniform", "minimum": "0 s", "maximum": "100 s"}
    told = project_runbook(make(a=step([], even), b=step([], even)), seed=3, objective_seconds=50)
    assert told.median_seconds == pytest.approx(100 * 0.5**0.5, abs=1.5)
    assert told.p95_seconds == pytest.approx(100 * 0.95**0.5, abs=1)
    assert told.within_objective == pytest.approx(0.25, abs=0.02)
    assert told == project_runbook(make(a=step([], even), b=step([], even)), seed=3, objective_seconds=50)


def events(*told: tuple[float, str, str, str]) -> list[Event]:
    """Return a journal of a runbook."""
    begun = Event(0, 0, "", "", "runbook.begun", {}, "", "")
    return [
        begun,
        *(
            Event(0, round(at * 1e9), "", "", f"step.{kind}", {"step": name, "state": state}, "", "")
            for at, kind, name, state in told
        ),
    ]


def test_waterfall() -> None:
    """Bars, critical path, slack against the objective and people's time come from the journal."""
    journal = events(
        (0, "begun", "gate", ""),
        (10, "ended", "gate", "done"),
        (10, "begun", "short", ""),
        (10, "begun", "long", ""),
        (12, "ended", "short", "done"),
        (30, "ended", "long", "done"),
        (30, "begun", "end", ""),
        (31, "ended", "end", "failed"),
        (40, "begun", "short", ""),  # resumed: seen done again
        (41, "ended", "short", "done"),
        (41, "begun", "end", ""),
        (45, "ended", "end", "done"),
        (45, "begun", "later", ""),
    )
    bars = {bar.name: bar for bar in read_waterfall(journal, DIAMOND, objective_seconds=60)}
    assert [name for name, bar in bars.items() if bar.critical] == ["gate", "long", "end"]
    assert (bars["short"].ends_seconds, bars["short"].slack_seconds) == (12, 15 + 18)
    assert (bars["end"].begins_seconds, bars["end"].ends_seconds, bars["end"].slack_seconds) == (30, 45, 15)
    assert (bars["later"].done, bars["later"].slack_seconds) == (False, None)
    assert sum_people_seconds(bars.values()) == 10
    for width in (400, 1000):
        picture = draw_waterfall(tuple(bars.values()), width)
        assert picture is not None
        assert picture.svg() == (draw_waterfall(tuple(bars.values()), width) or picture).svg()
        assert "later (restore, machine): 0\N{NO-BREAK SPACE}s, not done" in picture.svg()


def test_no_run() -> None:
    """A journal without a run has no waterfall."""
    with pytest.raises(DamagedRecordError):
        read_waterfall([], DIAMOND)


def test_objectives_that_cannot_be_met() -> None:
    """A runbook that takes longer than the RTO in most runs is named with what it waits for; so is an unknown role."""
    plan = load_plan(Path(__file__).parents[2] / "scenarios" / "plan.yaml")
    slow = make(gate=step([], constant(10), by="person"), end=step(["gate"], constant(55)))
    told = [(one.field, one.problem) for one in check_objectives(plan, slow, "runbook.yaml")]
    assert [field for field, _ in told] == ["steps", "steps.gate.action.gate.role"]
    assert "They wait for: gate, end." in told[0][1]
    quick = make(end=step([], constant(55)), later=step(["end"], constant(100), critical=False))
    assert list(check_objectives(plan, quick, "runbook.yaml")) == []
