"""Loading a plan, and the reference plan itself."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from drdrill.core.errors import InvalidInputError, Mistake
from drdrill.plan import DisasterClass, ObjectiveClock, Plan, check_plan, load_plan

if TYPE_CHECKING:
    from pathlib import Path


def test_the_reference_plan_says_what_the_document_says(plan_text: str, tmp_path: Path) -> None:
    """Objectives, clock, regions and scenario of the reference plan are those of the written plan."""
    path = tmp_path / "plan.yaml"
    path.write_text(plan_text, encoding="utf-8")
    assert check_plan(path) == ()
    plan = load_plan(path)
    assert isinstance(plan, Plan)
    for service in ("payments", "auth", "users"):
        assert plan.rto_of(service).within == timedelta(hours=1)
    assert plan.rto_of("documents").within == timedelta(hours=4)
    assert plan.rto_of("payments").clock is ObjectiveClock.OUTAGE
    assert plan.rpo_of("payments-database") == timedelta(minutes=5)
    assert plan.rpo_of("users-database") == timedelta(hours=1)
    assert plan.regions.primary.zones == ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
    assert plan.scenarios["primary_host_loses_power"].disaster_class is DisasterClass.DATABASE


def test_a_plan_with_mistakes_is_not_loaded(plan_text: str, tmp_path: Path) -> None:
    """`load_plan` gives no plan at all when there is any mistake, and raises all of them."""
    path = tmp_path / "plan.yaml"
    path.write_text(
        plan_text.replace("rpo: 5 min", "rpo: 5").replace("rpo: 1 h", "rpo: TODO"), encoding="utf-8"
    )
    with pytest.raises(InvalidInputError) as refused:
        load_plan(path)
    expected: list[Mistake] = list(check_plan(path))
    assert list(refused.value.mistakes) == expected
    assert len(expected) == 2
