"""Where the time went: the phases of the outage, one after the other, for the cohort that waited longest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.measure.outage import PEOPLE
from drdrill.plan.duration import format_seconds
from drdrill.report.frame import WIDE
from drdrill.report.picture import LETTER, Picture, shorten
from drdrill.report.scale import Scale

if TYPE_CHECKING:
    from drdrill.report.account import Account

_ROW, _BAR = 26, 14
_NARROW_ROW = 40
_LONGEST_NAME = 420  # px


def draw_phases(account: Account, width: int) -> Picture | None:
    """Draw the phases as a waterfall; None: the outage was not split, as nobody recovered or nobody was down."""
    phases = account.verdict["rta"]["phases"]
    if not phases:
        return None
    narrow = width < WIDE
    names = [name_phase(phase["name"]) for phase in phases]
    row, left = _ROW, min(_LONGEST_NAME, LETTER * max(map(len, names)) + 16)
    if narrow:
        row, left = _NARROW_ROW, 0
    total = sum(phase["seconds"] for phase in phases)
    scale = Scale(0, max(total, 1e-9), left, width - 64)
    told = "; ".join(f"{name_phase(phase['name'])}: {format_seconds(phase['seconds'])}" for phase in phases)
    picture = Picture(width, row * len(phases) + 4, title="Where the time went", description=told)
    since = 0.0
    for number, phase in enumerate(phases):
        y = number * row + (18 if narrow else 4)
        name = names[number]
        if narrow:
            picture.text(0, y - 5, shorten(name, width))
        else:
            picture.text(left - 10, y + 11, shorten(name, left - 10), anchor="end")
        begin, end = scale(since), scale(since + phase["seconds"])
        kind = "second" if name.endswith(PEOPLE) else "first"
        hint = f"{name}: {phase['seconds']:.3f} s"
        picture.rectangle(begin, y, max(end - begin, 2), _BAR, kind, hint=hint)
        picture.text(max(end, begin + 2) + 6, y + 11, format_seconds(phase["seconds"]), "value")
        since += phase["seconds"]
    return picture


def name_phase(name: str) -> str:
    """Return a phase's name for readers: what the cloud had announced last stands in quotation marks."""
    begin, colon, announced = name.partition("after: ")
    return f"after “{announced}”" if colon and not begin else name
