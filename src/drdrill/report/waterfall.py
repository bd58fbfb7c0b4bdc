"""The waterfall of a runbook: a bar for each step, by phase; the critical path marked, people's time apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from drdrill.plan.duration import format_seconds
from drdrill.plan.runbook import Doer
from drdrill.report.frame import WIDE
from drdrill.report.picture import LETTER, Picture, shorten
from drdrill.report.scale import Scale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drdrill.measure.waterfall import Bar

_ROW, _BAR = 26, 14
_NARROW_ROW = 40
_LONGEST_NAME = 320  # px
_WIDER = 1.1  # than the mean letter: names of few narrow letters; measured in Chromium
_ROOM = 190  # px for a bar's own figures


@dataclass(frozen=True, slots=True)
class Gap:
    """A death of whoever ran the runbook, and until when it was not again where it was; seconds as those of bars."""

    begins_seconds: float
    ends_seconds: float
    text: str


def draw_waterfall(bars: Sequence[Bar], width: int, gaps: Sequence[Gap] = ()) -> Picture | None:
    """Draw the steps one below the other, with what deaths cost behind them; None: no step began."""
    if not bars:
        return None
    narrow = width < WIDE
    names = [f"{bar.phase}: {bar.name}" for bar in bars]
    row = _NARROW_ROW if narrow else _ROW
    left = 0.0 if narrow else min(_LONGEST_NAME, _WIDER * LETTER * max(map(len, names)) + 16)
    scale = Scale(0, max(*(bar.ends_seconds for bar in bars), 1e-9), left, width - _ROOM)
    told = "; ".join([*(describe_bar(bar) for bar in bars), *(gap.text for gap in gaps)])
    height = row * len(bars) + 4
    picture = Picture(width, height, title="Waterfall of the runbook", description=told)
    for gap in gaps:
        begin, end = scale(gap.begins_seconds), scale(gap.ends_seconds)
        picture.rectangle(begin, 0, end - begin, height, "zone", hint=gap.text)
        picture.line(begin, 0, begin, height, "fault")
    for number, (bar, name) in enumerate(zip(bars, names, strict=True)):
        y = number * row + (18 if narrow else 4)
        if narrow:
            picture.text(0, y - 5, shorten(name, width))
        else:
            picture.text(left - 10, y + 11, shorten(name, left - 10), anchor="end")
        begin, end = scale(bar.begins_seconds), scale(bar.ends_seconds)
        kind = "second" if bar.by is Doer.PERSON else "first"
        picture.rectangle(begin, y, max(end - begin, 2), _BAR, kind, hint=describe_bar(bar))
        if bar.critical:
            picture.line(begin, y + _BAR + 2, max(end, begin + 2), y + _BAR + 2, "limit")
        picture.text(max(end, begin + 2) + 6, y + 11, _label(bar), "value")
    return picture


def describe_bar(bar: Bar) -> str:
    """Return all that a bar says in words."""
    parts = [f"{bar.name} ({bar.phase}, {bar.by}): {format_seconds(bar.ends_seconds - bar.begins_seconds)}"]
    if not bar.done:
        parts.append("not done")
    if bar.critical:
        parts.append("critical path")
    if bar.slack_seconds is not None:
        parts.append(f"slack {format_seconds(bar.slack_seconds)}")
    return ", ".join(parts)


def _label(bar: Bar) -> str:
    taken = format_seconds(bar.ends_seconds - bar.begins_seconds)
    if not bar.done:
        return f"{taken}, not done"
    return taken if bar.slack_seconds is None else f"{taken}, slack {format_seconds(bar.slack_seconds)}"
