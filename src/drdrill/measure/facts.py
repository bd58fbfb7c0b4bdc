"""What the journal and `drill.json` say, as values: the edge where stored JSON becomes types.

Knows the kinds of events and no verdict. A missing event is None here; what that means is judged elsewhere.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

from drdrill.core.errors import DamagedRecordError
from drdrill.measure.clientele import read_loads
from drdrill.measure.failover_command import read_command
from drdrill.measure.restore_facts import read_restores
from drdrill.record.directory import read_json
from drdrill.record.journal import read_journal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from drdrill.measure.clientele import Load
    from drdrill.measure.failover_command import CommandRecord
    from drdrill.measure.restore_facts import Restore
    from drdrill.record.directory import DrillDirectory
    from drdrill.record.journal import Event


Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class About:
    """What was drilled, from `drill.json`. `budget`: the mirror's own, seconds by figure."""

    scenario: str
    environment: str
    seed: int
    boot_id: str
    budget: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Fault:
    """The injected fault and the moments between which it took effect."""

    kind: str
    resource: str
    before_ns: int
    after_ns: int


@dataclass(frozen=True, slots=True)
class Effect:
    """What an observer other than the injector saw of a fault, and when it was written down."""

    kind: str
    resource: str
    effective: bool
    observer: str
    at_ns: int


@dataclass(frozen=True, slots=True)
class Circumstance:
    """A fault that was injected to make the judged one worse. `healing_ns`: when somebody began to mend it, if ever."""

    fault: Fault
    effect: Effect | None
    healing_ns: int | None


@dataclass(frozen=True, slots=True)
class SteadyState:
    """Whether all was well before the fault, and if not, why."""

    holds: bool
    reason: str
    at_ns: int


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of the survivors: its file and hash, or the reason why there is none."""

    number: int
    at_ns: int
    path: Path | None
    sha256: str
    unreadable: str


@dataclass(frozen=True, slots=True)
class Failover:
    """The role changes of one resource that the cloud reports, and what it announced (text, boot-time ns).

    `moves`: how often another database took its name; None: the drill was made before that was noted.
    """

    resource: str
    promotions: int
    moves: int | None
    announced_ns: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Redundancy:
    """When a store was protected again, or (`protected` false) for how long that was waited for in vain."""

    resource: str
    protected: bool
    at_ns: int
    resolution_ns: int


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that the journal says of one drill. `primaries`: addresses by resource before the fault.

    `addresses`: those of all hosts that were seen to hold a store, by the host's name; `zones`: where they stand, by
    address; `all_primaries`: all that were ever seen to be a resource's primary.

    `serving`: by resource, the host of the primary that was seen last after the fault.

    `fault_failed`: why injecting failed; `failed_later`: what failed after the injection, such as healing.
    `damage`: what was left right after a fault that destroys rows; None: the fault was not of that kind.
    `command`: what was run in the runbook's place; None: nothing was.
    `healing_ns`: when somebody began to mend what the fault broke; `return_ns`: when the first of that, and of what was
    broken beside it; None: nobody did.
    """

    boot_ids: frozenset[str]
    service: str | None
    clock_went_back: bool
    interrupted: str | None
    broken: str | None
    clients: tuple[str, ...]
    statuses: Mapping[str, int]
    load_stopped_ns: int | None
    steady_state: SteadyState | None
    fault: Fault | None
    fault_failed: str | None
    failed_later: str | None
    effect: Effect | None
    primaries: Mapping[str, int]
    addresses: Mapping[str, int]
    serving: Mapping[str, str]
    circumstances: tuple[Circumstance, ...]
    failovers: tuple[Failover, ...]
    redundancy: tuple[Redundancy, ...]
    readings: tuple[Reading, ...]
    damage: Reading | None = None
    restores: tuple[Restore, ...] = ()
    loads: tuple[Load, ...] = ()
    zones: Mapping[int, str] = field(default_factory=dict)
    all_primaries: Mapping[str, frozenset[int]] = field(default_factory=dict)
    command: CommandRecord | None = None
    healing_ns: int | None = None
    return_ns: int | None = None


def read_about(directory: DrillDirectory) -> About:
    """Read `drill.json`; raises `DamagedRecordError` that names what is missing."""
    content = read_json(directory.about_path)
    try:
        return About(
            scenario=str(content["scenario"]),
            environment=str(content["environment"]),
            seed=int(content["seed"]),
            boot_id=str(content["boot_id"]),
            budget={name: float(seconds) for name, seconds in (content.get("budget") or {}).items()},
        )
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise DamagedRecordError(f"{directory.about_path}: not as drdrill stores it: {error!r}.") from error


