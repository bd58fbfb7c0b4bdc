"""The tables of a drill's page as rows of plain words."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drdrill.core.clock import NANOSECONDS
from drdrill.plan.duration import format_seconds
from drdrill.report.chronicle import words
from drdrill.report.places import without_folders

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from drdrill.report.account import Account


@dataclass(frozen=True, slots=True)
class Rows:
    """A number of rows and what it means. `bad`: it should be 0."""

    name: str
    number: int
    meaning: str
    bad: bool = False


@dataclass(frozen=True, slots=True)
class Proof:
    """A question about the drill itself, and what was seen."""

    asked: str
    seen: str
    failed: bool = False


_ROWS = (
    ("acknowledged", "acknowledged_rows", "the user was told that the write is done", False),
    ("lost", "lost_rows", "acknowledged, and not there afterwards", True),
    ("unknown", "unknown_rows", "the connection broke before the user was told", False),
    ("recovered unknown", "recovered_unknown_rows", "of the unknown: there afterwards", False),
    ("altered", "altered_rows", "there with another value", True),
    ("duplicated", "duplicated_rows", "there more than once", True),
    ("phantom", "phantom_rows", "there, and never attempted", True),
    ("contradicted", "contradicted_rows", "there, though the user was told that the write failed", True),
    ("reordered", "reordered_rows", "there in another order than acknowledged", False),
)


def describe_rows(account: Account) -> tuple[Rows, ...]:
    """Return the counts of the comparison; empty: rows were not compared."""
    rpa = account.verdict["rpa"]
    if rpa["acknowledged_rows"] is None:
        return ()
    value = f" ({rpa['lost_amount']} {rpa['currency']})" if rpa["lost_rows"] else ""
    return tuple(
        Rows(name, rpa[key], meaning + (value if key == "lost_rows" else ""), bad)
        for name, key, meaning, bad in _ROWS
    )


def describe_writers(account: Account) -> str:
    """Return the servers that acknowledged writes, in order, by address and host."""
    names = {str(ipaddress.IPv4Address(address)): host for address, host in account.servers.items()}
    writers = account.verdict["writers"] or {"servers": []}
    return ", then ".join(f"{names[one]} ({one})" if one in names else str(one) for one in writers["servers"])


def describe_watchers(account: Account) -> tuple[tuple[str, str], ...]:
    """Return what each region's watcher was told: its region, and the counts with the first and last moment."""
    return tuple((one["region"], _describe_watch(one)) for one in account.verdict["watchers"])


def _describe_watch(watch: Mapping[str, Any]) -> str:
    told = f"{watch['acknowledged']} of {watch['asked']} writes acknowledged"
    if watch["first_acknowledged_seconds"] is not None:
        first, last = watch["first_acknowledged_seconds"], watch["last_acknowledged_seconds"]
        told += f", the first {first:+.2f} s and the last {last:+.2f} s from the fault"
    return f"{told}; {watch['refused']} refused, {watch['unknown']} not known"


def describe_explained(account: Account) -> str:
    """Return what the changes of the writer that are explained are explained by."""
    if account.clientele.zones:
        moved_by = "the failover that was run" if account.facts.command else "the runbook"
        return f"what moved users between regions: {moved_by}, or the cloud"
    if account.facts.failovers:
        return "the promotions that the cloud reports"
    return "assumption: the cloud was not asked for its promotions"


def describe_services(account: Account) -> tuple[dict[str, Any], ...]:
    """Return the services that are judged besides: each with its tier, its objective and what was measured."""
    return tuple(
        {
            **one,
            "away": _describe_away(one),
            "tier": account.plan.services[one["service"]].tier,
            "objective": next(
                rto for rto in account.verdict["objectives"]
                if rto["kind"] == "rto" and rto["subject"] == one["service"]
            ) if account.verdict["objectives"] else None,
        }
        for one in account.verdict["services"]
    )  # fmt: skip


def _describe_away(service: Mapping[str, Any]) -> str:
    if not service["probed"]:
        return "not probed"
    if service["outage_seconds"] is None:
        return f"at least {format_seconds(service['at_least_seconds'])}"
    return format_seconds(service["outage_seconds"])


def describe_looks(account: Account) -> tuple[dict[str, str], ...]:
    """Return how the store was seen before the fault and at last."""
    looks = account.find("store.observed")
    chosen = {look.get("moment"): look for look in looks}
    return tuple(
        {
            "moment": words(str(moment)),
            "text": f"{look['status']}: "
            + ", ".join(f"{one['role']} {one['host']} in {one['zone']}" for one in look.get("members", ())),
        }
        for moment, look in chosen.items()
    )


