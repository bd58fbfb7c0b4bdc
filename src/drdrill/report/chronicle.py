"""The journal's events in plain words, each at the moment at which it happened, not at which it was written down."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from drdrill.core.clock import NANOSECONDS
from drdrill.plan.duration import format_seconds
from drdrill.report.places import without_folders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from drdrill.record.journal import Event

_SHOWN_OF_HASH = 12
_NAMED = 6  # of what a fault struck
_LONG = frozenset({"sample", "doomed", "was"})  # of a fault's details: for programs


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened. `number` is the journal's of the event that tells of it."""

    at_ns: int
    utc: datetime
    actor: str
    text: str
    number: int
    grave: bool = False


def write_chronicle(events: Sequence[Event]) -> tuple[Entry, ...]:
    """Return what happened, in order. What the cloud announced is told once, though it is observed repeatedly."""
    entries: list[Entry] = []
    announced: set[tuple[int, str]] = set()
    for event in events:
        for at_ns, actor, text in _tell(event):
            if actor == "cloud":
                if (at_ns, text) in announced:
                    continue
                announced.add((at_ns, text))
            utc = datetime.fromisoformat(event.utc) - timedelta(microseconds=(event.at_ns - at_ns) // 1000)
            entries.append(Entry(at_ns, utc, actor, without_folders(text), event.seq, _is_grave(event)))
    return tuple(sorted(entries, key=lambda entry: (entry.at_ns, entry.number)))


def _is_grave(event: Event) -> bool:
    if event.kind in _RUNS and event.data.get("status") != 0:
        return True
    return event.kind in _GRAVE or event.data.get("effective") is False or event.data.get("holds") is False


_RUNS = frozenset({"failover_code.ended", "failover_command.ended", "runbook.finished"})
_GRAVE = frozenset({
    "fault.failed", "fault.heal_failed", "store.unprotected", "survivors.unreadable", "restore.unreadable",
    "drill.interrupted", "environment.failed", "system.unreadable",
})  # fmt: skip


def _tell(event: Event) -> Iterator[tuple[int, str, str]]:
    """Yield time, actor and text of what an event tells."""
    data = event.data
    if event.kind == "failover.observed":
        for one in data.get("events", ()):
            if one.get("at_ns") is not None:
                yield int(one["at_ns"]), "cloud", f"{one.get('message') or ''} ({one.get('code')})".strip()
        return
    tell = _SENTENCES.get(event.kind)
    text = tell(data) if tell else f"{event.kind}: {json.dumps(data, sort_keys=True)}"
    moment = {
        "fault.injected": "before_ns",
        "store.protected": "at_ns",
        "load.stopped": "at_ns",
        "operators.died": "at_ns",
    }
    at_ns = data.get(moment.get(event.kind, ""), event.at_ns)
    yield int(at_ns), event.actor, text


def words(identifier: str) -> str:
    """Return an identifier as words: `host_power_loss` is `host power loss`."""
    return identifier.replace("_", " ")


def _members(data: Mapping[str, Any]) -> str:
    told = [f"{one['role']} {one['host']} in {one['zone']}" for one in data.get("members", ())]
    protection = "protected" if data.get("protected") else "without a standby in sync"
    return f"{data.get('resource')} is {data.get('status')}, {protection}: {', '.join(told) or 'no member'}"


def _injected(data: Mapping[str, Any]) -> str:
    took = (int(data["after_ns"]) - int(data["before_ns"])) / NANOSECONDS
    details = ", ".join(
        told
        for name, value in sorted((data.get("details") or {}).items())
        if name not in _LONG and (told := _plain(value)) not in {"", data["resource"]}
    )
    return (
        f"FAULT: {words(data['kind'])} of {data['resource']}"
        f"{f' ({details})' if details else ''}, done within {format_seconds(took)}"
    )


def _plain(value: Any) -> str:
    """Return a fault's detail in words: of hosts the first names, of settings those that are set."""
    if isinstance(value, dict):
        if "host" in value:
            return str(value["host"])
        parts = [
            (words(str(name)), one) for name, one in value.items() if one is not None and one is not False
        ]
        return ", ".join(f"{name} {_plain(one)}" for name, one in parts)
    if isinstance(value, list):
        more = f" and {len(value) - _NAMED} more" if len(value) > _NAMED else ""
        return ", ".join(_plain(one) for one in value[:_NAMED]) + more
    return str(value)


def _observed(data: Mapping[str, Any]) -> str:
    seen = "the fault is effective" if data.get("effective") else "no effect of the fault is seen"
    return f"{data.get('observer')}: {seen}"


def _recovered(data: Mapping[str, Any]) -> str:
    if not data.get("recovered"):
        return "Users are not served again within the patience of this environment"
    return f"Users are seen served again, stably: after {format_seconds(data.get('outage_seconds'))}"


def _steady(data: Mapping[str, Any]) -> str:
    return "The steady state holds" if data.get("holds") else f"No steady state: {data.get('reason')}"


def _stopped(data: Mapping[str, Any]) -> str:
    failed = {name: status for name, status in (data.get("statuses") or {}).items() if status}
    return f"Users leave{f'; ended badly: {failed}' if failed else ''}"


def _restored(data: Mapping[str, Any]) -> str:
    to = "" if data.get("kind") == "snapshot" else f" and the log up to {data.get('until_utc')}"
    return f"{data.get('resource')} is restored from {data.get('base')}{to}"


def _ended(data: Mapping[str, Any], what: str = "failover code") -> str:
    status, took = data.get("status"), format_seconds(data.get("seconds"))
    if status == 0:
        return f"The {what} ended well after {took}"
    told = "was broken off" if status is None else f"FAILED with status {status}"
    return f"The {what} {told} after {took}{f': {said}' if (said := data.get('said')) else ''}"


def _run(data: Mapping[str, Any]) -> str:
    status, took = data.get("status"), format_seconds(data.get("seconds"))
    return (
        f"The runbook is done after {took}"
        if status == 0
        else f"The runbook ended with status {status} after {took}"
    )


def _died(data: Mapping[str, Any]) -> str:
    steps = ", ".join(words(str(step)) for step in data["under_way"])
    return (
        f"DEATH {data['number']} of the operators' machine, drawn: {data['drawn']}. {len(data['done'])} steps were "
        f"done, {f'under way: {steps}' if steps else 'none was under way'}; processes killed: {len(data['killed'])}"
    )


def _system(data: Mapping[str, Any]) -> str:
    """Return what each region carried, and where users were led."""
    told = [
        f"{name}: {sum(one['nodes'].values())} nodes and {sum(one['ready'].values())} pods are ready"
        if one["answers"]
        else f"{name}: no answer"
        for name, one in data["regions"].items()
    ]
    led = data["addresses"].values()
    way = f"leads to {len(led)} addresses, of which {sum(led)} answer" if led else "leads nowhere"
    return f"{'; '.join(told)}; {data['name']} {way}"


def _reconciled(data: Mapping[str, Any]) -> str:
    asked = f"Stores are asked whether {data['name']}"
    if data.get("problem"):
        return f"{asked}: that could not be asked: {data['problem']}"
    return f"{asked}: no, {len(data['wrong'])} times not" if data["wrong"] else f"{asked}: yes"


_SENTENCES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "drill.started": lambda d: f"The drill begins: {words(d['scenario'])}, seed {d.get('seed')}",
    "environment.starting": lambda d: f"The environment {d['environment']} comes up",
    "environment.started": lambda d: f"It is up after {format_seconds(d.get('seconds'))}",
    "environment.stopped": lambda d: (
        "The environment stays up" if d.get("standing") else "The environment is taken down"
    ),
    "environment.told": lambda d: f"Coming up: {d['line']}",
    "environment.failed": lambda d: f"The environment did not come up: {d.get('reason')}",
    "system.observed": _system,
    "system.unreadable": lambda d: f"Nobody could look at the whole system: {d.get('reason')}",
    "outage.observed": lambda d: (
        "Users are not served"
        if d.get("seen")
        else "Nobody saw users without service within the environment's patience"
    ),
    "runbook.started": lambda d: (
        f"The operators run {d['runbook']}; its gates: {d.get('gates')} ({d.get('why')})"
    ),
    "runbook.resumed": lambda d: f"The operators resume {d['runbook']} on a machine that lives",
    "runbook.finished": _run,
    "operators.doomed": lambda d: f"The operators' machine is to die: {'; '.join(d['drawn'])}",
    "operators.died": _died,
    "meanwhile.drawn": lambda d: (
        f"Drawn from the seed: {words(d['what'])} once the step {d['after']} is done"
    ),
    "meanwhile.began": lambda d: f"The step {d['after']} is done: {words(d['what'])}",
    "meanwhile.ended": lambda d: f"{words(d['what'])}: that was seen",
    "meanwhile.failed": lambda d: f"{words(d['what'])}: that failed: {d.get('reason')}",
    "reconciliation.observed": _reconciled,
    "store.said": lambda d: f"{d['resource']} is {d.get('status')}",
    "load.started": lambda d: f"{len(d['clients'])} clients begin to use the service",
    "load.stopped": _stopped,
    "steady_state.observed": _steady,
    "store.observed": _members,
    "fault.circumstance": lambda d: (
        f"{words(d['kind'])} of {d['resource']} is no fault by itself: it makes the next one worse"
    ),
    "environment.extended": lambda d: f"The company's {d['part']} added to its system",
    "fault.injecting": lambda d: f"About to inject: {words(d['kind'])}",
    "fault.injected": _injected,
    "fault.observed": _observed,
    "fault.failed": lambda d: f"The fault could not be injected: {d.get('reason')}",
    "fault.healing": lambda d: f"Healing {words(d['kind'])} of {d.get('resource')}",
    "fault.healed": lambda d: f"{d.get('resource')} is healed",
    "fault.heal_failed": lambda d: f"Healing failed: {d.get('reason')}",
    "damage.read": lambda d: f"The rows that the fault left are read ({d.get('source')})",
    "damage.unreadable": lambda d: f"The fault left nothing that can be read: {d.get('reason')}",
    "restore.observed": _restored,
    "restore.read": lambda d: f"Its rows are read ({d.get('source')})",
    "restore.removing": lambda _: "What was restored as a test is removed",
    "restore.unreadable": lambda d: f"Its rows cannot be read: {d.get('reason')}",
    "store.replaced": lambda d: f"Another database has the name {d['resource']}",
    "store.unreadable": lambda d: f"Nobody can look at {d['resource']} any more: {d.get('reason')}",
    "failover_code.started": lambda d: f"The operator runs `{' '.join(d['command'])}`",
    "failover_code.ended": _ended,
    "failover_command.started": lambda d: f"The operators run, in the runbook's place: {d['command']}",
    "failover_command.ended": partial(_ended, what="failover that was run"),
    "calls.recorded": lambda d: (
        f"What the operators called was recorded (sha256 {d['sha256'][:_SHOWN_OF_HASH]}…)"
    ),
    "calls.unrecorded": lambda d: f"What the operators called is not recorded: {d.get('reason')}",
    "recovery.observed": _recovered,
    "store.protected": lambda d: f"{d['resource']} has its redundancy back",
    "store.unprotected": lambda d: f"{d['resource']} did not get its redundancy back",
    "survivors.read": lambda d: (
        f"Survivors read back, reading {d['number']}: {d.get('source')} (sha256 {d['sha256'][:_SHOWN_OF_HASH]}…)"
    ),
    "survivors.unreadable": lambda d: f"Reading {d['number']} of the survivors failed: {d.get('reason')}",
    "drill.judged": lambda d: f"Judged: {d['verdict']}",
    "drill.interrupted": lambda d: f"Interrupted by {d.get('signal')}",
    "drill.ended": lambda d: f"The drill ends: {d.get('verdict')}",
}
