"""`environments/<name>/budget.yaml`: how fast this environment itself usually is, and how long a drill waits in it.

A figure above the budget is a finding (the regression gate), never a verdict. The patience bounds what a drill
waits for, so that a system that never recovers ends it, too; it is not an objective.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from drdrill.plan import Part, PositiveDuration
from drdrill.plan.scenario import MirrorExtent
from drdrill.plan.yaml_file import load_model

if TYPE_CHECKING:
    from pathlib import Path

BUDGET_NAME = "budget.yaml"


class Patience(Part):
    """How long a drill waits for something before it goes on without it."""

    steady_state: PositiveDuration
    """The longest time until users are served without a fault."""
    recovery: PositiveDuration
    """The longest time from the fault until users are served again."""
    re_protection: PositiveDuration
    """The longest time until redundancy is back."""
    runbook: PositiveDuration = timedelta(minutes=30)
    """The longest time that a runbook may take, in which steps have times of their own."""


class Budget(Part):
    """The whole file."""

    figures: Annotated[dict[str, PositiveDuration], Field(default_factory=dict)]
    """The usual figures of this environment, such as `rta_seconds`: more is a finding."""
    system: Annotated[dict[str, PositiveDuration], Field(default_factory=dict)]
    """The same for drills of the whole system."""
    patience: Patience
    """How long a drill waits here."""

    def seconds(self, extent: MirrorExtent = MirrorExtent.DATABASES) -> dict[str, float]:
        """Return the figures in seconds for drills in which so much is up."""
        figures = self.system if extent is MirrorExtent.SYSTEM else self.figures
        return {name: limit.total_seconds() for name, limit in figures.items()}


def load_budget(folder: Path) -> Budget:
    """Read the budget of an environment; raises `InvalidInputError` with every mistake."""
    return load_model(folder / BUDGET_NAME, Budget)
