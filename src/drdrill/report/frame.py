"""The time axis that the pictures of one drill share: seconds from the fault, at the same places in each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from drdrill.plan.duration import format_seconds
from drdrill.report.history import observed_range
from drdrill.report.picture import LETTER
from drdrill.report.scale import Scale

if TYPE_CHECKING:
    from drdrill.report.account import Account
    from drdrill.report.picture import Picture

WIDE, NARROW = 960, 358  # px: a desktop's column, and a telephone's 390 px less the margins of a page
_BEFORE_SHARE = 0.5  # of the time after the fault: how much of the time before is shown
_LEAST_SECONDS = 1.0
AXIS_HEIGHT = 24  # px
_BOLD = 1.2  # how much wider than others a bold letter is; measured in Chromium
_TICK = 46  # px: for a moment at the axis
_GAP = 4  # px
_RECOVERED = "probes served again"


@dataclass(frozen=True, slots=True)
class Frame:
    """Where time stands in a picture. `origin_is_fault` says what zero means."""

    width: int
    scale: Scale
    origin_is_fault: bool
    recovered: float | None

    @property
    def narrow(self) -> bool:
        """Tell whether the picture is for a narrow page."""
        return self.width < WIDE

    @property
    def left(self) -> float:
        """Return where time begins."""
        return self.scale.left

    @property
    def right(self) -> float:
        """Return where time ends."""
        return self.scale.right

    def draw_axis(self, picture: Picture, y: float) -> None:
        """Draw the axis below `y`."""
        picture.line(self.left, y, self.right, y, "rule")
        for tick in self.scale.ticks(int((self.right - self.left) / _TICK) if self.narrow else 10):
            x = self.scale(tick)
            picture.line(x, y, x, y + 4, "rule")
            picture.text(x, y + 17, f"{tick:+g} s" if tick else "0", "soft value", anchor="middle")

    def draw_moments(self, picture: Picture, top: float, bottom: float) -> None:
        """Draw the lines of the fault and of the recovery, with their names above `top`."""
        if self.origin_is_fault:
            x = self.scale(0)
            picture.line(x, top, x, bottom, "fault")
            picture.text(x - 4, top - 5, "fault", "failed strong", anchor="end")
        if self.recovered:
            x = self.scale(self.recovered)
            picture.line(x, top, x, bottom, "back")
            # On its right, moved back as far as the picture's end demands: on its left stands the fault's name.
            needed = _BOLD * LETTER * len(_RECOVERED)
            picture.text(min(x + 4, self.width - needed), top - 5, _RECOVERED, "met strong")


def make_frame(account: Account, width: int) -> Frame | None:
    """Return the frame of a drill's pictures; None: no client ever attempted anything."""
    observed = observed_range(account.ledgers, account.origin_ns)
    if observed is None:
        return None
    begin, end = observed
    fault = account.facts.fault is not None
    if fault:
        end = max(end, _LEAST_SECONDS)
        begin = max(begin, -_BEFORE_SHARE * end)
    left, right = (94.0, 54.0) if width < WIDE else (132.0, 76.0)
    right = max(right, _measure_waits(account) if fault else 0)
    scale = Scale(begin, max(end, begin + _LEAST_SECONDS), left, width - right)
    recovered = account.verdict["rta"]["outage_seconds"] if fault else None
    return Frame(width, scale, fault, recovered)


def _measure_waits(account: Account) -> float:
    """Return how much room the longest of the figures needs that stand on the right of clients' rows, in px."""
    waits = (
        format_seconds(one["outage_seconds"])
        for rta in (account.verdict["rta"], *account.verdict["services"])
        for one in (*rta["cohorts"], *rta["other_clients"])
    )
    return _GAP + _BOLD * LETTER * max(map(len, waits), default=0)
