"""What a recovery left of the whole system: what the recovery region carries, where users are led, and what they hear.

Read from the journal and from the log of those who read the status page. It must not know how the recovery was done:
these are looks at what is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drdrill.core.clock import NANOSECONDS
from drdrill.core.verdict import Verdict
from drdrill.measure.availability import thresholds_of
from drdrill.measure.capacity import SystemSeen, check_capacity, check_way, read_system
from drdrill.measure.meanwhile import was_drawn_to_end
from drdrill.measure.notices import STATUS_LOG, Notices, check_notices, find_notices, read_notices
from drdrill.measure.reason import Finding, Reason
from drdrill.plan.scenario import MirrorExtent
from drdrill.record.journal import read_journal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from drdrill.measure.facts import Fault
    from drdrill.measure.outage import Outage
    from drdrill.plan.model import Plan
    from drdrill.plan.scenario import Scenario
    from drdrill.record.directory import DrillDirectory
    from drdrill.record.journal import Event

_BEFORE, _AFTER = "before_fault", "after_recovery"
_SHOWN = 5  # of what is wrong; the whole of it is in the document


@dataclass(frozen=True, slots=True)
class Agreement:
    """One thing that stores are to agree on when users have left: what was wrong, and why it could not be asked.

    `across`: it is about more than one store.
    """

    name: str
    across: bool
    wrong: tuple[str, ...]
    problem: str


@dataclass(frozen=True, slots=True)
class SystemRecord:
    """All that is known of the whole system. None: nobody looked.

    `region`: the one that is to serve in the end. `unasked`: what was to agree, and nobody asked, by name; None: nobody
    began to ask. `stayed`: whether users were served on, stably, when that was last waited for. `return_ns`: when
    somebody began to give back any of what was lost; `returned_meanwhile`: that was the scenario's own doing while the
    runbook ran, and says nothing of who brought users back. `unheard`: users were to read a status page, and nothing
    says what they read.
    """

    region: str
    before: SystemSeen | None
    after: SystemSeen | None
    notices: Notices | None
    agreements: tuple[Agreement, ...]
    unasked: tuple[str, ...] | None
    stayed: bool | None
    return_ns: int | None = None
    unheard: bool = False
    returned_meanwhile: bool = False


def read_record(
    directory: DrillDirectory,
    plan: Plan,
    scenario: Scenario,
    fault: Fault | None,
    return_ns: int | None = None,
) -> SystemRecord | None:
    """Read what became of the whole system; None where only databases were up."""
    if scenario.mirror is not MirrorExtent.SYSTEM:
        return None
    events = read_journal(directory.journal_path)
    left = _of(events, "load.stopped")
    notices = None
    if fault is not None and left:
        log = directory.evidence / STATUS_LOG
        notices = read_notices(log, fault.before_ns, int(left[-1].data["at_ns"]))
    agreements = tuple(_agreement(one.data) for one in _of(events, "reconciliation.observed"))
    unheard = any(one.data.get("status_page") for one in _of(events, "load.started")) and notices is None
    begun = _of(events, "reconciliation.begun")
    asked = {one.name for one in agreements}
    recoveries = _of(events, "recovery.observed")
    regions = plan.regions
    return SystemRecord(
        region=(regions.recovery if scenario.fails_over else regions.primary).name,
        before=read_system(events, _BEFORE),
        after=read_system(events, _AFTER),
        notices=notices,
        agreements=agreements,
        unasked=tuple(str(one) for one in begun[-1].data["names"] if str(one) not in asked)
        if begun
        else None,
        stayed=recoveries[-1].data["recovered"] is True if recoveries else None,
        return_ns=return_ns,
        unheard=unheard,
        returned_meanwhile=fault is not None and was_drawn_to_end(events, fault.kind),
    )


def _of(events: Sequence[Event], kind: str) -> list[Event]:
    return [event for event in events if event.kind == kind]


def _agreement(data: Mapping[str, Any]) -> Agreement:
    wrong = tuple(str(line) for line in data["wrong"])
    return Agreement(str(data["name"]), data["across"] is True, wrong, str(data.get("problem") or ""))


def check_record(
    record: SystemRecord, plan: Plan, scenario: Scenario, outages: Mapping[str, Outage | None]
) -> Iterator[Reason]:
    """Demand that in the end the system is as large as it was, found by its users, who were told, and in agreement.

    `outages`: what users of each judged service had; where the recovery is a runbook, what was lost must not be it.
    """
    if scenario.fails_over and record.return_ns is not None and not record.returned_meanwhile:
        yield from _check_return(record.return_ns, outages)
    yield from check_capacity(record.before, record.after, plan.regions.primary.name, record.region)
    yield from check_way(record.before, record.after, moved=scenario.fails_over)
    if record.stayed is False:
        yield _judge_not_stayed(plan, scenario, outages.get(scenario.service))
    if scenario.fails_over and record.notices is not None:
        yield from check_notices(record.notices)
    if scenario.fails_over and record.unheard:
        text = "What the status page said is not known: users were to read it, and there is no log of that."
        yield Reason(Verdict.INCONCLUSIVE, "notices_not_read", text)
    yield from _check_agreements(record, scenario)


def _judge_not_stayed(plan: Plan, scenario: Scenario, outage: Outage | None) -> Reason:
    """Judge a wait in vain: a request that leaves later than it may take is too slow, whatever the service does."""
    text = "When it was last waited for, users were not served for the time that counts as stable."
    limit_ns = thresholds_of(plan.availability_of(scenario)).latency_ns
    late_ns = max((one.late_ns for one in outage.cohorts), default=0) if outage else 0
    if late_ns <= limit_ns:
        return Reason(Verdict.MISSED, "not_served_on", text)
    text += (
        f" They sent requests up to {late_ns / NANOSECONDS:.1f} s late themselves, and an answer may take "
        f"{limit_ns / NANOSECONDS:g} s: the drill's own machine was too busy to tell."
    )
    return Reason(Verdict.INCONCLUSIVE, "not_served_on", text)


def _check_return(return_ns: int, outages: Mapping[str, Outage | None]) -> Iterator[Reason]:
    for service, outage in outages.items():
        if outage is None or outage.outage_ns is None or outage.fault_ns + outage.outage_ns <= return_ns:
            continue
        yield Reason(
            Verdict.MISSED,
            "served_by_what_came_back",
            f"{service} was served again only after some of what was lost had come back: that is no recovery by the "
            "runbook.",
        )


def _check_agreements(record: SystemRecord, scenario: Scenario) -> Iterator[Reason]:
    if record.unasked is None:
        text = "Nobody asked what stores are to agree on when users have left."
        yield Reason(Verdict.INCONCLUSIVE, "agreement_not_known", text)
    for name in record.unasked or ():
        yield Reason(Verdict.INCONCLUSIVE, "agreement_not_known", f"Nobody asked whether {name}.")
    for one in record.agreements:
        if one.problem:
            text = f"Whether {one.name} could not be asked: {one.problem}"
            yield Reason(Verdict.INCONCLUSIVE, "agreement_not_known", text)
        elif one.wrong and not (one.across and scenario.fails_over):
            yield Reason(Verdict.MISSED, "stores_disagree", _describe(one))


def find_record(record: SystemRecord, plan: Plan, scenario: Scenario) -> Iterator[Finding]:
    """Yield what users were told, what copies disagree on, lost at different moments, and what is not known."""
    judged = [scenario.service, *scenario.services]
    stores = sorted({name for one in judged for name in plan.services[one].stores} - {scenario.store})
    if stores and scenario.fails_over:
        text = (
            f"Of {', '.join(stores)} the loss is not measured in time: only what stores disagree on is told."
        )
        yield Finding("loss_not_measured", text)
    if record.notices is not None:
        yield from find_notices(record.notices)
    for one in record.agreements:
        if one.wrong and one.across and scenario.fails_over:
            text = f"{_describe(one)} Each store lost what its own replication had not brought over."
            yield Finding("stores_disagree", text)


def _describe(one: Agreement) -> str:
    more = f" and {len(one.wrong) - _SHOWN} more" if len(one.wrong) > _SHOWN else ""
    return f"Not so in the end: {one.name}: {'; '.join(one.wrong[:_SHOWN])}{more}."
