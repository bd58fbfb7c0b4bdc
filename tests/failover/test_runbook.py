"""The company's runbook: it loads, what it runs exists, every program is run and looked at in the same way."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from drdrill.plan.runbook import Step, Where
from drdrill.plan.runbook_checking import check_runbook, load_runbook

FOLDER = Path(__file__).parents[2] / "failover"
RUNBOOKS = {name: FOLDER / f"{name}.yaml" for name in ("runbook", "runbook_data_plane")}
STEPS = load_runbook(RUNBOOKS["runbook"]).steps
DATA_PLANE = load_runbook(RUNBOOKS["runbook_data_plane"])
WITHOUT = ("--ourselves", "--without-name", "--without-names")  # do not ask Route 53's API
LOOK = "--look"


@pytest.mark.parametrize("name", RUNBOOKS)
def test_a_runbook_loads(name: str) -> None:
    """It has no mistakes."""
    assert check_runbook(RUNBOOKS[name]) == ()


@pytest.mark.parametrize("name", STEPS)
def test_the_variant_is_the_runbook_without_route_53(name: str) -> None:
    """All steps are the same, but for those that ask Route 53's API, and what is shown of one of them."""
    assert (DATA_PLANE.loses, DATA_PLANE.also_loses) == (Where.PRIMARY, [Where.ROUTE_53])
    assert list(DATA_PLANE.steps) == list(STEPS)
    ours, other = STEPS[name], DATA_PLANE.steps[name]
    assert (other != ours) is (Where.ROUTE_53 in ours.uses or name == "declaration")
    if ours.action.command is not None and name != "switch":
        left = [one for one in other.action.command or () if one not in WITHOUT]
        assert left == ours.action.command
    for same in ("needs", "within", "phase", "by", "critical"):
        assert getattr(other, same) == getattr(ours, same)


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(step, id=f"{title}-{name}")
        for title, steps in (("runbook", STEPS), ("data_plane", DATA_PLANE.steps))
        for name, step in steps.items()
    ],
)
def test_what_a_step_runs_exists(step: Step) -> None:
    """A step is a module of the failover code; it is looked at by the same command, without changing anything."""
    if step.action.gate is not None:
        assert step.verify is None
        return
    assert step.action.command is not None
    assert step.verify is not None
    python, option, module = step.action.command[:3]
    assert (python, option) == ("python", "-m")
    assert callable(importlib.import_module(module).main)
    own_look = module in {"failover.validate", "failover.check_configuration"}  # what it does is a look
    # What nothing waits for, and what was waited for before.
    asked = [one for one in step.action.command if one not in ("--without-standby", "--leased")]
    assert step.verify.command == [*asked, *([] if own_look else [LOOK])]


def test_what_tears_the_ledger_in_two_comes_after_the_fence() -> None:
    """No database is promoted and no user led to another region before the old primary was fenced."""
    for name in ("payments_database", "users_database", "switch"):
        assert "fence" in _all_needs(name)


def _all_needs(name: str) -> set[str]:
    found: set[str] = set()
    left = [name]
    while left:
        for need in STEPS[left.pop()].needs:
            if need not in found:
                found.add(need)
                left.append(need)
    return found


def test_users_are_led_there_when_it_was_seen_to_work() -> None:
    """The switch comes after validation and the go, and the last notice after users' own way was validated."""
    assert {"direct_validation", "go_no_go"} <= _all_needs("switch")
    assert {"drain", "validation"} <= _all_needs("last_notice")


def test_no_step_skips_a_look() -> None:
    """What goes on although a look refuses it is a person's word at that time: no step has it written down."""
    steps = (*STEPS.values(), *DATA_PLANE.steps.values())
    commands = [work.command or () for step in steps for work in (step.action, step.verify) if work]
    assert not {"--planned", "--although-primary-writes"} & {word for command in commands for word in command}


def test_critical_services_do_not_wait_for_terraform() -> None:
    """A locked state, a provider or a state bucket that is not there holds up standbys, and no critical service."""
    needed = {need for name, step in STEPS.items() if step.critical for need in (name, *_all_needs(name))}
    assert STEPS["scale_up"].action.command == ["python", "-m", "failover.scale_up"]
    assert "scale_up" not in needed


def test_databases_are_promoted_when_no_lease_is_held() -> None:
    """Each promotion demands it, and waits for the fence, which waits for leases to run out."""
    promotions = [
        step
        for step in STEPS.values()
        if step.action.command is not None and "failover.promote_replica" in step.action.command
    ]
    assert len(promotions) == 2
    assert all("--leased" in (step.action.command or ()) and "fence" in step.needs for step in promotions)