def read_facts(directory: DrillDirectory) -> Facts:
    """Read the journal; raises `DamagedRecordError` when it is altered or an event lacks something."""
    events = read_journal(directory.journal_path)
    try:
        return _facts(events, directory)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise DamagedRecordError(
            f"{directory.journal_path}: an event lacks something or is not as drdrill stores it: {error!r}."
        ) from error


def _facts(events: Sequence[Event], directory: DrillDirectory) -> Facts:
    declared = {(one.data["kind"], one.data["resource"]) for one in _of(events, "fault.circumstance")}
    all_injected = list(_of(events, "fault.injected"))
    worse = [one for one in all_injected if (one.data["kind"], one.data["resource"]) in declared]
    injected = next((one for one in all_injected if one not in worse), None)
    fault = _fault(injected.data) if injected else None
    steady = [
        SteadyState(bool(event.data["holds"]), str(event.data.get("reason") or ""), event.at_ns)
        for event in _of(events, "steady_state.observed")
        if fault is None or event.at_ns <= fault.before_ns
    ]
    started = next(_of(events, "drill.started"), None)
    stopped = _last(_of(events, "load.stopped"))
    failed = list(_of(events, "fault.failed", "fault.heal_failed"))
    early = [e for e in failed if e.kind == "fault.failed" and (injected is None or e.seq < injected.seq)]
    later = [event for event in failed if event not in early]
    interrupted = _last(_of(events, "drill.interrupted"))
    return Facts(
        boot_ids=frozenset(str(event.data["boot_id"]) for event in events if event.data.get("boot_id")),
        service=str(started.data["service"]) if started and started.data.get("service") else None,
        clock_went_back=any(later.at_ns < earlier.at_ns for earlier, later in pairwise(events)),
        interrupted=str(interrupted.data.get("signal")) if interrupted else None,
        broken=_broken(events),
        clients=tuple(str(name) for event in _of(events, "load.started") for name in event.data["clients"]),
        statuses={name: int(status) for name, status in stopped.data["statuses"].items()} if stopped else {},
        load_stopped_ns=int(stopped.data["at_ns"]) if stopped else None,
        steady_state=steady[-1] if steady else None,
        fault=fault,
        fault_failed=str(early[-1].data.get("reason")) if early else None,
        failed_later=str(later[-1].data.get("reason")) if later else None,
        effect=_effect_of(fault, events),
        primaries=_primaries(events),
        addresses={str(member["host"]): _address(member) for _, member in _members(events)},
        serving=_serving(events),
        circumstances=tuple(_circumstance(_fault(event.data), events) for event in worse),
        failovers=tuple(_failover(event) for event in _of(events, "failover.observed")),
        redundancy=tuple(_redundancy(events)),
        readings=tuple(_readings(events, directory, "survivors")),
        damage=_last(_readings(events, directory, "damage")),
        restores=read_restores(events, tuple(_readings(events, directory, "restore"))),
        loads=read_loads(events),
        zones={_address(member): str(member["zone"]) for _, member in _members(events) if "zone" in member},
        all_primaries=_all_primaries(events),
        command=read_command(events),
        healing_ns=_find_healing(fault, events) if fault else None,
        return_ns=_find_return(fault, events, declared) if fault else None,
    )


def _broken(events: Sequence[Event]) -> str | None:
    """Return which step of the scenario failed before anything was judged, and why; None: none did."""
    for event in events:
        if event.kind == "drill.judged":
            break
        if event.kind == "step.failed" and event.data.get("of") == "scenario":
            return f"`{event.data['step']}`: {event.data.get('reason')}"
    return None


def _of(events: Sequence[Event], *kinds: str) -> Iterator[Event]:
    return (event for event in events if event.kind in kinds)


def _last(things: Iterator[Thing]) -> Thing | None:
    last = None
    for thing in things:
        last = thing
    return last


def _fault(data: Mapping[str, Any]) -> Fault:
    return Fault(str(data["kind"]), str(data["resource"]), int(data["before_ns"]), int(data["after_ns"]))


def _effect_of(fault: Fault | None, events: Sequence[Event]) -> Effect | None:
    """Return the observation that saw the fault be effective; where none did, the last one made."""
    seen = [
        _effect(event)
        for event in _of(events, "fault.observed")
        if fault is None or event.at_ns >= fault.before_ns
    ]
    proofs = (
        one
        for one in seen
        if fault and one.effective and (one.kind, one.resource) == (fault.kind, fault.resource)
    )
    return next(proofs, seen[-1] if seen else None)


