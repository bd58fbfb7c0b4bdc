"""The rules of a plan's scenarios beyond their schema, each on the reference plan with a few words changed."""

from __future__ import annotations

import pytest

from tests.plan.edited_plan import (
    CRITICAL_PATH,
    IMPACT,
    OWN_AVAILABILITY,
    Case,
    CheckEdited,
    require_one_mistake,
)

FIRST = "scenarios.primary_host_loses_power"
IMPACT_AND_PATH = f"{IMPACT}\n    {CRITICAL_PATH}"
STAYS = "impact: {service: payments, none: true}\n    mirror: system\n    decision: stay"
STAYS_BY_RUNBOOK = f"{STAYS}\n    runbook: failover/runbook.yaml"
CASES = {
    # objectives
    "no re-protection": (
        "re_protection: 1 h",
        "re_protection: 0 h",
        "scenarios.primary_host_loses_power.re_protection",
        "more than zero",
    ),
    "scenario contradicts the tier": (
        f"    {IMPACT}\n",
        f"    {IMPACT}\n    rto: {{within: 30 min, clock: outage}}\n",
        "scenarios.primary_host_loses_power.rto.within",
        "`30 min` here, `1 h` in tiers.critical.rto.within on line 31.",
    ),
    "scenario contradicts the class": (
        f"    {IMPACT}\n",
        f"    {IMPACT}\n    rpo: 1 s\n",
        "scenarios.primary_host_loses_power.rpo",
        "`1 s` here, `5 min` in data_classes.core_financial.rpo on line 40.",
    ),
    # placeholders
    "placeholder for a name": (
        "service: payments\n",
        "service: xx\n",
        "scenarios.primary_host_loses_power.service",
        "`xx`",
    ),
    # references
    "store of a scenario": (
        "    store: payments-database\n",
        "    store: payments_databse\n",
        "scenarios.primary_host_loses_power.store",
        "Did you mean `payments-database`?",
    ),
    "service of an impact": (
        IMPACT,
        IMPACT.replace("payments", "payment"),
        "scenarios.primary_host_loses_power.impact.service",
        "Did you mean `payments`?",
    ),
    "step": (
        "[rds_multi_az_failover,",
        "[rds_failover,",
        "scenarios.primary_host_loses_power.critical_path[0]",
        "Did you mean `rds_multi_az_failover`?",
    ),
    "store that the service does not use": (
        "    service: payments\n",
        "    service: documents\n",
        "scenarios.primary_host_loses_power.store",
        "neither the service `documents` nor one that it depends on uses the store `payments-database`.",
    ),
    # impact
    "impact and none": (
        IMPACT,
        IMPACT.replace("}", ", none: true}"),
        "scenarios.primary_host_loses_power.impact",
        "this says both `none: true` (line 228) and `down_at_least: 500 ms` (line 228).",
    ),
    "neither impact nor none": (
        ", down_at_least: 500 ms",
        "",
        "scenarios.primary_host_loses_power.impact",
        "neither how long users are down nor that they feel nothing.",
    ),
    # recovery, and who is judged besides
    "neither path nor runbook": (
        f"    {CRITICAL_PATH}\n",
        "",
        "scenarios.primary_host_loses_power.critical_path",
        "nothing says what recovery waits for.",
    ),
    "empty path": (
        CRITICAL_PATH,
        "critical_path: []",
        "scenarios.primary_host_loses_power.critical_path",
        "or name the `runbook`.",
    ),
    "path and runbook": (
        f"    {CRITICAL_PATH}\n",
        f"    runbook: failover/runbook.yaml\n    {CRITICAL_PATH}\n",
        "scenarios.primary_host_loses_power.critical_path",
        "this and the runbook `failover/runbook.yaml`",
    ),
    "runbook elsewhere": (
        CRITICAL_PATH,
        "runbook: ../runbook.yaml",
        "scenarios.primary_host_loses_power.runbook",
        "without `..`",
    ),
    "runbook from the root": (
        CRITICAL_PATH,
        "runbook: /failover/runbook.yaml",
        "scenarios.primary_host_loses_power.runbook",
        "a path from the repository's root",
    ),
    "runbook of another kind": (
        CRITICAL_PATH,
        "runbook: failover/runbook.yml",
        "scenarios.primary_host_loses_power.runbook",
        "such as `failover/runbook.yaml`",
    ),
    "unknown service besides": (
        f"    {IMPACT}\n",
        f"    {IMPACT}\n    services: [auth, user]\n",
        "scenarios.primary_host_loses_power.services[1]",
        "Did you mean `users`?",
    ),
    "the service itself besides": (
        f"    {IMPACT}\n",
        f"    {IMPACT}\n    services: [payments]\n",
        "scenarios.primary_host_loses_power.services[0]",
        "is the scenario's `service` already",
    ),
    "service twice besides": (
        f"    {IMPACT}\n",
        f"    {IMPACT}\n    services: [auth, auth]\n",
        "scenarios.primary_host_loses_power.services[1]",
        "is listed twice",
    ),
    "own stability below the window": (
        f"    {IMPACT}\n",
        f"    {IMPACT}\n{OWN_AVAILABILITY.replace('30 s', '5 s')}",
        "scenarios.primary_host_loses_power.availability.stability",
        "`5 s` is shorter than the window of `10 s`",
    ),
    "extent of the mirror": (
        f"    {IMPACT}\n",
        f"    {IMPACT}\n    mirror: systems\n",
        "scenarios.primary_host_loses_power.mirror",
        "Did you mean `system`?",
    ),
    # probe_every
    "probes where only databases are up": (
        f"    {IMPACT}\n",
        f"    {IMPACT}\n    probe_every: {{payments: 500 ms}}\n{OWN_AVAILABILITY}",
        f"{FIRST}.probe_every",
        "Add `mirror: system`",
    ),
    "probes of a service that is not judged": (
        f"    {IMPACT}\n",
        f"    {IMPACT}\n    mirror: system\n    probe_every: {{auth: 500 ms}}\n{OWN_AVAILABILITY}",
        f"{FIRST}.probe_every.auth",
        "It judges: `payments`",
    ),
    "probes without a pause": (
        f"    {IMPACT}\n",
        f"    {IMPACT}\n    mirror: system\n    probe_every: {{payments: 1 ms}}\n",
        f"{FIRST}.probe_every.payments",
        "a time from 100 ms to 10 s was expected",
    ),
    "probes too seldom for a window": (
        f"    {IMPACT}\n",
        f"    {IMPACT}\n    mirror: system\n    probe_every: {{payments: 1500 ms}}\n{OWN_AVAILABILITY}",
        f"{FIRST}.probe_every.payments",
        "asks `payments` 7 times in a window, and one with fewer than 8",
    ),
    # decision
    "stay without a runbook": (
        IMPACT_AND_PATH,
        f"{STAYS}\n    {CRITICAL_PATH}",
        f"{FIRST}.decision",
        "nothing decides to stay",
    ),
    "stay although users are down": (
        IMPACT_AND_PATH,
        STAYS_BY_RUNBOOK.replace("none: true", "down_at_least: 1 s"),
        f"{FIRST}.decision",
        "users who feel the fault are a reason to fail over",
    ),
    "stay, and lose": (
        IMPACT_AND_PATH,
        f"{STAYS_BY_RUNBOOK}\n    loss_path: [damage_detection]",
        f"{FIRST}.loss_path",
        "nothing is lost where nobody fails over",
    ),
    "stay with databases alone": (
        IMPACT_AND_PATH,
        STAYS_BY_RUNBOOK.replace("    mirror: system\n", ""),
        f"{FIRST}.decision",
        "Add `mirror: system`.",
    ),
    "mistyped decision": (
        IMPACT,
        f"{IMPACT}\n    decision: stey",
        f"{FIRST}.decision",
        "Did you mean `stay`?",
    ),
    "impact above the objective": (
        "down_at_least: 500 ms",
        "down_at_least: 60 min",
        "scenarios.primary_host_loses_power.impact.down_at_least",
        "can never meet the RTO of `1 h` (line 31).",
    ),
}


@pytest.mark.parametrize("case", [Case(*case) for case in CASES.values()], ids=CASES.keys())
def test_each_rule_finds_its_mistake_and_only_that(
    check_edited: CheckEdited, plan_text: str, case: Case
) -> None:
    """One change breaks one rule: exactly one mistake says so, at the field, on a line of the change."""
    require_one_mistake(check_edited, plan_text, case)


def test_a_decision_to_stay(check_edited: CheckEdited) -> None:
    """A runbook that has to say no, users who feel nothing, and the whole system to see it by: nothing is missing."""
    assert not check_edited((IMPACT_AND_PATH, STAYS_BY_RUNBOOK))


def test_no_impact_may_be_declared(check_edited: CheckEdited) -> None:
    """A scenario may state that users feel nothing."""
    assert not check_edited((IMPACT, "impact: {service: payments, none: true}"))
