"""Objectives on one logarithmic axis: what is allowed, what was measured here, what is projected to production."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.measure.verdict import ObjectiveKind
from drdrill.plan.duration import format_seconds
from drdrill.report.frame import WIDE
from drdrill.report.picture import LETTER, Picture, shorten
from drdrill.report.scale import LogScale

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drdrill.report.account import Account

_TOP, _ROW, _BAR = 26, 46, 22
_LONGEST_TITLE = 112  # px
_LOW = 0.1  # s: what is shorter stands at the edge, as does zero
_TICKS = (1, 10, 60, 600, 3600, 6 * 3600, 24 * 3600, 7 * 24 * 3600)
_NARROW_TICKS = (1, 60, 3600, 24 * 3600)


def draw_objectives(account: Account, width: int) -> Picture | None:
    """Draw all objectives; None: the drill came to none."""
    objectives = account.verdict["objectives"]
    if not objectives:
        return None
    narrow = width < WIDE
    top = _TOP + (18 if narrow else 0)
    values = [one["objective_seconds"] for one in objectives]
    values += [one[part]["value_seconds"] or 0.0 for one in objectives for part in ("measured", "projected")]
    scale = LogScale(_LOW, max(2 * max(values), 10 * _LOW), 6 if narrow else 132, width - 12)
    bottom = top + _ROW * len(objectives)
    picture = Picture(
        width, bottom + 20, title="Objectives and results", description="; ".join(map(_describe, objectives))
    )
    _draw_legend(picture, 6 if narrow else 132, narrow=narrow)
    kinds = [one["kind"] for one in objectives]
    for number, objective in enumerate(objectives):
        title = ObjectiveKind(objective["kind"]).caption
        if kinds.count(objective["kind"]) > 1:
            title = shorten(f"{objective['kind'].upper()} {objective['subject']}", _LONGEST_TITLE)
        _draw_objective(picture, scale, objective, title, top + number * _ROW + 16, narrow=narrow)
    picture.line(scale.left, bottom, scale.right, bottom, "rule")
    for tick in _NARROW_TICKS if narrow else _TICKS:
        if tick <= scale.high:
            picture.line(scale(tick), bottom, scale(tick), bottom + 4, "rule")
            picture.text(scale(tick), bottom + 16, format_seconds(tick), "soft", anchor="middle")
    return picture


def _draw_objective(
    picture: Picture, scale: LogScale, objective: Mapping[str, Any], title: str, y: float, *, narrow: bool
) -> None:
    if narrow:
        picture.text(scale.left, y - 5, title)
    else:
        picture.text(scale.left - 18, y + 15, title, anchor="end")
    limit = objective["objective_seconds"]
    picture.rectangle(scale.left, y, scale(limit) - scale.left, _BAR, "allowed")
    picture.line(scale(limit), y - 3, scale(limit), y + _BAR + 3, "limit")
    picture.text(scale(limit) - 5, y - 5, f"objective {format_seconds(limit)}", "soft", anchor="end")
    upper, lower = y + 7, y + 16  # apart, so that neither hides the other
    measured, projected = objective["measured"], objective["projected"]
    if projected["value_seconds"] is not None:
        x = scale(projected["value_seconds"])
        hint = f"projected: {format_seconds(projected['value_seconds'])}"
        diamond = [(x, lower - 6), (x + 6, lower), (x, lower + 6), (x - 6, lower)]
        picture.polygon(diamond, projected["verdict"].lower(), hint=hint)
    if measured["value_seconds"] is not None:
        value, resolution = measured["value_seconds"], measured["resolution_seconds"] or 0.0
        picture.line(scale(max(value - resolution, 0)), upper, scale(value + resolution), upper, "spread")
        hint = f"measured: {format_seconds(value)}"
        picture.circle(scale(value), upper, 5, measured["verdict"].lower(), hint=hint)


def _draw_legend(picture: Picture, left: float, *, narrow: bool) -> None:
    x = left
    texts = ("measured here", "projected", "allowed") if narrow else (
        "measured here", "projected to production", "allowed by the objective",
    )  # fmt: skip
    picture.circle(x + 6, 9, 5, "mark")
    picture.text(x + 17, 13, texts[0], "soft")
    x += 17 + LETTER * len(texts[0]) + 14
    picture.polygon([(x + 6, 3), (x + 12, 9), (x + 6, 15), (x, 9)], "mark")
    picture.text(x + 17, 13, texts[1], "soft")
    x += 17 + LETTER * len(texts[1]) + 14
    picture.rectangle(x, 3, 13, 12, "allowed")
    picture.text(x + 18, 13, texts[2], "soft")


def _describe(objective: Mapping[str, Any]) -> str:
    projected = objective["projected"]
    told = format_seconds(projected["value_seconds"]) if projected["verdict"] else "nothing"
    return (
        f"{objective['name']}: objective {format_seconds(objective['objective_seconds'])}, "
        f"measured {format_seconds(objective['measured']['value_seconds'])}, "
        f"projected {told}"
    )