def describe_swept(account: Account) -> tuple[dict[str, str], ...]:
    """Return the figures of the swept RPA; empty: nothing was swept."""
    swept = account.verdict.get("swept")
    if swept is None:
        return ()
    median, p99, worst = (
        "unbounded" if swept[key] is None else format_seconds(swept[key])
        for key in ("median_seconds", "p99_seconds", "worst_seconds")
    )
    if swept["resolution_seconds"]:
        median += (
            f"; really up to {format_seconds(swept['resolution_seconds'])} less, as positions are sampled"
        )
    known = swept["worst_known"]
    if known is not None and known["seconds"]:
        at = f"{account.seconds(known['until_ns']):+.2f}\N{NO-BREAK SPACE}s"
        highest = (
            ""
            if swept["worst_seconds"] is not None
            else f"; where it is bounded, {format_seconds(known['seconds'])}"
        )
        worst += f"{highest}: {known['rows']:,} acknowledged writes, at {at}"
    rows = [
        {"name": "median over the time", "text": median},
        {"name": "99th percentile", "text": p99},
        {"name": "worst", "text": worst},
    ]
    unknown, served = swept["unknown_seconds"], swept["served_seconds"]
    share = f"{format_seconds(unknown)} of the {format_seconds(served)} in which a primary served"
    why = ": no standby followed, or nobody could see how far it was" if unknown else ""
    rows.append({"name": "unbounded for", "text": share + why})
    drilled = swept["drilled"]
    if drilled is not None:
        least, most = format_seconds(drilled["at_least_seconds"]), format_seconds(drilled["at_most_seconds"])
        expected = f"{least} to {most} by positions" if drilled["at_most_seconds"] else "nothing by positions"
        rows.append({"name": "at the fault itself", "text": f"{expected}; {_compare(drilled)}"})
    return tuple(rows)


def _compare(drilled: Mapping[str, Any]) -> str:
    if drilled["measured_seconds"] is None:
        return "no standby took over, so there is no loss to compare with"
    agrees = "which agrees" if drilled["agrees"] else "which does NOT agree"
    return f"{format_seconds(drilled['measured_seconds'])} by the rows, {agrees}"


def describe_proofs(account: Account) -> tuple[Proof, ...]:
    """Return what speaks for the drill itself, or against it."""
    return tuple(_proofs(account))


def _proofs(account: Account) -> Iterator[Proof]:
    """Yield what was asked of the drill; a row is bad where the verdict has a reason to call it so."""
    facts = account.facts
    seen = "nobody looked"
    if facts.steady_state is not None:
        holds = facts.steady_state.holds
        why = without_folders(facts.steady_state.reason)
        seen = "users were served and the store was protected" if holds else why
    yield Proof("Was all well before the fault?", seen, failed=account.blamed("no_steady_state"))
    yield _fault(account)
    seen = "nobody looked"
    if facts.effect is not None:
        seen = f"{facts.effect.observer}: {'effective' if facts.effect.effective else 'no effect seen'}"
    unseen = account.blamed("no_fault", "fault_failed", "fault_not_observed", "fault_not_effective")
    yield Proof("Did somebody else see its effect?", seen, failed=unseen)
    yield _impact(account)
    yield _users(account)
    lateness = [one["lateness_seconds"] for one in account.verdict["rta"]["cohorts"]]
    if lateness:
        limit = account.thresholds.lateness_ns / NANOSECONDS
        seen = f"at most {max(lateness) * 1000:.0f} ms late; {limit * 1000:.0f} ms are allowed"
        yield Proof("Did the probes leave on time?", seen, failed=account.blamed("prober_late"))


def _users(account: Account) -> Proof:
    clients, statuses = len(account.clients), account.facts.statuses
    failed = sorted(name for name, status in statuses.items() if status)
    if not clients:
        seen = "none"
    elif not statuses:
        seen = f"{clients} clients; how they ended is not known"
    else:
        seen = f"{clients} clients" + (
            f"; ended badly: {', '.join(failed)}" if failed else ", all to their end"
        )
    bad = not statuses or bool(failed) or account.blamed("load_not_running")
    return Proof("Were users there?", seen, failed=bad)


def _fault(account: Account) -> Proof:
    asked, fault = "What was broken?", account.facts.fault
    if fault is None:
        return Proof(asked, without_folders(account.facts.fault_failed or "nothing"), failed=True)
    took = (fault.after_ns - fault.before_ns) / NANOSECONDS
    return Proof(asked, f"{words(fault.kind)} of {fault.resource}, within {format_seconds(took)}")


def _impact(account: Account) -> Proof:
    asked, impact = "Did users feel what the scenario declares?", account.scenario.impact
    down = format_seconds(account.verdict["rta"]["down_seconds"])
    failed = account.blamed("impact_not_shown", "impact_shown", "another_service")
    if impact.none:
        return Proof(asked, f"declared: none; felt: {down}", failed=failed)
    declared = impact.down_at_least.total_seconds() if impact.down_at_least else 0.0
    seen = f"declared: {impact.service} down for at least {format_seconds(declared)}; felt: {down}"
    return Proof(asked, seen, failed=failed)
