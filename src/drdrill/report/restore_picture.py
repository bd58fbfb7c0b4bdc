"""A restore as a picture: how far the backup and the archived log reached, what of the data came back, and the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.report.frame import AXIS_HEIGHT
from drdrill.report.picture import Picture, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from drdrill.report.account import Account
    from drdrill.report.frame import Frame

_TOP, _ROW, _BAR = 22, 30, 16
_NARROW_ROW = 44
_SPACE = 12  # px between what has a place in time and the rows, which have none

Bar = tuple[int, int, str, str]  # from and until in boot-time ns, kind, hint


def draw_restore(account: Account, frame: Frame) -> Picture | None:
    """Draw the last restore; None: nothing was restored that there is anything to draw of."""
    restores = account.verdict.get("restores", ())
    if not restores or (restores[-1]["kind"] == "snapshot" and not restores[-1]["expected_rows"]):
        return None
    one = restores[-1]
    rows = [*_rows(account, one)]
    row = _NARROW_ROW if frame.narrow else _ROW
    timed = _TOP + row * len(rows) + AXIS_HEIGHT + _SPACE if rows else 0
    height = timed + (row if one["expected_rows"] else 0)
    told = "; ".join(f"{name}: {', '.join(hint for *_, hint in bars)}" for name, bars in rows)
    expected = one["expected_rows"]
    if expected:
        told += f"{'; ' if told else ''}rows: {expected - one['missing_rows']:,} of {expected:,}"
    picture = Picture(frame.width, height, title="What the restore brought back", description=told)
    for number, (name, bars) in enumerate(rows):
        y = _TOP + number * row
        _name(picture, frame, y, name)
        for begin_ns, end_ns, kind, hint in bars:
            left, right = (_place(account, frame, at_ns) for at_ns in (begin_ns, end_ns))
            picture.rectangle(left, y + _below(frame), max(right - left, 2), _BAR, kind, hint=hint)
    if rows:
        bottom = _TOP + row * len(rows)
        frame.draw_moments(picture, _TOP - 4, bottom - 4)
        frame.draw_axis(picture, bottom)
    if one["expected_rows"]:
        _draw_rows(picture, frame, timed, one)
    return picture


def _rows(account: Account, one: Mapping[str, Any]) -> Iterator[tuple[str, list[Bar]]]:
    rpa, point_ns = account.verdict["rpa"], one["until_ns"]
    end_ns = account.origin_ns + 3600 * 10**9  # the frame's own end is where a bar is cut
    begin_ns = account.origin_ns - 3600 * 10**9
    if one["kind"] == "snapshot":
        return  # of a test of a backup nothing has a place in the time of the fault
    archive = [(begin_ns, one["latest_ns"], "served", "backup and archived log")]
    lost_until_ns = point_ns
    data = [(begin_ns, point_ns, "first", "came back")]
    if rpa["lost_rows"] and rpa["earliest_lost_acknowledgement"]:
        earliest_ns = rpa["earliest_lost_acknowledgement"]["at_ns"]
        lost_until_ns = max(point_ns, earliest_ns + round((rpa["seconds"] or 0) * 1e9))
        data.append((point_ns, lost_until_ns, "failed", f"{rpa['lost_rows']:,} rows were lost"))
    if lost_until_ns > one["latest_ns"]:
        archive.append((one["latest_ns"], lost_until_ns, "unknown", "not archived when the restore began"))
    yield "archive", archive
    yield "data", data
    if one["serving_ns"] is not None:
        yield (
            "restored server",
            [(one["serving_ns"], end_ns, "second", "users were served by the restored server")],
        )


def _draw_rows(picture: Picture, frame: Frame, y: float, one: Mapping[str, Any]) -> None:
    """Draw of how many rows how many are there: a share, not a time."""
    expected, missing = one["expected_rows"], one["missing_rows"]
    there = expected - missing
    _name(picture, frame, y, "rows")
    width = (frame.right - frame.left) * there / expected
    y += _below(frame)
    picture.rectangle(frame.left, y, width, _BAR, "first", hint=f"{there:,} of {expected:,} rows are there")
    if missing:
        rest = frame.right - frame.left - width
        picture.rectangle(
            frame.left + width, y, max(rest, 2), _BAR, "failed", hint=f"{missing:,} rows are missing"
        )
    said = f"{there:,}" if not missing else f"-{missing:,}"
    picture.text(frame.right + 6, y + 12, shorten(said, frame.width - frame.right - 6), "value")


def _name(picture: Picture, frame: Frame, y: float, name: str) -> None:
    if frame.narrow:
        picture.text(0, y + 10, name)
    else:
        picture.text(frame.left - 10, y + 12, shorten(name, frame.left - 10), anchor="end")


def _below(frame: Frame) -> int:
    """Return how far below the top of its row a bar begins: on a narrow page its name stands above it."""
    return 15 if frame.narrow else 0


def _place(account: Account, frame: Frame, at_ns: int) -> float:
    return min(max(frame.scale(account.seconds(at_ns)), frame.left), frame.right)
