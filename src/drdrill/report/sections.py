"""The tables of a drill's page as rows of plain words."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drdrill.core.clock import NANOSECONDS
from drdrill.plan.duration import format_seconds
from drdrill.report.chronicle import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drdrill.plan.model import RealDuration
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


def describe_proofs(account: Account) -> tuple[Proof, ...]:
    """Return what speaks for the drill itself, or against it."""
    return tuple(_proofs(account))


def _proofs(account: Account) -> Iterator[Proof]:
    facts = account.facts
    steady = facts.steady_state
    if steady is None:
        yield Proof("Was all well before the fault?", "nobody looked", failed=True)
    else:
        seen = "users were served and the store was protected" if steady.holds else steady.reason
        yield Proof("Was all well before the fault?", seen, failed=not steady.holds)
    yield _fault(account)
    if facts.effect is None:
        yield Proof("Did somebody else see its effect?", "nobody looked", failed=True)
    else:
        seen = f"{facts.effect.observer}: {'effective' if facts.effect.effective else 'no effect seen'}"
        yield Proof("Did somebody else see its effect?", seen, failed=not facts.effect.effective)
    yield _impact(account)
    clients = len(facts.clients)
    failed = sorted(name for name, status in facts.statuses.items() if status)
    seen = f"{clients} clients" + (f"; ended badly: {', '.join(failed)}" if failed else ", all to their end")
    yield Proof("Were users there?", seen if clients else "none", failed=not clients or bool(failed))
    lateness = [one["lateness_seconds"] for one in account.verdict["rta"]["cohorts"]]
    if lateness:
        limit = account.thresholds.lateness_ns / NANOSECONDS
        late = max(lateness)
        seen = f"at most {late * 1000:.0f} ms late; more than {limit * 1000:.0f} ms would leave it unknown"
        yield Proof("Did the probes leave on time?", seen, failed=late > limit)


def _fault(account: Account) -> Proof:
    asked, fault = "What was broken?", account.facts.fault
    if fault is None:
        return Proof(asked, account.facts.fault_failed or "nothing", failed=True)
    took = (fault.after_ns - fault.before_ns) / NANOSECONDS
    return Proof(asked, f"{words(fault.kind)} of {fault.resource}, within {format_seconds(took)}")


def _impact(account: Account) -> Proof:
    asked, impact = "Did users feel what the scenario declares?", account.scenario.impact
    down = account.verdict["rta"]["down_seconds"]
    if impact.none:
        return Proof(asked, f"declared: none; felt: {format_seconds(down)}", failed=bool(down))
    declared = impact.down_at_least.total_seconds() if impact.down_at_least else 0.0
    seen = f"declared: {impact.service} down for at least {format_seconds(declared)}; felt: {format_seconds(down)}"
    return Proof(asked, seen, failed=down is None or down < declared)


def describe_durations(account: Account) -> tuple[dict[str, str], ...]:
    """Return the stated durations in production of the steps on this scenario's critical path, and of re-protection."""
    wanted = [*account.scenario.critical_path]
    if account.scenario.re_protection is not None:
        wanted.append("re_protection")
    stated = account.plan.projection.durations
    return tuple(
        {
            "step": words(step),
            "distribution": _distribution(stated[step]) if step in stated else "not stated",
            "source": stated[step].source if step in stated else "",
        }
        for step in wanted
    )


def _distribution(duration: RealDuration) -> str:
    values = [
        f"{name} {format_seconds(value.total_seconds())}"
        for name in ("minimum", "typical", "maximum")
        if (value := getattr(duration, name, None)) is not None
    ]
    return f"{duration.distribution}: {', '.join(values)}"
