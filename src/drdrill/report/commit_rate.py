"""Commits per second: acknowledged writes over time, in the colour of the server that acknowledged them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.report.frame import AXIS_HEIGHT, Frame
from drdrill.report.history import CommitRate, count_commits
from drdrill.report.picture import LETTER, Picture
from drdrill.report.scale import Scale, round_step

if TYPE_CHECKING:
    from drdrill.report.account import Account

_TOP, _HEIGHT = 44, 120
_KINDS = ("first", "second", "third")


def draw_commits(account: Account, frame: Frame) -> Picture:
    """Draw the rate of acknowledged writes, the servers' one on top of the other."""
    scale = frame.scale
    wanted = (scale.high - scale.low) / (70 if frame.narrow else 150)
    rate = count_commits(
        account.read_writing(),
        account.origin_ns,
        begin=scale.low,
        end=scale.high,
        bin_seconds=round_step(wanted),
    )
    names = [account.name_writer(server) for server, _ in rate.by_server]
    bottom = _TOP + _HEIGHT
    picture = Picture(
        frame.width,
        bottom + AXIS_HEIGHT,
        title="Commits per second",
        description=f"Writes acknowledged by {', then by '.join(names) or 'nobody'}; at most {rate.highest:.0f}/s.",
    )
    height = Scale(0, _round_up(rate.highest), bottom, _TOP)
    for tick in height.ticks(4):
        picture.line(frame.left, height(tick), frame.right, height(tick), "rule")
        picture.text(frame.left - 8, height(tick) + 4, f"{tick:,.0f}/s", "soft value", anchor="end")
    _draw_rates(picture, frame, rate, height, names)
    _draw_legend(picture, frame, names)
    frame.draw_moments(picture, _TOP - 2, bottom)
    frame.draw_axis(picture, bottom)
    return picture


def _round_up(highest: float) -> float:
    step = round_step(max(highest, 1.0) / 4)
    return step * -(-max(highest, 1.0) // step)


def _draw_rates(picture: Picture, frame: Frame, rate: CommitRate, height: Scale, names: list[str]) -> None:
    below = [0.0] * max((len(rates) for _, rates in rate.by_server), default=0)
    for number, (_, rates) in enumerate(rate.by_server):
        for place, value in enumerate(rates):
            if not value:
                continue
            begin = rate.begin + place * rate.bin_seconds
            left, right = round(frame.scale(begin)), round(frame.scale(begin + rate.bin_seconds))
            top = height(below[place] + value)
            hint = f"{names[number]}: {value:,.0f}/s at {begin:+.2f} s"
            picture.rectangle(left, top, right - left, height(below[place]) - top, _kind(number), hint=hint)
            below[place] += value


def _draw_legend(picture: Picture, frame: Frame, names: list[str]) -> None:
    x = 0.0 if frame.narrow else frame.left
    for number, name in enumerate(names):
        picture.rectangle(x, 3, 11, 11, _kind(number))
        picture.text(x + 16, 13, name, "soft")
        x += 16 + LETTER * len(name) + 16


def _kind(number: int) -> str:
    return _KINDS[number] if number < len(_KINDS) else "further"
