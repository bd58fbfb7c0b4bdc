"""A measurement as the content of `verdict.json`: seconds, money as decimal strings, unknown as null.

| Version | has |
|---|---|
| 5 | `calls`, `decision`, `watchers`, `deaths` of the operators' machine; objectives without a projection |
| 4 | `services`, `runbook` and `system`, the RTA from the declaration, and regions among the writers |
| 3 | `restores` and `destroyed`, and the followers of `replication` |
| 2 | `swept`, and the findings of the sweep |
| 1 | all the rest |
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

import numpy as np

from drdrill.core.clock import NANOSECONDS
from drdrill.measure.call_document import render_calls
from drdrill.measure.objectives import since_declaration
from drdrill.measure.restore_document import render_destroyed, render_restore
from drdrill.measure.runbook_document import render_runbook
from drdrill.measure.system_document import render_system

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drdrill.measure.curve import Curve
    from drdrill.measure.decision import DecisionRecord
    from drdrill.measure.integrity import Integrity
    from drdrill.measure.outage import CohortOutage, Outage
    from drdrill.measure.replication import Cut
    from drdrill.measure.result import Measurement
    from drdrill.measure.runbook_record import RunbookRecord
    from drdrill.measure.services import ServiceOutage
    from drdrill.measure.sweep import Drilled, Sweep
    from drdrill.measure.verdict import Objective
    from drdrill.measure.watchers import Watch
    from drdrill.measure.writers import WritersWatch
    from drdrill.plan.model import Plan

SCHEMA_VERSION = 5
_ADDED = {
    2: ("swept",),
    3: ("restores", "destroyed"),
    4: ("services", "runbook", "system"),
    5: ("calls", "decision", "watchers", "deaths"),
}
_POINTS = 600  # of the curve: a picture has no more places
_SWEPT_FINDINGS = {"swept_differs", "synchronous_behind", "swept_over_objective"}


def render(measurement: Measurement) -> dict[str, Any]:
    """Return the document, always with the same keys in the same order."""
    about = measurement.about
    return {
        "schema_version": SCHEMA_VERSION,
        "scenario": about.scenario,
        "environment": about.environment,
        "seed": about.seed,
        "verdict": measurement.verdict.value,
        "reasons": [
            {"verdict": reason.verdict.value, "code": reason.code, "text": reason.text}
            for reason in measurement.reasons
        ],
        "objectives": [_objective(objective) for objective in measurement.objectives],
        "rta": _rta(measurement),
        "services": [_service(one, measurement.runbook) for one in measurement.services],
        "runbook": render_runbook(
            measurement.runbook, measurement.outage.fault_ns if measurement.outage else None
        ),
        "deaths": _deaths(measurement),
        "system": render_system(measurement.system),
        "calls": render_calls(measurement.calls),
        "decision": _decision(measurement.decision),
        "rpa": _rpa(measurement.integrity, measurement.plan),
        "replication": _replication(measurement.cut, measurement.followers),
        "swept": _swept(measurement.sweep),
        "restores": [render_restore(proof) for proof in measurement.restores],
        "destroyed": render_destroyed(measurement.destroyed),
        "writers": _writers(measurement.writers),
        "watchers": [_watch(one, measurement) for one in measurement.watches],
        "re_protection_seconds": seconds(measurement.re_protection.value_ns),
        "controls": [
            {"name": one.name, "passed": one.passed, "text": one.text, "sensitivity": one.sensitivity}
            for one in measurement.controls
        ],
        "findings": [{"code": finding.code, "text": finding.text} for finding in measurement.findings],
    }


def in_version(document: Mapping[str, Any], version: int) -> dict[str, Any]:
    """Return a document as an earlier version of this program would have written it, to be compared with one."""
    if version >= SCHEMA_VERSION:
        return {**document}
    added = {name for since, names in _ADDED.items() if since > version for name in names}
    earlier = {key: value for key, value in document.items() if key not in added}
    if "replication" in earlier and version < 3:  # noqa: PLR2004
        told = earlier["replication"].items()
        earlier["replication"] = {key: value for key, value in told if key != "followers"}
    if version == 1:
        found = document.get("findings", ())
        earlier["findings"] = [one for one in found if one["code"] not in _SWEPT_FINDINGS]
    return {**earlier, "schema_version": version}


def seconds(value_ns: int | None) -> float | None:
    """Return ns as seconds, to the microsecond; None stays None."""
    return None if value_ns is None else round(value_ns / NANOSECONDS, 6)


def money(minor: int, exponent: int) -> str:
    """Return an amount in minor units as a decimal string: 12345 with exponent 2 is `123.45`."""
    sign, digits = ("-" if minor < 0 else ""), str(abs(minor)).rjust(exponent + 1, "0")
    return sign + (f"{digits[:-exponent]}.{digits[-exponent:]}" if exponent else digits)


def _address(server: int) -> str:
    return str(ipaddress.IPv4Address(server))


def _objective(objective: Objective) -> dict[str, Any]:
    return {
        "name": objective.name,
        "kind": objective.kind.value,
        "subject": objective.subject,
        "clock": objective.clock,
        "objective_seconds": seconds(objective.objective_ns),
        "measured": {
            "value_seconds": seconds(objective.measured.value_ns),
            "resolution_seconds": seconds(objective.measured.resolution_ns),
            "verdict": objective.measured_verdict.value,
        },
        "projected": {
            "value_seconds": seconds(objective.projected.value_ns),
            "percentile": objective.projected.percentile,
            "verdict": objective.projected_verdict.value if objective.projected_verdict else None,
            "basis": objective.projected.basis,
        },
        "margin_seconds": seconds(objective.margin_ns),
    }


def _decision(decision: DecisionRecord | None) -> dict[str, Any] | None:
    if decision is None:
        return None
    return {
        "expected": decision.expected.value,
        "taken": decision.taken.value if decision.taken else None,
        "detection": decision.detection or None,
        "said": decision.said or None,
        "went_on": list(decision.went_on),
        "changed": list(decision.changed),
        "breaks": {service: seconds(down_ns) for service, down_ns in decision.breaks.items()},
    }


def _rta(measurement: Measurement) -> dict[str, Any]:
    return {
        **_outage(measurement.outage, measurement.runbook),
        "phases": [
            {"name": phase.name, "seconds": seconds(phase.until_ns - phase.from_ns)}
            for phase in measurement.phases
        ],
    }


def _service(found: ServiceOutage, runbook: RunbookRecord | None) -> dict[str, Any]:
    return {"service": found.service, "probed": found.probed, **_outage(found.outage, runbook)}


def _outage(outage: Outage | None, runbook: RunbookRecord | None) -> dict[str, Any]:
    slowest = outage.slowest if outage else None
    declared_ns = runbook.declared_ns if runbook else None
    declared = since_declaration(outage, declared_ns) if outage and declared_ns is not None else None
    return {
        "outage_seconds": seconds(outage.outage_ns) if outage else None,
        "at_least_seconds": seconds(outage.at_least_ns) if outage else None,
        "declaration_seconds": seconds(declared),
        "down_seconds": seconds(outage.down_ns) if outage else None,
        "resolution_seconds": seconds(outage.resolution_ns) if outage else None,
        "slowest_cohort": slowest.client.name if slowest else None,
        "longest_gap_seconds": seconds(outage.longest_gap_ns) if outage else None,
        "cohorts": [_cohort(cohort, outage.fault_ns) for cohort in outage.cohorts] if outage else [],
        "other_clients": [_cohort(cohort, outage.fault_ns) for cohort in outage.others] if outage else [],
    }


def _cohort(cohort: CohortOutage, fault_ns: int) -> dict[str, Any]:
    recovered_ns, down_from_ns = cohort.recovery.recovered_ns, cohort.recovery.down_from_ns
    return {
        "name": cohort.client.name,
        "kind": cohort.client.kind.value,
        "cohort": cohort.client.cohort,
        "honours_ttl": cohort.client.honours_ttl,
        "outage_seconds": None if recovered_ns is None else seconds(recovered_ns - fault_ns),
        "down_after_seconds": None if down_from_ns is None else seconds(down_from_ns - fault_ns),
        "longest_gap_seconds": seconds(cohort.longest_gap_ns),
        "lateness_seconds": seconds(cohort.late_ns),
        "relapses": cohort.recovery.relapses,
        "windows": cohort.windows,
        "observed_until_seconds": seconds(cohort.observed_until_ns - fault_ns),
    }


def _rpa(integrity: Integrity | None, plan: Plan) -> dict[str, Any]:
    rows = integrity.comparison if integrity else None
    losing = integrity.losing_side if integrity else None
    return {
        "seconds": seconds(integrity.rpa_ns) if integrity else None,
        "resolution_seconds": seconds(integrity.gap_ns) if integrity else None,
        "acknowledged_rows": rows.acknowledged if rows else None,
        "lost_rows": len(rows.lost) if rows else None,
        "lost_amount": money(rows.lost.amount, plan.currency_exponent) if rows else None,
        "currency": plan.currency,
        "unknown_rows": rows.unknown if rows else None,
        "recovered_unknown_rows": rows.recovered_unknown if rows else None,
        "duplicated_rows": rows.duplicated if rows else None,
        "phantom_rows": rows.phantom if rows else None,
        "contradicted_rows": rows.contradicted if rows else None,
        "reordered_rows": rows.reordered if rows else None,
        "altered_rows": rows.altered if rows else None,
        "holes": (losing.holes if losing else 0) if rows else None,
        "earliest_lost_acknowledgement": {"id": losing.earliest_lost_id, "at_ns": losing.earliest_lost_ns}
        if losing
        else None,
        "losing_servers": [_address(server) for server in losing.servers] if losing else [],
        "explanation": integrity.explanation.text if integrity and integrity.explanation else None,
        "examples": {kind: list(ids) for kind, ids in sorted(rows.examples.items())} if rows else {},
    }


def _replication(cut: Cut, followers: Mapping[str, Cut]) -> dict[str, Any]:
    return {
        "state": cut.state.value,
        "lag_seconds": seconds(cut.lag_ns),
        "sampling_interval_seconds": seconds(cut.interval_ns),
        "followers": [
            {"host": host, "state": one.state.value, "lag_seconds": seconds(one.lag_ns)}
            for host, one in followers.items()
        ],
    }


def _swept(swept: Sweep | None) -> dict[str, Any] | None:
    if swept is None or not len(swept.curve):
        return None
    curve = swept.curve
    known = curve.known
    worst = int(np.argmax(np.where(known, curve.at_most_ns, -1)))
    return {
        "served_seconds": seconds(int(curve.lengths_ns.sum())),
        "unknown_seconds": seconds(int(curve.lengths_ns[~known].sum())),
        "median_seconds": seconds(curve.quantile(0.5)),
        "p99_seconds": seconds(curve.quantile(0.99)),
        "worst_seconds": seconds(curve.quantile(1)),
        "resolution_seconds": seconds(curve.resolution_ns),
        "worst_known": {
            "seconds": seconds(int(curve.at_most_ns[worst])),
            "rows": int(curve.rows[worst]),
            "from_ns": int(curve.from_ns[worst]),
            "until_ns": int(curve.until_ns[worst]),
        }
        if known.any()
        else None,
        "drilled": _drilled(swept.drilled) if swept.drilled else None,
        "curve": _curve(curve.thinned(_POINTS)),
    }


def _drilled(drilled: Drilled) -> dict[str, Any]:
    return {
        "at_least_seconds": seconds(drilled.at_least_ns),
        "at_most_seconds": seconds(drilled.at_most_ns),
        "measured_seconds": seconds(drilled.measured_ns),
        "agrees": drilled.agrees,
    }


def _curve(curve: Curve) -> dict[str, list[Any]]:
    return {
        "from_ns": curve.from_ns.tolist(),
        "until_ns": curve.until_ns.tolist(),
        "at_least_seconds": [
            seconds(value) if known else None
            for value, known in zip(curve.at_least_ns.tolist(), curve.known.tolist(), strict=True)
        ],
        "at_most_seconds": [
            seconds(value) if known else None
            for value, known in zip(curve.at_most_ns.tolist(), curve.known.tolist(), strict=True)
        ],
    }


def _writers(watch: WritersWatch | None) -> dict[str, Any] | None:
    if watch is None:
        return None
    return {
        "two_writers": watch.two_writers,
        "servers": [_writer(watch, server) for server in watch.servers],
        "alternations": watch.alternations,
        "allowed": watch.allowed,
        "evidence": [
            {"id": one.id, "server": _writer(watch, one.server), "by_ns": one.by_ns} for one in watch.evidence
        ],
    }


def _deaths(measurement: Measurement) -> list[dict[str, Any]]:
    outage = measurement.outage
    return [] if outage is None else [one.to_json(outage.fault_ns) for one in measurement.doom.deaths]


def _watch(watch: Watch, measurement: Measurement) -> dict[str, Any]:
    fault_ns = measurement.outage.fault_ns if measurement.outage else None

    def since(at_ns: int | None) -> float | None:
        return None if at_ns is None or fault_ns is None else seconds(at_ns - fault_ns)

    return {
        "region": watch.region,
        "clients": list(watch.clients),
        "asked": watch.asked,
        "acknowledged": watch.acknowledged,
        "refused": watch.refused,
        "unknown": watch.unknown,
        "first_acknowledged_seconds": since(watch.first_acknowledged_ns),
        "last_acknowledged_seconds": since(watch.last_acknowledged_ns),
        "last_asked_seconds": since(watch.last_asked_ns),
    }


def _writer(watch: WritersWatch, server: int) -> str:
    return watch.places[server - 1] if watch.places else _address(server)
