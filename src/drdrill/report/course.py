"""The course of a drill: what was broken, what the cloud announced, what users had, when redundancy was back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from drdrill.core.clock import NANOSECONDS
from drdrill.plan.duration import format_seconds
from drdrill.report.chronicle import words
from drdrill.report.frame import AXIS_HEIGHT, Frame
from drdrill.report.picture import LETTER, Picture, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drdrill.report.account import Account

_TOP, _LANE, _BAR = 24, 40, 12


@dataclass(frozen=True, slots=True)
class Bar:
    """A time in a lane. `end` None: it did not end while anybody looked."""

    lane: str
    begin: float
    end: float | None
    kind: str
    text: str


def draw_course(account: Account, frame: Frame) -> Picture:
    """Draw the lanes of a drill over time, each with its name on the left."""
    bars = [*_bars(account)]
    moments = [*_announced(account)]
    lanes = list(dict.fromkeys([*(bar.lane for bar in bars), *(["cloud"] if moments else [])]))
    bottom = _TOP + _LANE * len(lanes)
    told = [f"{bar.lane}: {bar.text}" for bar in bars] + [f"cloud: {text}" for _, text in moments]
    picture = Picture(
        frame.width, bottom + AXIS_HEIGHT, title="The course of the drill", description="; ".join(told)
    )
    for number, lane in enumerate(lanes):
        y = _TOP + number * _LANE
        picture.text(frame.left - 8, y + 11, lane, anchor="end")
        picture.line(frame.left, y + _LANE - 6, frame.right, y + _LANE - 6, "rule")
        for bar in (one for one in bars if one.lane == lane):
            _draw_bar(picture, frame, bar, y)
        if lane == "cloud":
            _draw_moments(picture, frame, moments, y)
    frame.draw_moments(picture, _TOP - 4, bottom)
    frame.draw_axis(picture, bottom)
    return picture


def _bars(account: Account) -> Iterator[Bar]:
    """Yield what lasted, lane by lane. A time that nobody saw end lasts as long as was looked."""
    fault = account.facts.fault
    if fault is None:
        return
    healed = [event for event in account.events if event.kind == "fault.healed"]
    until = account.seconds(healed[-1].at_ns) if healed else None
    yield Bar("fault", 0.0, until, "failed", f"{words(fault.kind)}, {fault.resource}")
    rta = account.verdict["rta"]
    downs = [one["down_after_seconds"] for one in rta["cohorts"] if one["down_after_seconds"] is not None]
    if downs:
        outage, last = rta["outage_seconds"], rta["at_least_seconds"]
        text = f"without service: {format_seconds(outage)}"
        if outage is None:
            text = f"last without service at {format_seconds(last)}; not seen served again, stably"
        yield Bar("users", min(downs), last if outage is None else outage, "slow", text)
    protected = account.verdict["re_protection_seconds"]
    if protected is not None:
        yield Bar("redundancy", 0.0, protected, "unknown", f"one copy only: {format_seconds(protected)}")
    elif account.facts.redundancy:
        yield Bar("redundancy", 0.0, None, "unknown", "not seen back")


def _announced(account: Account) -> list[tuple[float, str]]:
    return [
        ((entry.at_ns - account.origin_ns) / NANOSECONDS, entry.text)
        for entry in account.chronicle
        if entry.actor == "cloud"
    ]


def _draw_bar(picture: Picture, frame: Frame, bar: Bar, y: float) -> None:
    left = frame.scale(bar.begin)
    right = frame.right if bar.end is None else frame.scale(bar.end)
    picture.rectangle(left, y, max(right - left, 2), _BAR, bar.kind, hint=f"{bar.lane}: {bar.text}")
    _write_within(picture, frame, left + 4, y + _BAR + 13, bar.text)


def _draw_moments(picture: Picture, frame: Frame, moments: list[tuple[float, str]], y: float) -> None:
    """Draw what was announced as numbered points; those that stand close move apart."""
    free = 0.0
    for number, (at, text) in enumerate(moments, start=1):
        x = frame.scale(at)
        picture.polygon(
            [(x, y), (x + 5, y + 6), (x, y + 12), (x - 5, y + 6)], "first", hint=f"{at:+.2f} s {text}"
        )
        place = max(x, free)
        picture.text(place, y + 25, str(number), "soft value", anchor="middle")
        free = place + 10


def _write_within(picture: Picture, frame: Frame, x: float, y: float, text: str) -> None:
    """Write beside a bar's begin, but not past the picture's end; what is longer than that is cut."""
    shown = shorten(text, frame.width)
    picture.text(max(0.0, min(x, frame.width - LETTER * len(shown))), y, shown, "soft")
