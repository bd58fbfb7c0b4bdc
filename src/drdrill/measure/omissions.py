"""What a failover never did, and what it asked in vain: from its calls, and from what was seen of the system besides.

Where nobody is to fail over, nothing that was not done is an omission.

All of it is told and none of it judged: a failover may do its work in ways that nobody thought of, and is judged by
what users saw. So what came about by other means counts as done.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from drdrill.core.clock import NANOSECONDS
from drdrill.measure.call_record import OK, UNANSWERED, Call, measure_waiting
from drdrill.measure.reason import Finding, count_times
from drdrill.plan.duration import format_seconds

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from drdrill.measure.call_record import CallRecord, Connection, Database
    from drdrill.measure.system import SystemRecord
    from drdrill.plan.model import Plan

# What asks for machines, what tells people, what changes a name: by services as signatures name them.
_SCALING = frozenset(
    {
        ("eks", "UpdateNodegroupConfig"), ("eks", "CreateNodegroup"), ("eks", "CreateCluster"),
        ("autoscaling", "SetDesiredCapacity"), ("autoscaling", "UpdateAutoScalingGroup"),
        ("autoscaling", "CreateAutoScalingGroup"), ("ec2", "RunInstances"), ("ec2", "CreateFleet"),
    }
)  # fmt: skip
_TELLING = frozenset(
    {
        ("s3", "PutObject"), ("s3", "CopyObject"), ("s3", "CompleteMultipartUpload"), ("sns", "Publish"),
        ("sns", "PublishBatch"), ("ses", "SendEmail"), ("ses", "SendRawEmail"),
    }
)  # fmt: skip
_NAMING = frozenset({("route53", "ChangeResourceRecordSets")})
_PROMOTING = frozenset({("rds", "PromoteReadReplica")})
_SHOWN = 5


def find_calls(
    record: CallRecord, plan: Plan, system: SystemRecord | None, *, fails_over: bool
) -> Iterator[Finding]:
    """Yield what a failover asked in vain, and where somebody is to fail over, what it never did.

    `system`: what was seen besides; None: nothing.
    """
    if record.problem:
        yield Finding("calls_not_known", f"What the failover called is not known: {record.problem}.")
        return
    if record.unwatched:
        text = f"Calls that nobody answered are not known: connections could not be watched ({record.unwatched})."
        yield Finding("calls_not_known", text)
    yield from _find_unanswered(record)
    yield from _find_refused_names(_select(record.calls, _NAMING))
    if not record.complete:
        lacks = "what it never did is" if fails_over else "its last calls are"
        text = f"The record of the failover's calls was not kept to its end: {lacks} not known."
        yield Finding("calls_not_known", text)
        return
    if not fails_over:
        return
    yield from _find_copies(record, plan)
    yield from _find_capacity(_select(record.calls, _SCALING), plan, system)
    yield from _find_name(_select(record.calls, _NAMING), system)
    yield from _find_notice(_select(record.calls, _TELLING), system)


def _select(calls: Sequence[Call], operations: Collection[tuple[str, str]]) -> list[Call]:
    return [one for one in calls if (one.service, one.operation) in operations]


def _find_unanswered(record: CallRecord) -> Iterator[Finding]:
    attempts: tuple[Call | Connection, ...] = (*record.connections, *record.calls)
    unanswered = [one for one in attempts if one.outcome == UNANSWERED]
    for region in dict.fromkeys(one.region for one in unanswered):
        here = [one for one in unanswered if one.region == region]
        asked = Counter(map(_name_asked, here))
        told = _list([f"{what} {count_times(count)}" for what, count in asked.items()])
        waited = format_seconds(measure_waiting(here) / NANOSECONDS)
        where = f"in {region}" if region else "in no region"
        yield Finding(
            "called_in_vain",
            f"The failover called what does not answer {where}: {told}. It waited {waited} for that.",
        )


def _name_asked(one: Call | Connection) -> str:
    return f"{one.service} {one.operation if isinstance(one, Call) else one.name}".strip()


def _find_refused_names(changes: Sequence[Call]) -> Iterator[Finding]:
    refused = [one for one in changes if one.outcome not in (OK, UNANSWERED)]
    if refused:
        why = dict.fromkeys(f"{one.outcome}: {one.said}" if one.said else one.outcome for one in refused)
        told = _list([one.rstrip(".") for one in why])
        text = f"Route 53 refused {len(refused)} of the {len(changes)} changes that the failover asked for: {told}."
        yield Finding("name_refused", text)


def _find_copies(record: CallRecord, plan: Plan) -> Iterator[Finding]:
    """Yield which copies of the plan's stores were left as they were."""
    stores = {one.resource: name for name, one in plan.stores.items() if one.replicated}
    there = plan.regions.recovery.name
    copies = {
        one.id: (stores[source], one)
        for one in record.before or ()
        if one.region == there and (source := _name_source(one, plan.regions.primary.name)) in stores
    }
    asked = _select(record.calls, _PROMOTING)
    still = None if record.after is None else {one.id for one in record.after if one.source is not None}
    left = []
    for store, copy in copies.values():
        calls = [one for one in asked if _is_about(one, copy)]
        promoted = any(one.outcome == OK for one in calls) or (still is not None and copy.id not in still)
        if not promoted:
            codes = _list_failures(calls)
            how = f"promoting {copy.identifier} failed with {codes}" if codes else "nobody asked for it"
            left.append(f"that of {store} was not ({copy.identifier}: {how})")
    if left:
        done = len(copies) - len(left)
        were = f"{done} of {len(copies)} {'was' if done == 1 else 'were'} promoted"
        text = f"Of the plan's stores with a copy in {there}, {were}: {_list(left)}."
        yield Finding("copy_not_promoted", text)