def _circumstance(fault: Fault, events: Sequence[Event]) -> Circumstance:
    return Circumstance(fault, _effect_of(fault, events), _find_healing(fault, events))


def _find_healing(fault: Fault, events: Sequence[Event]) -> int | None:
    healing = (
        event.at_ns
        for event in _of(events, "fault.healing")
        if (event.data["kind"], event.data["resource"]) == (fault.kind, fault.resource)
        and event.at_ns >= fault.after_ns
    )
    return next(healing, None)


def _find_return(fault: Fault, events: Sequence[Event], circumstances: set[tuple[str, str]]) -> int | None:
    """Return when the first of what was broken came back: of the fault, and of what was broken after it beside it."""
    beside = (event for event in _of(events, "fault.injected") if event.at_ns >= fault.after_ns)
    broken = {(fault.kind, fault.resource), *((one.data["kind"], one.data["resource"]) for one in beside)}
    broken -= circumstances
    returned = (
        event.at_ns
        for event in _of(events, "fault.healing")
        if event.at_ns >= fault.after_ns and (event.data["kind"], event.data["resource"]) in broken
    )
    return next(returned, None)


def _effect(event: Event) -> Effect:
    data = event.data
    return Effect(
        kind=str(data["kind"]),
        resource=str(data["resource"]),
        effective=data["effective"] is True,
        observer=str(data.get("observer") or ""),
        at_ns=event.at_ns,
    )


def _members(events: Sequence[Event]) -> Iterator[tuple[Event, Mapping[str, Any]]]:
    """Yield every host that was seen to hold a store, with the event that says so."""
    for event in _of(events, "store.observed"):
        for member in event.data.get("members", ()):
            yield event, member


def _address(member: Mapping[str, Any]) -> int:
    return int(ipaddress.IPv4Address(member["address"]))


def _all_primaries(events: Sequence[Event]) -> dict[str, frozenset[int]]:
    found: dict[str, frozenset[int]] = {}
    for event, member in _members(events):
        if member["role"] == "primary":
            resource = str(event.data["resource"])
            found[resource] = found.get(resource, frozenset()) | {_address(member)}
    return found


def _primaries(events: Sequence[Event]) -> dict[str, int]:
    """Return the address, as an integer, of each resource's primary as it was seen last before the fault."""
    return {
        str(event.data["resource"]): _address(member)
        for event, member in _members(events)
        if event.data.get("moment") == "before_fault" and member["role"] == "primary"
    }


def _serving(events: Sequence[Event]) -> dict[str, str]:
    """Return the host of each resource's primary as it was seen last after the fault."""
    return {
        str(event.data["resource"]): str(member["host"])
        for event in _of(events, "store.observed")
        if event.data.get("moment") == "after_fault"
        for member in reversed(event.data.get("members", ()))  # the first one serves
        if member["role"] == "primary"
    }


def _failover(event: Event) -> Failover:
    announced = tuple(
        (str(one.get("message") or one.get("code") or ""), int(one["at_ns"]))
        for one in event.data.get("events", ())
        if one.get("at_ns") is not None
    )
    moves = event.data.get("moves")
    return Failover(
        resource=str(event.data["resource"]),
        promotions=int(event.data["promotions"]),
        moves=None if moves is None else int(moves),
        announced_ns=announced,
    )


def _redundancy(events: Sequence[Event]) -> Iterator[Redundancy]:
    for event in _of(events, "store.protected", "store.unprotected"):
        data = event.data
        if event.kind == "store.protected":
            resolution_ns = int(data.get("resolution_ns") or 0)
            yield Redundancy(str(data["resource"]), True, int(data["at_ns"]), resolution_ns)
        else:
            yield Redundancy(str(data["resource"]), False, event.at_ns, 0)


def _readings(events: Sequence[Event], directory: DrillDirectory, what: str) -> Iterator[Reading]:
    """Yield what was read of rows: `what` is `survivors`, `damage` or `restore`."""
    for event in _of(events, f"{what}.read", f"{what}.unreadable"):
        data, number = event.data, int(event.data["number"])
        if event.kind == f"{what}.read":
            path = directory.path / str(data["evidence"])
            yield Reading(number, int(data["at_ns"]), path, str(data["sha256"]), "")
        else:
            yield Reading(number, event.at_ns, None, "", str(data.get("reason") or "no reason is given"))
