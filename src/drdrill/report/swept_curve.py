"""The swept RPA over time: what would have been lost at any other moment, and what the drilled one really lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.plan.duration import format_seconds
from drdrill.report.frame import AXIS_HEIGHT, Frame
from drdrill.report.picture import LETTER, Picture
from drdrill.report.scale import Scale, round_step

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from drdrill.report.account import Account

_HEIGHT, _LEGEND_ROW = 130, 18
_LEAST = 0.1  # s: the least height of the axis
_APART = 13  # px between the names of two levels
_LEVELS = (("median_seconds", "median"), ("p99_seconds", "p99"), ("worst_known", "highest"))
_LEGEND = (("first", "lost at least"), ("perhaps", "at most"), ("unknown", "unbounded"))


def draw_swept(account: Account, frame: Frame) -> Picture | None:
    """Draw the curve in the time that pictures show; None: nothing was swept, or not by that version."""
    swept = account.verdict.get("swept")
    if swept is None:
        return None
    drilled = swept["drilled"]
    levels = [*_levels(swept)]
    highest = max([level for _, level in levels], default=0.0)
    if drilled is not None:
        highest = max(highest, drilled["at_most_seconds"], drilled["measured_seconds"] or 0.0)
    entries = [*_LEGEND, *([("drilled", _name_drilled(drilled))] if drilled else [])]
    rows = _arrange(entries, frame)
    top = _LEGEND_ROW * len(rows) + 26
    bottom = top + _HEIGHT
    picture = Picture(
        frame.width,
        bottom + AXIS_HEIGHT,
        title="What would have been lost at any other moment",
        description=_describe(swept),
    )
    height = Scale(0, _round_up(highest), bottom, top)
    for tick in height.ticks(4):
        picture.line(frame.left, height(tick), frame.right, height(tick), "rule")
        text = format_seconds(round(tick, 3))
        picture.text(frame.left - 8, height(tick) + 4, text, "soft value", anchor="end")
    _draw_pieces(picture, account, frame, swept["curve"], height)
    _draw_legend(picture, rows)
    _draw_levels(picture, frame, levels, height)
    frame.draw_moments(picture, top - 2, bottom)
    if drilled is not None and frame.origin_is_fault:
        _draw_drilled(picture, frame, drilled, height)
    frame.draw_axis(picture, bottom)
    return picture


def _levels(swept: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield the figures that are known, with their names."""
    for key, name in _LEVELS:
        value = swept[key]["seconds"] if isinstance(swept[key], dict) else swept[key]
        if value is not None:
            yield name, float(value)


def _round_up(highest: float) -> float:
    step = round_step(max(highest, _LEAST) / 4)
    return step * -(-max(highest, _LEAST) // step)


def _draw_pieces(
    picture: Picture, account: Account, frame: Frame, curve: Mapping[str, list[Any]], height: Scale
) -> None:
    """Draw the times one by one, at whole pixels and at least one wide, so that no peak is lost."""
    base = height.left
    for from_ns, until_ns, at_least, at_most in zip(
        curve["from_ns"], curve["until_ns"], curve["at_least_seconds"], curve["at_most_seconds"], strict=True
    ):
        begin, end = account.seconds(from_ns), account.seconds(until_ns)
        if end <= frame.scale.low or begin >= frame.scale.high:
            continue
        left, right = round(frame.scale(begin)), round(frame.scale(end))
        width, when = max(right - left, 1), f"{begin:+.2f} s to {end:+.2f} s"
        if at_most is None:
            hint = f"unbounded, as nobody knows a limit, {when}"
            picture.rectangle(left, height.right, width, base - height.right, "unknown", hint=hint)
            continue
        hint = f"{at_least:.3f} s to {at_most:.3f} s would have been lost, {when}"
        # A loss of nothing is a thin line: to be told from a time that was not swept.
        high, low = min(height(at_most), base - 2), min(height(at_least), base - 2)
        picture.rectangle(left, high, width, low - high, "perhaps", hint=hint)
        picture.rectangle(left, low, width, base - low, "first", hint=hint)


def _draw_levels(picture: Picture, frame: Frame, levels: list[tuple[str, float]], height: Scale) -> None:
    """Draw a line for each figure; the names on the right move apart where the figures are close."""
    places = [min(height(value), height.left - 1) for _, value in levels]
    lowest = height.left + 4.0
    for (name, _), y in zip(levels, places, strict=True):  # the lowest figure first
        picture.line(frame.left, y, frame.right, y, "level")
        lowest = min(y + 4, lowest)
        picture.text(frame.right + 6, lowest, name, "soft")
        lowest -= _APART


def _draw_drilled(picture: Picture, frame: Frame, drilled: Mapping[str, Any], height: Scale) -> None:
    x = frame.scale(0)
    low, high = height(drilled["at_least_seconds"]), height(drilled["at_most_seconds"])
    for y in (low, high):
        picture.line(x - 5, y, x + 5, y, "spread")
    picture.line(x, low, x, high, "spread")
    if drilled["measured_seconds"] is not None:
        hint = f"really lost: {drilled['measured_seconds']:.3f} s"
        picture.circle(x, height(drilled["measured_seconds"]), 5, _kind(drilled), hint=hint)


def _kind(drilled: Mapping[str, Any]) -> str:
    return "missed" if drilled["agrees"] is False else "mark"


def _name_drilled(drilled: Mapping[str, Any]) -> str:
    if drilled["measured_seconds"] is None:
        return "expected of the fault"
    return f"really lost: {format_seconds(drilled['measured_seconds'])}"


def _arrange(entries: list[tuple[str, str]], frame: Frame) -> list[list[tuple[float, str, str]]]:
    """Return the entries of a legend row by row, each with its place."""
    begin = 0.0 if frame.narrow else frame.left
    rows: list[list[tuple[float, str, str]]] = [[]]
    x = begin
    for kind, name in entries:
        needed = 16 + LETTER * len(name)
        if rows[-1] and x + needed > frame.width:
            rows.append([])
            x = begin
        rows[-1].append((x, kind, name))
        x += needed + 16
    return rows


def _draw_legend(picture: Picture, rows: list[list[tuple[float, str, str]]]) -> None:
    for number, row in enumerate(rows):
        y = number * _LEGEND_ROW
        for x, kind, name in row:
            if kind == "drilled":
                picture.circle(x + 6, y + 8.5, 5, "mark")
            else:
                picture.rectangle(x, y + 3, 11, 11, kind)
            picture.text(x + 16, y + 13, name, "soft")


def _describe(swept: Mapping[str, Any]) -> str:
    told = [f"{name}: {format_seconds(value)}" for name, value in _levels(swept)]
    unknown = swept["unknown_seconds"]
    told.append(f"unbounded for {format_seconds(unknown)} of {format_seconds(swept['served_seconds'])}")
    if swept["drilled"] and swept["drilled"]["measured_seconds"] is not None:
        told.append(f"really lost: {format_seconds(swept['drilled']['measured_seconds'])}")
    return "; ".join(told)