def _name_source(database: Database, region: str) -> str:
    """Return which database of a region this one is a copy of, by the ARN's last part; `` if of none there."""
    parts = (database.source or "").split(":")
    return parts[-1] if region in parts else ""


def _is_about(call: Call, database: Database) -> bool:
    named = call.target.get("DBInstanceIdentifier", "").rpartition(":")[2]
    return call.region == database.region and named.lower() == database.identifier.lower()


def _find_capacity(asked: Sequence[Call], plan: Plan, system: SystemRecord | None) -> Iterator[Finding]:
    there, here = plan.regions.recovery.name, plan.regions.primary.name
    calls = [one for one in asked if one.region == there]
    if any(one.outcome == OK for one in calls):
        return
    seen = ""
    if system is not None and system.before is not None:
        was, wanted = (
            system.before.regions[name].nodes if name in system.before.regions else 0
            for name in (there, here)
        )
        now = system.after.regions[there].nodes if system.after and there in system.after.regions else None
        if was >= wanted > 0 or (now is not None and now > was):
            return
        seen = (
            "" if now is None else f" It has {_nodes(now)} in the end; {here} had {wanted} before the fault."
        )
    codes = _list_failures(calls)
    if codes:
        text = f"Capacity was asked for in {there}, and every call for it failed: {codes}."
    else:
        elsewhere = ", ".join(dict.fromkeys(one.region for one in asked))
        text = f"Capacity was never asked for in {there}{f', only in {elsewhere}' if elsewhere else ''}."
    yield Finding("capacity_not_asked", text + seen)


def _find_name(changes: Sequence[Call], system: SystemRecord | None) -> Iterator[Finding]:
    if any(one.outcome == OK for one in changes):
        return
    before, after = (system.before, system.after) if system is not None else (None, None)
    if before is not None and after is not None:
        if set(before.addresses) != set(after.addresses):
            return
        seen = f"{after.name} leads where it led before the fault"
    else:
        seen = "where users were led in the end nobody saw"
    yield Finding(
        "name_not_changed", f"No name was changed: Route 53 made no change for the failover, and {seen}."
    )


def _find_notice(sent: Sequence[Call], system: SystemRecord | None) -> Iterator[Finding]:
    notices = system.notices if system is not None else None
    if notices is not None and notices.told:
        return
    done = list(dict.fromkeys(f"{one.operation} {one.thing}".strip() for one in sent if one.outcome == OK))
    if notices is not None:
        calls = (
            f"although the failover called {_list(done)}" if done else "and no call wrote or sent anything"
        )
        text = f"Users were never told: the status page did not change after the fault, {calls}."
    elif not done:
        text = "Users were not told by any call: none wrote an object or sent a message. Nobody read a status page."
    else:
        return
    yield Finding("users_never_told", text)


def _list_failures(calls: Sequence[Call]) -> str:
    return ", ".join(
        dict.fromkeys("no answer" if one.outcome == UNANSWERED else one.outcome for one in calls)
    )


def _nodes(count: int) -> str:
    return "1 node" if count == 1 else f"{count} nodes"


def _list(parts: Sequence[str]) -> str:
    more = len(parts) - _SHOWN
    return "; ".join(parts[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
