"""Restores as they stand in `verdict.json`: moments as UTC for people and as boot-time ns for programs."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from drdrill.measure.restore import Destroyed, RestoreProof


def render_restore(proof: RestoreProof) -> dict[str, Any]:
    """Return one restore with its proof; counts are null where its rows could not be compared."""
    restore, read = proof.restore, not proof.problem
    return {
        "resource": restore.resource,
        "source": restore.source,
        "kind": restore.kind.value,
        "base": restore.base,
        "base_utc": restore.base_utc,
        "from_ns": restore.from_ns,
        "until_ns": restore.until_ns,
        "until_utc": restore.until_utc,
        "bound_ns": restore.bound_ns,
        "asked_utc": restore.asked_utc or None,
        "latest_ns": restore.latest_ns,
        "latest_utc": restore.latest_utc or None,
        "last_segment": restore.last_segment or None,
        "open_segment": restore.open_segment or None,
        "server": str(ipaddress.IPv4Address(restore.server.address)),
        "serving_ns": proof.serving_ns,
        "problem": proof.problem or None,
        "expected_rows": proof.expected if read else None,
        "missing_rows": proof.missing if read else None,
        "later_rows": proof.later if read else None,
        "in_doubt_rows": proof.in_doubt if read else None,
        "altered_rows": proof.altered if read else None,
        "phantom_rows": proof.phantom if read else None,
        "examples": list(proof.examples),
    }


def render_destroyed(destroyed: Destroyed | None) -> dict[str, int] | None:
    """Return how many acknowledged rows a fault destroyed; None: it was not a fault of that kind."""
    if destroyed is None:
        return None
    return {"rows": destroyed.rows, "recovered": destroyed.recovered, "missing": destroyed.missing}
