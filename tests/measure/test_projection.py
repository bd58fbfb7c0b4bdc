"""Time and loss projected to production."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from drdrill.measure.projection import project_loss, project_path, seeded
from drdrill.measure.replication import Cut, ReplicationState
from drdrill.plan.model import Projection, StandbyReplication, Store

if TYPE_CHECKING:
    from collections.abc import Mapping

SECOND = 10**9


def projection(percentile: float = 95, **steps: Mapping[str, object]) -> Projection:
    """Return a projection with these steps."""
    durations = {name: {"source": "a test", **step} for name, step in steps.items()}
    return Projection.model_validate({"percentile": percentile, "durations": durations})


def store(standby: StandbyReplication) -> Store:
    """Return a store that replicates so."""
    return Store(kind="postgresql", data_class="money", resource="orders", standby=standby)


def test_constant_steps_add_up() -> None:
    """Without spread every percentile is the sum."""
    given = projection(
        a={"distribution": "constant", "typical": "5 s"}, b={"distribution": "constant", "typical": "2 min"}
    )
    assert project_path(["a", "b"], given, 1).value_ns == 125 * SECOND


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ({"distribution": "uniform", "minimum": "0 s", "maximum": "100 s"}, 95.0),
        # The upper part of a triangle from 0 to 100 with its mode at 50: 100 - sqrt(0.05 * 100 * 50).
        ({"distribution": "triangular", "minimum": "0 s", "typical": "50 s", "maximum": "100 s"}, 84.19),
    ],
)
def test_percentile_is_that_of_the_distribution(step: Mapping[str, object], expected: float) -> None:
    """The percentile of many draws is near the exact one."""
    value_ns = project_path(["a"], projection(a=step), 1).value_ns
    assert value_ns is not None
    assert value_ns / SECOND == pytest.approx(expected, abs=0.5)


def test_same_seed_gives_the_same_figure() -> None:
    """The projection is a function of the drill's seed."""
    given = projection(a={"distribution": "uniform", "minimum": "0 s", "maximum": "100 s"})
    first, again, other = (project_path(["a"], given, seed).value_ns for seed in (1, 1, 2))
    assert first == again != other
    assert seeded(1, "a").integers(2**62) != seeded(1, "b").integers(2**62)


@pytest.mark.parametrize(
    "step",
    [
        {"distribution": "uniform", "minimum": "1 s"},
        {"distribution": "constant", "maximum": "1 s"},
        {"distribution": "triangular", "minimum": "3 s", "typical": "1 s", "maximum": "2 s"},
    ],
)
def test_step_without_a_whole_distribution_is_unknown(step: Mapping[str, object]) -> None:
    """A distribution that lacks a figure, or contradicts itself, projects nothing and is named."""
    projected = project_path(["a"], projection(a=step), 1)
    assert projected.value_ns is None
    assert projected.basis.endswith(": a")


def test_path_without_steps_or_inputs_is_unknown() -> None:
    """No path, or a step that the plan does not time, is unknown and never zero."""
    given = projection(a={"distribution": "constant", "typical": "5 s"})
    assert project_path([], given, 1).value_ns is None
    assert project_path(["a", "b"], given, 1).value_ns is None


@pytest.mark.parametrize(
    ("standby", "state", "value_ns"),
    [
        (StandbyReplication.SYNCHRONOUS, ReplicationState.SYNCHRONOUS, 0),
        (StandbyReplication.SYNCHRONOUS, ReplicationState.UNKNOWN, 0),
        (StandbyReplication.SYNCHRONOUS, ReplicationState.ASYNCHRONOUS, None),
        (StandbyReplication.NONE, ReplicationState.SYNCHRONOUS, None),
    ],
)
def test_only_a_synchronous_standby_projects_no_loss(
    standby: StandbyReplication, state: ReplicationState, value_ns: int | None
) -> None:
    """No loss is projected where the plan says synchronous and the drill did not see otherwise."""
    assert project_loss(store(standby), Cut(state), projection()).value_ns == value_ns


def test_basis_names_the_steps() -> None:
    """What the figure is made from stands beside it."""
    given = projection(a={"distribution": "constant", "typical": timedelta(seconds=5)})
    assert "sum of a " in project_path(["a"], given, 1).basis
