"""One figure judged by its objective, and what leaves it open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.core.verdict import Verdict
from drdrill.measure.projection import Projected
from drdrill.measure.verdict import Measured, judge_loss, judge_projection, judge_time
from tests.measure.story import FAULT, MS, RECOVERED, SECOND

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.measure.story import Story

MET, MISSED, OPEN, INVALID = Verdict.MET, Verdict.MISSED, Verdict.INCONCLUSIVE, Verdict.INVALID


@pytest.mark.parametrize(
    ("measured", "invalid", "dark", "expected"),
    [
        (Measured(10, 1), False, False, MET),
        (Measured(11, 1), False, False, MISSED),
        (Measured(None, 1, 10), False, False, OPEN),
        (Measured(None, 1, 11), False, False, MISSED),
        (Measured(10, 1), False, True, OPEN),
        (Measured(11, 1), False, True, OPEN),
        (Measured(11, 1), True, True, INVALID),
    ],
)
def test_time_is_met_up_to_its_objective(
    measured: Measured, invalid: bool, dark: bool, expected: Verdict
) -> None:
    """A time of exactly the objective is MET; one without an end is open until it is longer."""
    assert judge_time(measured, 10, invalid=invalid, dark=dark) is expected


@pytest.mark.parametrize(
    ("measured", "broken", "invalid", "dark", "expected"),
    [
        (Measured(10, 1), False, False, False, MET),
        (Measured(11, 1), False, True, True, MISSED),
        (Measured(0, 1), True, True, True, MISSED),
        (Measured(0, 1), False, True, True, INVALID),
        (Measured(0, 1), False, False, True, OPEN),
        (Measured(None, None), False, False, False, OPEN),
    ],
)
def test_nothing_hides_a_loss(
    measured: Measured, broken: bool, invalid: bool, dark: bool, expected: Verdict
) -> None:
    """A loss over its objective, or a wrong row, is MISSED whatever the drill was worth."""
    assert judge_loss(measured, 10, broken=broken, invalid=invalid, dark=dark) is expected


@pytest.mark.parametrize(("value_ns", "expected"), [(10, MET), (11, MISSED), (None, OPEN)])
def test_projection_is_met_up_to_its_objective(value_ns: int | None, expected: Verdict) -> None:
    """A projected time of exactly the objective is MET; without inputs it is open."""
    assert judge_projection(Projected(value_ns, 95, ""), 10) is expected


def _prober_late(story: Story) -> None:
    for write in story.writes["prober-0"]:
        if FAULT + SECOND <= write.sent_ns < FAULT + 2 * SECOND:
            write.sent_ns = FAULT + 2 * SECOND


def _read_too_early(story: Story) -> None:
    story.events[-1][2]["at_ns"] = RECOVERED


@pytest.mark.parametrize(
    ("change", "open_kind"), [(_prober_late, "rto"), (_read_too_early, "rpo"), (lambda _story: None, "")]
)
def test_figure_in_the_dark_is_open(story: Story, change: Callable[[Story], None], open_kind: str) -> None:
    """Only the figure that the missing evidence concerns is open; the others are judged."""
    change(story)
    verdicts = {one.kind.value: one.measured_verdict for one in story.measure().objectives}
    assert {kind for kind, verdict in verdicts.items() if verdict is not MET} == ({open_kind} - {""})


def test_figures_carry_their_resolution(story: Story) -> None:
    """Sample period, time between looks and time of the injection are part of what a figure is worth."""
    document = story.measure().to_json()
    resolutions = {one["kind"]: one["measured"]["resolution_seconds"] for one in document["objectives"]}
    injecting = 0.010
    assert resolutions["rto"] == pytest.approx(0.040 + injecting)
    assert resolutions["re_protection"] == pytest.approx(0.100 + injecting)
    assert 0 < resolutions["rpo"] <= 20 * MS / SECOND
