"""Loading a plan: the schema's checks and the plan's own rules, together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.plan.checking import check_plan_document
from drdrill.plan.model import Plan
from drdrill.plan.yaml_file import check_model, load_model

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.core.errors import Mistake


def load_plan(path: Path) -> Plan:
    """Return the plan in a file. Raises `InvalidInputError` with every mistake in it."""
    return load_model(path, Plan, rules=check_plan_document)


def check_plan(path: Path) -> tuple[Mistake, ...]:
    """Return every mistake in a plan file, in the order of the file; none if it can be loaded."""
    return tuple(check_model(path, Plan, rules=check_plan_document)[1])
