"""What a recovery left of the whole system: what the recovery region carries, where users are led, and what they hear.

Read from the journal's events `system.observed` and from the log of those who read the status page. It must not know
how the recovery was done: these are looks at what is there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from drdrill.core.clock import NANOSECONDS
from drdrill.core.errors import DamagedRecordError
from drdrill.core.verdict import Verdict
from drdrill.measure.reason import Finding, Reason
from drdrill.plan.scenario import MirrorExtent
from drdrill.record.journal import read_journal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from drdrill.measure.facts import Fault
    from drdrill.plan.model import Plan
    from drdrill.plan.scenario import Scenario
    from drdrill.record.directory import DrillDirectory
    from drdrill.record.journal import Event

_BEFORE, _AFTER = "before_fault", "after_recovery"
_FOUND = 200
_SHOWN = 5  # of what is wrong; the whole of it is in the document
STATUS_LOG = "status-page.jsonl"


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a region carries: ready nodes in all, and ready pods of each deployment. `answers`: it could be asked."""

    answers: bool
    nodes: int
    pods: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class SystemSeen:
    """The system at a moment: what each region carries, and where the public name leads and whether it answers."""

    regions: Mapping[str, Capacity]
    name: str
    addresses: Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class Told:
    """When the status page said something else: boot-time ns, and the file with what it said."""

    at_ns: int
    file: str


@dataclass(frozen=True, slots=True)
class Notices:
    """What users were told after the fault. `longest_silence_ns`: between the fault, notices, and the end of it all."""

    told: tuple[Told, ...]
    first_ns: int | None
    longest_silence_ns: int


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
    """All that is known of the whole system. None: nobody looked; `region`: the one that is to serve in the end."""

    region: str
    before: SystemSeen | None
    after: SystemSeen | None
    notices: Notices | None
    agreements: tuple[Agreement, ...]


def read_record(
    directory: DrillDirectory, plan: Plan, scenario: Scenario, fault: Fault | None
) -> SystemRecord | None:
    """Read what became of the whole system; None where only databases were up."""
    if scenario.mirror is not MirrorExtent.SYSTEM:
        return None
    events = read_journal(directory.journal_path)
    left = [one for one in events if one.kind == "load.stopped"]
    notices = None
    if fault is not None and left:
        log = directory.evidence / STATUS_LOG
        notices = read_notices(log, fault.before_ns, int(left[-1].data["at_ns"]))
    regions = plan.regions
    return SystemRecord(
        (regions.recovery if scenario.runbook else regions.primary).name,
        read_system(events, _BEFORE),
        read_system(events, _AFTER),
        notices,
        tuple(_agreement(one.data) for one in events if one.kind == "reconciliation.observed"),
    )


def _agreement(data: Mapping[str, Any]) -> Agreement:
    wrong = tuple(str(line) for line in data["wrong"])
    return Agreement(str(data["name"]), data["across"] is True, wrong, str(data.get("problem") or ""))


def check_record(record: SystemRecord, plan: Plan, scenario: Scenario) -> Iterator[Reason]:
    """Demand that in the end the system is as large as it was, found by its users, who were told, and in agreement."""
    yield from check_capacity(record.before, record.after, plan.regions.primary.name, record.region)
    yield from check_way(record.after)
    if scenario.runbook is not None and record.notices is not None:
        yield from check_notices(record.notices)
    for one in record.agreements:
        if one.problem:
            text = f"Whether {one.name} could not be asked: {one.problem}"
            yield Reason(Verdict.INCONCLUSIVE, "agreement_not_known", text)
        elif one.wrong and not (one.across and scenario.runbook):
            yield Reason(Verdict.MISSED, "stores_disagree", _describe(one))


def find_record(record: SystemRecord, scenario: Scenario) -> Iterator[Finding]:
    """Yield what users were told, and what copies disagree on that were lost at different moments."""
    if record.notices is not None:
        yield from find_notices(record.notices)
    for one in record.agreements:
        if one.wrong and one.across and scenario.runbook:
            text = f"{_describe(one)} Each store lost what its own replication had not brought over."
            yield Finding("stores_disagree", text)


def _describe(one: Agreement) -> str:
    more = f" and {len(one.wrong) - _SHOWN} more" if len(one.wrong) > _SHOWN else ""
    return f"Not so in the end: {one.name}: {'; '.join(one.wrong[:_SHOWN])}{more}."


