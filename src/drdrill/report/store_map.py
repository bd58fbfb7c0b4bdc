"""Where the store's copies were: primary, standbys and replicas by region and zone, before the fault and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drdrill.report.frame import WIDE
from drdrill.report.picture import Picture, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from drdrill.report.account import Account

_GAP, _ZONE_GAP, _PAD = 32, 8, 6
_HEADING, _REGION, _ZONE = 22, 20, 20  # px of a line of text above what it names
_CHIP, _CHIP_GAP = 58, 6
_ABREAST = 3  # zones; more go into another row
_KINDS = {"primary": "first", "standby": "second"}


@dataclass(frozen=True, slots=True)
class Copy:
    """One server of the store in a panel. `hit`: the fault is about to strike it, or still does."""

    role: str
    host: str
    zone: str
    note: str
    hit: bool


@dataclass(frozen=True, slots=True)
class _Region:
    name: str
    zones: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Area:
    """Where something is drawn: its top left, and how wide it may be (px)."""

    x: float
    y: float
    width: float


def draw_map(account: Account, width: int) -> Picture | None:
    """Draw the store as it was seen before the fault and, beside or below, at last; None: nobody looked."""
    panels = [*_panels(account)]
    if not panels:
        return None
    narrow = width < WIDE
    regions = _regions(account, [copy for _, copies in panels for copy in copies])
    wide = width if narrow else (width - _GAP) / 2
    heights = [_measure(regions, copies) for _, copies in panels]
    told = "; ".join(
        f"{title}: {', '.join(f'{one.role} {one.host} in {one.zone}' for one in copies) or 'none'}"
        for title, copies in panels
    )
    height = sum(heights) + _GAP * (len(heights) - 1) if narrow else max(heights)
    picture = Picture(width, height, title="Where the copies of the data were", description=told)
    x = y = 0.0
    for (title, copies), needed in zip(panels, heights, strict=True):
        picture.text(x, y + 13, title, "strong")
        _draw_regions(picture, _Area(x, y + _HEADING, wide), regions, copies)
        x, y = (x, y + needed + _GAP) if narrow else (x + wide + _GAP, y)
    return picture


def _panels(account: Account) -> Iterator[tuple[str, list[Copy]]]:
    looks = {look.get("moment"): look for look in account.find("store.observed")}
    before, after = looks.get("before_fault"), looks.get("after_fault")
    if before is not None:
        told = account.verdict["replication"]
        states = {one["host"]: one["state"] for one in told.get("followers", ())}
        notes = {
            one["host"]: "" if one["role"] == "primary" else states.get(one["host"], told["state"])
            for one in before["members"]
        }
        yield "Before the fault", _copies(before, notes, _struck(account))
    if after is not None:
        roles = {one["host"]: one["role"] for one in before["members"]} if before else {}
        yield (
            "Afterwards",
            _copies(
                after, {one["host"]: _note(one, roles) for one in after["members"]}, _still_struck(account)
            ),
        )


def _struck(account: Account) -> frozenset[str]:
    """Return the names of what the fault strikes: hosts, or a zone with all in it, or a region with its zones."""
    if account.facts.fault is None:
        return frozenset()
    resource = account.facts.fault.resource
    hosts = (
        str(host["host"])
        for data in account.find("fault.injected")
        if data["resource"] == resource
        for host in (data.get("details") or {}).get("hosts", ())
    )
    return frozenset({resource, *_zones_of(account, resource), *hosts})


def _zones_of(account: Account, name: str) -> tuple[str, ...]:
    """Return the zones of a region of the plan; empty: it is none."""
    regions = account.plan.regions
    return next((tuple(one.zones) for one in (regions.primary, regions.recovery) if one.name == name), ())


def _still_struck(account: Account) -> frozenset[str]:
    """Return the zones of a region that was lost, and not healed when the store was looked at for the last time.

    What is lost with anything less the cloud may have replaced under its old name.
    """
    looks = [event.seq for event in account.events if event.kind == "store.observed"]
    fault = account.facts.fault
    if fault is None or not looks:
        return frozenset()
    healed = any(
        event.kind == "fault.healed"
        and event.data.get("resource") == fault.resource
        and event.seq < looks[-1]
        for event in account.events
    )
    return frozenset() if healed else frozenset(_zones_of(account, fault.resource))


def _copies(look: Mapping[str, Any], notes: Mapping[str, str], struck: frozenset[str]) -> list[Copy]:
    return [
        Copy(
            str(one["role"]),
            str(one["host"]),
            str(one["zone"]),
            notes[one["host"]],
            bool(struck & {one["host"], one["zone"]}),
        )
        for one in look["members"]
    ]


def _note(member: Mapping[str, Any], roles: Mapping[str, str]) -> str:
    """Return what became of a server since before the fault."""
    earlier = roles.get(member["host"])
    if earlier is None:
        return "new server"
    return "as before" if earlier == member["role"] else f"was {earlier}"


def _regions(account: Account, copies: Sequence[Copy]) -> list[_Region]:
    """Return the plan's regions, and what is in none of their zones by itself."""
    plan = account.plan.regions
    regions = [_Region(one.name, tuple(one.zones)) for one in (plan.primary, plan.recovery)]
    planned = {zone for one in regions for zone in one.zones}
    others = tuple(dict.fromkeys(one.zone for one in copies if one.zone not in planned))
    return [*regions, _Region("not in the plan", others)] if others else regions


