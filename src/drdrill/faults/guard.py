"""The guard: the one place that decides whether a fault may be injected. What it cannot read, it refuses.

It believes the plan for what may be broken and the environment itself for who it is, and nothing else.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from drdrill.core.errors import RefusedError
from drdrill.environment.port import FaultRequest, Identity
from drdrill.plan import Plan, load_plan
from drdrill.plan.nearest import suggest
from drdrill.plan.references import ROUTE53

if TYPE_CHECKING:
    from drdrill.environment.port import FaultPort, StoreRole
    from drdrill.faults.catalogue import FaultKind

PlanSource = Plan | Path | None


def allow(
    kind: FaultKind,
    store: str,
    role: StoreRole,
    amount: str = "",
    *,
    plan: PlanSource,
    environment: str,
    instance: str | None,
    port: FaultPort,
) -> FaultRequest:
    """Return the request for this fault if plan and environment allow it; raises `RefusedError` otherwise.

    `environment` is where the caller believes to be; `instance`, where given, the one that the drill started.
    """
    known = _read_plan(plan)
    if environment not in known.safety.environments:
        raise _refusal(f"the plan's safety.environments does not name the environment `{environment}`")
    if store not in known.safety.targets:
        near = suggest(store, known.safety.targets, what="Targets")
        raise _refusal(f"the plan's safety.targets does not name `{store}`. {near}")
    resource = _find_place(known, kind, store) if kind.of_place else _find_store(known, store)
    _check_identity(_read_identity(port), environment, instance)
    return FaultRequest(kind=kind, store=store, resource=resource, role=role, amount=amount)


def _find_store(plan: Plan, store: str) -> str:
    """Return the resource of a store."""
    if store not in plan.stores:
        raise _refusal(f"the plan has no store `{store}`. {suggest(store, plan.stores, what='Stores')}")
    return plan.stores[store].resource


def _find_place(plan: Plan, kind: FaultKind, name: str) -> str:
    """Return the name of a region, a zone or a global service."""
    regions = (plan.regions.primary, plan.regions.recovery)
    if kind.of_region:
        what, names = "region", [region.name for region in regions]
    elif kind is kind.ROUTE53_CONTROL_PLANE_LOSS:
        what, names = "global service", [ROUTE53]
    else:
        what, names = "zone", [zone for region in regions for zone in region.zones]
    if name not in names:
        raise _refusal(f"the plan has no {what} `{name}`. {suggest(name, names, what='There are')}")
    return name


def _read_plan(plan: PlanSource) -> Plan:
    if isinstance(plan, Plan):
        return plan
    if plan is None:
        raise _refusal("there is no plan to read: DRDRILL_PLAN does not name one")
    try:
        return load_plan(plan)
    except Exception as error:  # whatever makes it unreadable, an unreadable guard means refusal
        raise _refusal(f"the plan {plan} cannot be read: {error}") from error


def _read_identity(port: FaultPort) -> Identity:
    try:
        identity = port.read_identity()
    except Exception as error:  # the same
        raise _refusal(f"the environment's identity cannot be read: {error}") from error
    if not isinstance(identity, Identity):
        raise _refusal("the environment's identity cannot be read: it gave something that is not one")
    return identity


def _check_identity(identity: Identity, environment: str, instance: str | None) -> None:
    if identity.environment != environment:
        raise _refusal(f"this environment says that it is `{identity.environment}`, not `{environment}`")
    if identity.expendable is not True:
        raise _refusal(
            f"the environment `{environment}` ({identity.instance}) does not say that it is expendable"
        )
    if instance is not None and identity.instance != instance:
        raise _refusal(f"this is the instance `{identity.instance}`, and the drill started `{instance}`")


def _refusal(reason: str) -> RefusedError:
    return RefusedError(f"The fault was refused, and nothing was touched: {reason.rstrip('.')}.")