def read_system(events: Sequence[Event], moment: str) -> SystemSeen | None:
    """Return what was seen last of the system at a moment; None: nobody looked."""
    seen = [one.data for one in events if one.kind == "system.observed" and one.data["moment"] == moment]
    if not seen:
        return None
    regions = {str(name): _capacity(one) for name, one in seen[-1]["regions"].items()}
    addresses = {str(address): answers is True for address, answers in seen[-1]["addresses"].items()}
    return SystemSeen(regions, str(seen[-1]["name"]), addresses)


def _capacity(data: Mapping[str, Any]) -> Capacity:
    pods = {str(name): int(ready) for name, ready in data["ready"].items()}
    return Capacity(data["answers"] is True, sum(int(one) for one in data["nodes"].values()), pods)


def check_capacity(
    before: SystemSeen | None, after: SystemSeen | None, primary: str, recovery: str
) -> Iterator[Reason]:
    """Demand that the region that is to serve carries in the end what the primary region carried before the fault."""
    if before is None or after is None or primary not in before.regions or recovery not in after.regions:
        yield Reason(
            Verdict.INCONCLUSIVE,
            "capacity_not_known",
            f"Nobody saw what {recovery} carries in the end.",
        )
        return
    was, now = before.regions[primary], after.regions[recovery]
    if not now.answers:
        yield Reason(Verdict.MISSED, "capacity_missing", f"No cluster of {recovery} answers in the end.")
        return
    if now.nodes < was.nodes:
        yield Reason(
            Verdict.MISSED,
            "capacity_missing",
            f"{recovery} has {now.nodes} nodes in the end; {primary} had {was.nodes} before the fault: "
            "it was not scaled up in full.",
        )
    fewer = [
        f"{name.rpartition('/')[2]} {now.pods.get(name, 0)} of {count}"
        for name, count in sorted(was.pods.items())
        if now.pods.get(name, 0) < count
    ]
    if fewer:
        yield Reason(
            Verdict.MISSED,
            "capacity_missing",
            f"Fewer pods serve in {recovery} in the end than in {primary} before the fault: {', '.join(fewer)}.",
        )


def check_way(after: SystemSeen | None) -> Iterator[Reason]:
    """Demand that users are led somewhere in the end where somebody answers."""
    if after is None:
        return
    if not after.addresses:
        yield Reason(Verdict.MISSED, "led_nowhere", f"{after.name} leads nowhere in the end.")
    elif dead := sorted(address for address, answers in after.addresses.items() if not answers):
        yield Reason(
            Verdict.MISSED,
            "led_nowhere",
            f"{after.name} leads to {', '.join(dead)} in the end, where nobody answers: users are led "
            "to what is lost.",
        )


def read_notices(log: Path, fault_ns: int, until_ns: int) -> Notices | None:
    """Return what users were told between the fault and the end; None: nobody read the status page.

    Raises `DamagedRecordError` for a log that is not one. A line counts when the page said something else than before.
    """
    if not log.is_file():
        return None
    try:
        lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
        seen = [
            Told(int(one["at_ns"]), str(one["file"]))
            for one in lines
            if int(one["status"]) == _FOUND and fault_ns <= int(one["at_ns"]) <= until_ns
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedRecordError(f"{log}: not as drdrill stores it: {error!r}.") from error
    moments = [fault_ns, *(one.at_ns for one in seen), until_ns]
    silences = [later - earlier for earlier, later in pairwise(moments)]
    first_ns = seen[0].at_ns - fault_ns if seen else None
    return Notices(tuple(seen), first_ns, max(silences))


def check_notices(notices: Notices) -> Iterator[Reason]:
    """Demand that users were told anything at all."""
    if not notices.told:
        yield Reason(
            Verdict.MISSED,
            "users_not_told",
            "The status page never changed after the fault: users were not told.",
        )


def find_notices(notices: Notices) -> Iterator[Finding]:
    """Yield when users were told first, and for how long they heard nothing."""
    if notices.first_ns is not None:
        yield Finding(
            "users_told",
            f"Users were told {len(notices.told)} times, first {notices.first_ns / NANOSECONDS:.0f} s after the fault; "
            f"the longest silence was {notices.longest_silence_ns / NANOSECONDS:.0f} s.",
        )