def _measure(regions: Sequence[_Region], copies: Sequence[Copy]) -> float:
    return _HEADING + sum(_measure_region(region, copies) for region in regions)


def _measure_region(region: _Region, copies: Sequence[Copy]) -> float:
    rows = -(-len(region.zones) // _ABREAST)
    held = _most(region, copies)
    return _REGION + (rows * (_measure_zone(held) + _ZONE_GAP) + 4 if held else 0)


def _most(region: _Region, copies: Sequence[Copy]) -> int:
    """Return how many copies a zone of the region holds at most."""
    return max(sum(copy.zone == zone for copy in copies) for zone in region.zones)


def _measure_zone(held: int) -> float:
    return _ZONE + held * (_CHIP + _CHIP_GAP)


def _draw_regions(picture: Picture, area: _Area, regions: Sequence[_Region], copies: Sequence[Copy]) -> None:
    y = area.y
    for region in regions:
        # A region without a copy is a fact worth a line, and its empty zones are not worth a drawing.
        held = _most(region, copies)
        picture.text(area.x, y + 13, region.name if held else f"{region.name}: no copy of this store", "soft")
        if held:
            _draw_zones(picture, _Area(area.x, y + _REGION, area.width), region, copies)
        y += _measure_region(region, copies)


def _draw_zones(picture: Picture, area: _Area, region: _Region, copies: Sequence[Copy]) -> None:
    abreast = min(_ABREAST, len(region.zones))
    wide = (area.width - _ZONE_GAP * (abreast - 1)) / abreast
    high = _measure_zone(_most(region, copies))
    for number, zone in enumerate(region.zones):
        row, column = divmod(number, abreast)
        left, top = area.x + column * (wide + _ZONE_GAP), area.y + row * (high + _ZONE_GAP)
        picture.rectangle(left, top, wide, high, "zone")
        picture.text(left + _PAD, top + 14, shorten(zone, wide - 2 * _PAD), "soft")
        for place, copy in enumerate(copy for copy in copies if copy.zone == zone):
            y = top + _ZONE + place * (_CHIP + _CHIP_GAP)
            _draw_copy(picture, _Area(left + _PAD, y, wide - 2 * _PAD), copy)


def _draw_copy(picture: Picture, area: _Area, copy: Copy) -> None:
    x, y, room = area.x, area.y, area.width - 16
    hint = f"{copy.role} {copy.host} in {copy.zone}{', struck by the fault' if copy.hit else ''}"
    picture.rectangle(x, y, area.width, _CHIP, "chip hit" if copy.hit else "chip", hint=hint)
    picture.rectangle(x, y, 4, _CHIP, _KINDS.get(copy.role, "third"))
    picture.text(x + 9, y + 16, shorten(copy.role, room), "strong")
    picture.text(x + 9, y + 32, shorten(copy.host, room))
    note, kind = ("fault here", "failed") if copy.hit else (copy.note, "soft")
    if note:
        picture.text(x + 9, y + 48, shorten(note, room), kind)
