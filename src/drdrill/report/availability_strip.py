"""The availability strip: a row for each client, a colour for what each of its requests had."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.plan.duration import format_seconds
from drdrill.report.frame import AXIS_HEIGHT, Frame
from drdrill.report.history import Experience, Service, Span, read_experiences
from drdrill.report.picture import LETTER, Picture

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drdrill.report.account import Account

_TOP, _ROW, _BAR = 44, 20, 14
_PLACES = 1500  # more than a picture has px
_LEGEND = (
    (Service.SERVED, "served"),
    (Service.SLOW, "too slow"),
    (Service.FAILED, "no answer"),
    (Service.HELD_UP, "connection held up"),
    (Service.UNKNOWN, "not known"),
)


def draw_availability(account: Account, frame: Frame) -> Picture:
    """Draw what every client had; beside its row, for how long it waited for the service after the fault."""
    experiences = read_experiences(account.ledgers, account.thresholds, account.origin_ns, places=_PLACES)
    rows = sorted(experiences, key=lambda one: (not one.decides, one.name))
    outages = {
        one["name"]: one["outage_seconds"]
        for one in (*account.verdict["rta"]["cohorts"], *account.verdict["rta"]["other_clients"])
    }
    bottom = _TOP + _ROW * len(rows)
    picture = Picture(
        frame.width,
        bottom + AXIS_HEIGHT,
        title="Availability as each client saw it",
        description=_describe(rows, outages),
    )
    _draw_legend(picture, frame, {span.service for row in rows for span in row.spans})
    slowest = account.verdict["rta"]["slowest_cohort"]
    for number, row in enumerate(rows):
        y = _TOP + number * _ROW
        picture.text(frame.left - 8, y + 11, row.name, "" if row.decides else "soft", anchor="end")
        for span in row.spans:
            _draw_span(picture, frame, span, y, row.name)
        if row.name in outages:
            kind = "value strong" if row.name == slowest else "value" if row.decides else "value soft"
            picture.text(frame.width, y + 11, format_seconds(outages[row.name]), kind, anchor="end")
    frame.draw_moments(picture, _TOP - 2, bottom)
    frame.draw_axis(picture, bottom)
    return picture


def _draw_span(picture: Picture, frame: Frame, span: Span, y: float, name: str) -> None:
    if span.end <= frame.scale.low:
        return
    left, right = frame.scale(span.begin), frame.scale(span.end)
    # What users missed is never too short to be seen.
    least = 1.0 if span.service is Service.FAILED else 0.0
    hint = f"{name}: {_name(span.service)}, {span.begin:+.2f} s to {span.end:+.2f} s"
    picture.rectangle(left, y, max(right - left, least), _BAR, span.service.name.lower(), hint=hint)


def _draw_legend(picture: Picture, frame: Frame, shown: set[Service]) -> None:
    """Explain the colours that are there, and what served and not served look like."""
    x = 0.0 if frame.narrow else frame.left
    for service, name in _LEGEND:
        if service not in shown | {Service.SERVED, Service.FAILED}:
            continue
        picture.rectangle(x, 3, 11, 11, service.name.lower())
        picture.text(x + 16, 13, name, "soft")
        x += 16 + LETTER * len(name) + 16


def _name(service: Service) -> str:
    return dict(_LEGEND)[service]


def _describe(rows: list[Experience], outages: Mapping[str, float | None]) -> str:
    told = (
        f"{row.name}: without service for {format_seconds(outages[row.name])}"
        for row in rows
        if row.name in outages
    )
    return "; ".join(told) or "No fault was injected."
