"""What a failover called, on a drill's page: each operation with its region, when first, how often, what failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drdrill.measure.call_record import UNANSWERED
from drdrill.plan.duration import format_seconds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drdrill.report.account import Account

_SHOWN = 3  # things that calls of one operation were about
_LONGEST = 60  # characters of one of them


@dataclass(frozen=True, slots=True)
class CallRow:
    """Calls of one operation in words. `about`: which things; `failed`: how many and why, `` where none did."""

    first_seconds: float | None
    region: str
    what: str
    about: str
    count: int
    failed: str


@dataclass(frozen=True, slots=True)
class ConnectionRow:
    """Attempts to connect in words. `dead`: nobody answered."""

    first_seconds: float | None
    region: str
    what: str
    count: int
    end: str
    dead: bool


@dataclass(frozen=True, slots=True)
class CallsTold:
    """What was called. `findings`: what it asked in vain and never did; `problem`: what of it all is not known.

    `heading`: what the findings are about.
    """

    heading: str
    findings: tuple[str, ...]
    calls: tuple[CallRow, ...]
    connections: tuple[ConnectionRow, ...]
    problem: str


_FINDINGS = frozenset(
    {
        "called_in_vain", "name_refused", "copy_not_promoted", "capacity_not_asked", "name_not_changed",
        "users_never_told", "calls_not_known",
    }
)  # fmt: skip


def describe_calls(account: Account) -> CallsTold | None:
    """Return what the failover called; None: that was not recorded."""
    calls = account.verdict.get("calls")
    if calls is None:
        return None
    never = ", and what it never did" if account.scenario.fails_over else ""
    return CallsTold(
        heading=f"What it asked in vain{never}",
        findings=tuple(one["text"] for one in account.verdict["findings"] if one["code"] in _FINDINGS),
        calls=tuple(_call(one) for one in calls["calls"]),
        connections=tuple(_connection(one) for one in calls["connections"]),
        problem=calls["problem"] or "",
    )


def _call(one: Mapping[str, Any]) -> CallRow:
    shown = [_shorten(thing) for thing in one["targets"][:_SHOWN]]
    more = len(one["targets"]) + one["more_targets"] - len(shown)
    by = "" if one["caller"] == "operators" else f" (by {one['caller']})"
    return CallRow(
        first_seconds=one["first_seconds"],
        region=one["region"],
        what=f"{one['service']} {one['operation']}{by}",
        about=", ".join(shown) + (f" and {more} more" if more else ""),
        count=one["count"],
        failed=", ".join(_failed(code, count, one) for code, count in one["failed"].items()),
    )


def _failed(code: str, count: int, one: Mapping[str, Any]) -> str:
    if code != UNANSWERED:
        return f"{count} of them {code}"
    return f"{count} of them not answered; {format_seconds(one['waited_seconds'])} waited"


def _connection(one: Mapping[str, Any]) -> ConnectionRow:
    dead = one["outcome"] == UNANSWERED
    waited = format_seconds(one["waited_seconds"])
    return ConnectionRow(
        first_seconds=one["first_seconds"],
        region=one["region"] or "none",
        what=f"{one['service']} {one['name']}".strip(),
        count=one["count"],
        end=f"nobody answered; {waited} waited" if dead else one["outcome"],
        dead=dead,
    )


def _shorten(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
