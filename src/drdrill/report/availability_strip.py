"""The availability strip: a row for each client, a colour for what each of its requests had."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from drdrill.plan.duration import format_seconds
from drdrill.report.frame import AXIS_HEIGHT, Frame
from drdrill.report.history import Experience, Service, Span, read_experiences
from drdrill.report.picture import LETTER, Picture

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from drdrill.report.account import Account

_TOP, _ROW, _BAR = 44, 20, 14
_WIDER = 1.2  # than the mean letter: an ellipsis, and names of few narrow letters; measured in Chromium
_PLACES = 1500  # more than a picture has px
_LEGEND = (
    (Service.SERVED, "served"),
    (Service.SLOW, "too slow"),
    (Service.FAILED, "no answer"),
    (Service.HELD_UP, "connection held up"),
    (Service.UNKNOWN, "not known"),
)


def draw_availability(account: Account, frame: Frame) -> Picture:
    """Draw what every client of the judged service had; beside its row, for how long it waited after the fault.

    Steps of journeys are left out: they send when their user comes to them, so that no gap tells of the service.
    """
    asking, travelling = (
        account.clientele.asking(account.ledgers, account.scenario.service),
        account.travelling,
    )
    ledgers = [one for one in asking if one.client.name not in travelling] or asking
    experiences = read_experiences(ledgers, account.thresholds, account.origin_ns, places=_PLACES)
    title = "Availability as each client saw it"
    return _draw(experiences, account.verdict["rta"], frame, title)


def describe_left_out(account: Account) -> str:
    """Return which clients have no row among those who saw availability, and why; empty: all have one."""
    asking = account.clientele.asking(account.ledgers, account.scenario.service)
    travelling = account.travelling
    count = sum(one.client.name in travelling for one in asking)
    if count in (0, len(asking)):
        return ""
    steps = "1 client that is a step" if count == 1 else f"{count} clients that are steps"
    return (
        f" Without a row: {steps} of journeys. Their requests leave when their user comes to them, "
        "so that a gap says nothing of the service."
    )


def draw_service(account: Account, frame: Frame, service: str) -> Picture | None:
    """Draw what the probing clients of another service had; None: nobody probed it."""
    rta = next((one for one in account.verdict["services"] if one["service"] == service), None)
    ledgers = account.clientele.asking(account.ledgers, service)
    found = read_experiences(ledgers, account.thresholds, account.origin_ns, places=_PLACES)
    probing = [one for one in found if one.decides]
    if rta is None or not probing:
        return None
    own = replace(frame, recovered=rta["outage_seconds"])
    return _draw(probing, rta, own, f"Availability of {service}")


def _draw(experiences: Sequence[Experience], rta: Mapping[str, Any], frame: Frame, title: str) -> Picture:
    rows = sorted(experiences, key=lambda one: (not one.decides, one.name))
    outages = {one["name"]: one["outage_seconds"] for one in (*rta["cohorts"], *rta["other_clients"])}
    bottom = _TOP + _ROW * len(rows)
    picture = Picture(
        frame.width,
        bottom + AXIS_HEIGHT,
        title=title,
        description=_describe(rows, outages),
    )
    _draw_legend(picture, frame, {span.service for row in rows for span in row.spans})
    slowest = rta["slowest_cohort"]
    for number, row in enumerate(rows):
        y = _TOP + number * _ROW
        picture.text(
            frame.left - 8,
            y + 11,
            _fit(row.name, frame.left - 8),
            "" if row.decides else "soft",
            anchor="end",
        )
        for span in row.spans:
            _draw_span(picture, frame, span, y, row.name)
        if row.name in outages:
            kind = "value strong" if row.name == slowest else "value" if row.decides else "value soft"
            picture.text(frame.width, y + 11, format_seconds(outages[row.name]), kind, anchor="end")
    frame.draw_moments(picture, _TOP - 2, bottom)
    frame.draw_axis(picture, bottom)
    return picture


def _fit(name: str, width: float) -> str:
    """Return a name that fits into so many px; its end tells clients apart, so the beginning goes."""
    fits = max(2, int(width / (_WIDER * LETTER)))
    return name if LETTER * len(name) <= width else f"…{name[1 - fits :]}"


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
