"""A scenario with several services, a runbook and figures of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.plan import MirrorExtent, Plan, load_plan
from tests.plan.edited_plan import CRITICAL_PATH, IMPACT, OWN_AVAILABILITY

if TYPE_CHECKING:
    from pathlib import Path

NAME = "primary_host_loses_power"


@pytest.fixture
def plan(plan_text: str, tmp_path: Path) -> Plan:
    """Return the reference plan, in which the scenario judges others besides and is recovered by a runbook."""
    text = plan_text.replace(CRITICAL_PATH, "runbook: failover/runbook.yaml\n    mirror: system")
    text = text.replace(f"    {IMPACT}\n", f"    {IMPACT}\n    services: [auth, users]\n{OWN_AVAILABILITY}")
    path = tmp_path / "plan.yaml"
    path.write_text(text, encoding="utf-8")
    return load_plan(path)


def test_a_scenario_says_who_is_judged_and_how_it_recovers(plan: Plan) -> None:
    """What is written is there, and a runbook needs no critical path."""
    scenario = plan.scenarios[NAME]
    assert (scenario.services, scenario.runbook) == (["auth", "users"], "failover/runbook.yaml")
    assert (scenario.critical_path, scenario.mirror) == ([], MirrorExtent.SYSTEM)


def test_its_own_availability_counts(plan: Plan) -> None:
    """Asked for by name or by itself, a scenario's own figures go before the plan's."""
    scenario = plan.scenarios[NAME]
    assert plan.availability_of(NAME) == plan.availability_of(scenario) == scenario.availability
    assert plan.availability_of(NAME).minimum_samples == 8 != plan.availability.minimum_samples


def test_without_any_the_plan_counts(plan_text: str, tmp_path: Path) -> None:
    """A scenario that says nothing is judged as ever, alone, with the databases up."""
    path = tmp_path / "plan.yaml"
    path.write_text(plan_text, encoding="utf-8")
    plan = load_plan(path)
    scenario = plan.scenarios[NAME]
    assert plan.availability_of(NAME) == plan.availability
    assert (scenario.services, scenario.runbook, scenario.mirror) == ([], None, MirrorExtent.DATABASES)
