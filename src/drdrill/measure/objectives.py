"""The objectives of a scenario, each with its measured and its projected result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.core.verdict import Verdict
from drdrill.measure.availability import nanoseconds
from drdrill.measure.projection import RE_PROTECTION, project_loss, project_nothing, project_path
from drdrill.measure.recovery import Recovery, project_recovery
from drdrill.measure.services import ServiceOutage
from drdrill.measure.verdict import (
    Measured,
    Objective,
    ObjectiveKind,
    judge_loss,
    judge_projection,
    judge_time,
)
from drdrill.plan.model import ObjectiveClock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drdrill.measure.checks import Checks
    from drdrill.measure.integrity import Integrity
    from drdrill.measure.outage import Outage
    from drdrill.measure.projection import Projected
    from drdrill.measure.replication import Cut
    from drdrill.plan.model import Plan, Scenario

# Codes of reasons after which a loss is not known, or is a miss whatever the objective.
_UNREAD = ("survivors_unreadable", "readings_disagree", "read_too_early")
_BY_PATH = Recovery()
_BROKEN = ("loss_unexplained", "altered", "duplicated", "phantom", "contradicted", "two_writers")


def judge_objectives(
    plan: Plan,
    scenario: Scenario,
    checks: Checks,
    *,
    seed: int,
    outage: Outage | None,
    integrity: Integrity | None,
    cut: Cut,
    re_protection: Measured,
    restored: bool = False,
    services: Sequence[ServiceOutage] = (),
    recovery: Recovery = _BY_PATH,
) -> tuple[Objective, ...]:
    """Judge every RTO, the RPO and, where the scenario sets one, the time until redundancy is back.

    `restored`: users were put on a database that was restored from a backup. `services`: those judged besides; the
    scenario's own one comes first.
    """
    late = checks.has(Verdict.INCONCLUSIVE, "prober_late")
    rtos = [
        _judge_rto(
            plan,
            checks,
            one.service,
            project_recovery(plan, scenario, one.service, recovery, seed),
            _measure_rto(plan.rto_of(one.service).clock, one.outage, recovery.declared_ns),
            late=one.late,
        )
        for one in (ServiceOutage(scenario.service, outage, late), *services)
    ]
    if scenario.stays:
        lost = project_nothing(plan.projection, "nobody fails over, so nothing is given up")
    elif restored or scenario.loss_path:
        lost = project_path(scenario.loss_path, plan.projection, seed, path="loss path")
    else:
        lost = project_loss(plan.stores[scenario.store], cut, plan.projection)
    rpo = _judge_rpo(plan, scenario, checks, integrity, lost)
    protection = _judge_re_protection(plan, scenario, seed, checks, re_protection)
    return (*rtos, rpo) if protection is None else (*rtos, rpo, protection)


def _judge_rto(
    plan: Plan,
    checks: Checks,
    service: str,
    projected: Projected,
    measured: Measured,
    *,
    late: bool,
) -> Objective:
    rto = plan.rto_of(service)
    limit_ns = nanoseconds(rto.within)
    return Objective(
        kind=ObjectiveKind.RTO,
        subject=service,
        clock=rto.clock,
        objective_ns=limit_ns,
        measured=measured,
        measured_verdict=judge_time(
            measured,
            limit_ns,
            invalid=checks.has(Verdict.INVALID),
            dark=late or checks.has(Verdict.INCONCLUSIVE, "another_clock"),
        ),
        projected=projected,
        projected_verdict=judge_projection(projected, limit_ns),
    )


def _measure_rto(clock: ObjectiveClock, outage: Outage | None, declared_ns: int | None) -> Measured:
    if outage is None or (clock is ObjectiveClock.DECLARATION and declared_ns is None):
        return Measured(None, None)
    if clock is ObjectiveClock.DECLARATION and declared_ns is not None:
        recovered_ns = since_declaration(outage, declared_ns)
        at_least_ns = max(0, outage.fault_ns + outage.at_least_ns - declared_ns)
        return Measured(recovered_ns, outage.resolution_ns, at_least_ns)
    return Measured(outage.outage_ns, outage.resolution_ns, outage.at_least_ns)


def since_declaration(outage: Outage, declared_ns: int) -> int | None:
    """Return the RTA from the declaration; 0: users were served before it; None: they were not seen served again."""
    took_ns = outage.outage_ns
    return None if took_ns is None else max(0, outage.fault_ns + took_ns - declared_ns)


def _judge_rpo(
    plan: Plan, scenario: Scenario, checks: Checks, integrity: Integrity | None, projected: Projected
) -> Objective:
    limit_ns = nanoseconds(plan.rpo_of(scenario.store))
    measured = Measured(None, None)
    if integrity is not None:
        measured = Measured(integrity.rpa_ns, integrity.gap_ns, integrity.rpa_ns)
    return Objective(
        kind=ObjectiveKind.RPO,
        subject=scenario.store,
        clock=None,
        objective_ns=limit_ns,
        measured=measured,
        measured_verdict=judge_loss(
            measured,
            limit_ns,
            broken=checks.has(Verdict.MISSED, *_BROKEN),
            invalid=checks.has(Verdict.INVALID),
            dark=checks.has(Verdict.INCONCLUSIVE, *_UNREAD),
        ),
        projected=projected,
        projected_verdict=judge_projection(projected, limit_ns),
    )


def _judge_re_protection(
    plan: Plan, scenario: Scenario, seed: int, checks: Checks, measured: Measured
) -> Objective | None:
    if scenario.re_protection is None:
        return None
    limit_ns = nanoseconds(scenario.re_protection)
    dark = checks.has(Verdict.INCONCLUSIVE, "another_clock")
    projected = project_path([RE_PROTECTION], plan.projection, seed)
    return Objective(
        kind=ObjectiveKind.RE_PROTECTION,
        subject=scenario.store,
        clock=ObjectiveClock.OUTAGE,
        objective_ns=limit_ns,
        measured=measured,
        measured_verdict=judge_time(measured, limit_ns, invalid=checks.has(Verdict.INVALID), dark=dark),
        projected=projected,
        projected_verdict=judge_projection(projected, limit_ns),
    )
