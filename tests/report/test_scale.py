"""Axes: positions and round marks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drdrill.report.scale import LogScale, Scale, round_step

finite = st.floats(-1e6, 1e6)


@given(low=finite, length=st.floats(1e-3, 1e6), at_most=st.integers(3, 20))
def test_ticks_are_round_few_and_within(low: float, length: float, at_most: int) -> None:
    """Every mark is a multiple of a round step, stands within the scale, and there is one at least."""
    scale = Scale(low, low + length, 0, 100)
    ticks = scale.ticks(at_most)
    assert 1 <= len(ticks) <= at_most + 1
    assert all(low - 1e-6 * length <= tick <= low + length * (1 + 1e-6) + 1e-6 for tick in ticks)


@given(value=st.floats(1e-6, 1e9))
def test_a_round_step_is_one_two_or_five(value: float) -> None:
    """The step is the least round one that is not below."""
    step = round_step(value)
    assert value * (1 - 1e-8) <= step <= value * 2.5 * (1 + 1e-8)
    digits = f"{step:.3e}".partition("e")[0]
    assert float(digits) in {1.0, 2.0, 5.0}


@pytest.mark.parametrize(("value", "position"), [(0, 0), (1, 50), (2, 100), (-5, 0), (9, 100)])
def test_what_lies_outside_ends_at_the_edge(value: float, position: float) -> None:
    """Positions never leave the picture."""
    assert Scale(0, 2, 0, 100)(value) == position


@pytest.mark.parametrize(("value", "position"), [(0, 0), (0.1, 0), (1, 50), (10, 100), (99, 100)])
def test_a_logarithmic_axis_has_a_place_for_zero(value: float, position: float) -> None:
    """Zero and all below the least value stand at the left edge."""
    assert LogScale(0.1, 10, 0, 100)(value) == pytest.approx(position)
