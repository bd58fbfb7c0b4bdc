"""The one sentence for those who read no further: what was broken, for how long, what was lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.plan.duration import format_exactness, format_seconds
from drdrill.report.chronicle import words
from drdrill.report.decision import describe_decision

if TYPE_CHECKING:
    from drdrill.report.account import Account


def write_headline(account: Account) -> str:
    """Return what happened, in measured figures only; what is not known is said to be so."""
    told = (f"{_outage(account)}{_services(account)}", _loss(account), describe_decision(account.verdict))
    return " ".join(filter(None, told))


def _services(account: Account) -> str:
    """Return how long the slowest of the other services that are judged was away."""
    services = account.verdict["services"] if account.facts.fault else []
    if not services:
        return ""
    unknown = [one["service"] for one in services if one["outage_seconds"] is None]
    if unknown:
        were = "were" if len(unknown) > 1 else "was"
        return f" How long {', '.join(unknown)} {were} away is not known."
    last = max(services, key=lambda one: one["outage_seconds"])
    told = f"{last['service']} was away longest, for {format_seconds(last['outage_seconds'])}"
    return f" Of the other services {told}." if len(services) > 1 else f" The other service, {told}."


def _outage(account: Account) -> str:
    fault, rta = account.facts.fault, account.verdict["rta"]
    service = account.scenario.service
    if fault is None:
        return "Nothing was broken: no fault was injected."
    what = f"After {words(fault.kind)} of {fault.resource}"
    if rta["outage_seconds"] is None:
        return (
            f"{what}, the clients that probe {service} were not all seen served again, stably: "
            f"last without service {format_seconds(rta['at_least_seconds'])} after the fault, or later."
        )
    if not rta["down_seconds"]:
        return f"{what}, no client that probes {service} was without service."
    exactness = f" (± {format_exactness(rta['resolution_seconds'])})" if rta["resolution_seconds"] else ""
    count = len(rta["cohorts"])
    told = f"{what}, {service} was away for {format_seconds(rta['outage_seconds'])}{exactness}, "
    return f"{told}as the slowest of {count} probing clients saw it.{_others(account)}"


def _others(account: Account) -> str:
    """Return how much longer another client waited, which does not decide."""
    rta = account.verdict["rta"]
    slower = [
        one
        for one in rta["other_clients"]
        if one["outage_seconds"] is not None and one["outage_seconds"] > rta["outage_seconds"]
    ]
    if not slower:
        return ""
    last = max(slower, key=lambda one: one["outage_seconds"])
    return f" Of the others {last['name']} waited longest: {format_seconds(last['outage_seconds'])}."


def _loss(account: Account) -> str:
    rpa = account.verdict["rpa"]
    if rpa["acknowledged_rows"] is None:
        return "Whether data was lost is not known."
    acknowledged = f"{rpa['acknowledged_rows']:,} acknowledged writes"
    if not rpa["lost_rows"]:
        return f"Of {acknowledged} none was lost."
    value = f"{rpa['lost_amount']} {rpa['currency']}"
    lost = f"{rpa['lost_rows']:,} {'was' if rpa['lost_rows'] == 1 else 'were'} lost"
    return f"Of {acknowledged} {lost}, worth {value}: {format_seconds(rpa['seconds'])} of data."
