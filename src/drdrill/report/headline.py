"""The one sentence for those who read no further: what was broken, for how long, what was lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.plan.duration import format_seconds
from drdrill.report.chronicle import words

if TYPE_CHECKING:
    from drdrill.report.account import Account


def write_headline(account: Account) -> str:
    """Return what happened, in measured figures only; what is not known is said to be so."""
    return f"{_outage(account)} {_loss(account)}"


def _outage(account: Account) -> str:
    fault, rta = account.facts.fault, account.verdict["rta"]
    service = account.scenario.service
    if fault is None:
        return "Nothing was broken: no fault was injected."
    what = f"After {words(fault.kind)} of {fault.resource}"
    if rta["outage_seconds"] is None:
        return (
            f"{what}, users of {service} were not seen served again: "
            f"at least {format_seconds(rta['at_least_seconds'])} without service."
        )
    if not rta["down_seconds"]:
        return f"{what}, users of {service} felt nothing."
    return f"{what}, users of {service} were without service for {format_seconds(rta['outage_seconds'])} at most."


def _loss(account: Account) -> str:
    rpa = account.verdict["rpa"]
    if rpa["acknowledged_rows"] is None:
        return "Whether data was lost is not known."
    acknowledged = f"{rpa['acknowledged_rows']:,} acknowledged writes"
    if not rpa["lost_rows"]:
        return f"Of {acknowledged} none was lost."
    value = f"{rpa['lost_amount']} {rpa['currency']}"
    return f"Of {acknowledged} {rpa['lost_rows']:,} were lost, worth {value}: {format_seconds(rpa['seconds'])} of data."
