"""What the recovery left of the whole system, in plain words: capacity, users' way, notices, agreement of stores.

From the verdict's part `system`, and from the status page's versions in the drill's evidence.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drdrill.plan.duration import format_seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from drdrill.report.account import Account

_SHOWN = 5  # of what is wrong; the whole of it is in verdict.json
_NODES = "nodes"


@dataclass(frozen=True, slots=True)
class CapacityRow:
    """What carries users, and how many of it are ready by look; `fewer`: less is left than there was."""

    name: str
    counts: tuple[str, ...]
    fewer: bool


@dataclass(frozen=True, slots=True)
class WayTold:
    """Where users are led at a moment; `astray`: to nobody, or where nobody answers."""

    when: str
    text: str
    astray: bool


@dataclass(frozen=True, slots=True)
class NoticeTold:
    """What users could read from a moment on, in seconds from the fault."""

    seconds: float
    text: str


@dataclass(frozen=True, slots=True)
class AgreementTold:
    """What stores are to agree on, and whether they do; `wrong`: a miss, or not known."""

    name: str
    about: str
    text: str
    wrong: bool


@dataclass(frozen=True, slots=True)
class SystemTold:
    """The whole system in words. `looks`: the heads of the columns of `capacity`; empty: nobody looked."""

    name: str
    looks: tuple[str, ...]
    capacity: tuple[CapacityRow, ...]
    way: tuple[WayTold, ...]
    notices: tuple[NoticeTold, ...]
    silence: tuple[tuple[str, str], ...]
    agreements: tuple[AgreementTold, ...]


def describe_system(account: Account) -> SystemTold | None:
    """Return what is left of the whole system; None: only databases were up."""
    system = account.verdict.get("system")
    if system is None:
        return None
    primary, serving = account.plan.regions.primary.name, system["region"]
    looks = [
        (f"{region}, {words}", _find(system[moment], region))
        for region, moment, words in _columns(primary, serving)
    ]
    seen = system["after"] or system["before"]
    return SystemTold(
        name=seen["name"] if seen else "",
        looks=tuple(head for head, _ in looks),
        capacity=tuple(_rows([one for _, one in looks])),
        way=tuple(_way(system)),
        notices=tuple(NoticeTold(account.seconds(at_ns), text) for at_ns, text in account.notices),
        silence=tuple(_silence(system["notices"])),
        agreements=tuple(
            _agreement(one, explained=account.scenario.fails_over) for one in system["agreements"]
        ),
    )


def _columns(primary: str, serving: str) -> Iterator[tuple[str, str, str]]:
    """Yield region, look and its name for what is compared: the first one with the last one."""
    yield primary, "before", "before"
    if serving != primary:
        yield serving, "before", "before"
    yield serving, "after", "in the end"


def _find(look: Mapping[str, Any] | None, region: str) -> Mapping[str, Any] | None:
    """Return what a region carried at a look; None: nobody saw it."""
    return None if look is None else look["regions"].get(region)


def _rows(looks: list[Mapping[str, Any] | None]) -> Iterator[CapacityRow]:
    seen = [one for one in looks if one is not None]
    if not seen:
        return
    yield _row(_NODES, looks, [None if one is None else int(one["nodes"]) for one in looks])
    names = sorted({name for one in seen for name in one["pods"]})
    short = [name.rpartition("/")[2] for name in names]
    for name, last in zip(names, short, strict=True):
        shown = last if short.count(last) == 1 else name
        yield _row(shown, looks, [None if one is None else int(one["pods"].get(name, 0)) for one in looks])


def _row(name: str, looks: list[Mapping[str, Any] | None], counts: list[int | None]) -> CapacityRow:
    was, now = counts[0], counts[-1]
    told = (
        "not seen" if one is None else str(count) if one["answers"] else "no answer"
        for one, count in zip(looks, counts, strict=True)
    )  # fmt: skip
    return CapacityRow(name, tuple(told), was is not None and now is not None and now < was)


def _way(system: Mapping[str, Any]) -> Iterator[WayTold]:
    for moment, when in (("before", "before the fault"), ("after", "in the end")):
        look = system[moment]
        if look is None:
            yield WayTold(when, "nobody looked", astray=False)
        elif not look["addresses"]:
            yield WayTold(when, "nowhere", astray=True)
        else:
            yield _describe_way(when, look["addresses"])


def _describe_way(when: str, addresses: Mapping[str, bool]) -> WayTold:
    ordered = sorted(addresses, key=_order)
    if all(addresses.values()):
        return WayTold(when, f"{_join(ordered)}: somebody answers at each", astray=False)
    told = (f"{one} {'answers' if addresses[one] else 'does NOT answer'}" for one in ordered)
    return WayTold(when, _join(told), astray=True)


def _order(address: str) -> tuple[int, str]:
    """Return what sorts addresses by number, and what is none last."""
    try:
        return int(ipaddress.ip_address(address)), address
    except ValueError:
        return 1 << 129, address


def _join(parts: Iterable[str]) -> str:
    return ", ".join(parts)


def _silence(notices: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    if notices is None:
        return
    if notices["first_seconds"] is not None:
        yield "first told", f"{format_seconds(notices['first_seconds'])} after the fault"
    yield "longest silence", format_seconds(notices["longest_silence_seconds"])


def _agreement(one: Mapping[str, Any], *, explained: bool) -> AgreementTold:
    name = f"{one['name'][:1].upper()}{one['name'][1:]}"
    about = "several stores" if one["across"] else "one store"
    if one["problem"]:
        return AgreementTold(name, about, f"not known: {one['problem']}", wrong=True)
    if not one["wrong"]:
        return AgreementTold(name, about, "yes", wrong=False)
    more = len(one["wrong"]) - _SHOWN
    told = "; ".join(one["wrong"][:_SHOWN]) + (f" and {more} more" if more > 0 else "")
    # Copies that follow at their own pace lose different moments: that is told, and is no miss.
    expected = one["across"] and explained
    why = ". Each store lost what its own replication had not brought over." if expected else ""
    return AgreementTold(name, about, f"no: {told}{why}", wrong=not expected)
