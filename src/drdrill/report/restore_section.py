"""What was restored from backups, in plain words and numbers: from what, to which moment, and what its rows say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from drdrill.core.verdict import Verdict
from drdrill.report.sections import Rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from drdrill.report.account import Account


@dataclass(frozen=True, slots=True)
class Restored:
    """One restore. `verdict`: of the backup by its rows, whatever the drill's is; `rows`: empty, none were compared."""

    name: str
    verdict: str
    summary: str
    facts: tuple[tuple[str, str], ...]
    rows: tuple[Rows, ...]


_ROWS = (
    ("had to be there", "expected_rows", "users had been told so by the moment that was restored to", False),
    ("missing", "missing_rows", "of these: not there", True),
    ("too young", "later_rows", "there, and begun after that moment", True),
    ("different", "altered_rows", "there with another amount than was written", True),
    ("extra", "phantom_rows", "there, and never attempted", True),
    ("either way", "in_doubt_rows", "under way at that moment: may be there or not", False),
)


def describe_restores(account: Account) -> tuple[Restored, ...]:
    """Return every restore of the drill, in order."""
    return tuple(_describe(account, one) for one in account.verdict.get("restores", ()))


def describe_destroyed(account: Account) -> tuple[Rows, ...]:
    """Return what became of the rows that the fault destroyed; empty: it was not a fault of that kind."""
    destroyed = account.verdict.get("destroyed")
    if destroyed is None:
        return ()
    return (
        Rows("destroyed by the fault", destroyed["rows"], "there before it, by what users had been told"),
        Rows("back", destroyed["recovered"], "of these: there at last"),
        Rows("still missing", destroyed["missing"], "of these: lost"),
    )


def _describe(account: Account, one: Mapping[str, Any]) -> Restored:
    verdict, summary = _judge(one)
    rows = () if one["expected_rows"] is None else tuple(
        Rows(name, one[key], meaning, bad) for name, key, meaning, bad in _ROWS
    )  # fmt: skip
    return Restored(one["resource"], verdict.value, summary, tuple(_facts(account, one)), rows)


def _judge(one: Mapping[str, Any]) -> tuple[Verdict, str]:
    if one["problem"]:
        return Verdict.INCONCLUSIVE, "Its rows were not compared, so nobody knows what was restored."
    expected = f"{one['expected_rows']:,}"
    wrong = [
        f"{one[key]:,} are {name}"
        for name, key, _, bad in _ROWS
        if bad and one[key]
    ]  # fmt: skip
    if wrong:
        named = f"; for example id {one['examples'][0]}" if one["examples"] else ""
        return Verdict.MISSED, f"It restored, and of {expected} rows {', '.join(wrong)}{named}."
    return (
        Verdict.MET,
        f"All {expected} rows that had to be there are there, each with its amount, and no other.",
    )


def _facts(account: Account, one: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if one["kind"] == "snapshot":
        yield (
            "restored from",
            f"the snapshot {one['base']} of {one['source']}, finished {_utc(one['base_utc'])}",
        )
    else:
        yield (
            "restored from",
            f"the snapshot {one['base']} of {one['source']}, finished {_utc(one['base_utc'])}, and the archived log",
        )
        yield "to the moment", f"{_utc(one['until_utc'])}, {_signed(account, one['until_ns'])}"
        yield (
            "archived until",
            f"{_utc(one['latest_utc'])} (LatestRestorableTime), segment {one['last_segment'] or 'not known'}",
        )
        yield "not archived then", _open_segment(one)
        yield "loss is bounded by", _bound(account, one)
    if one["serving_ns"] is None:
        yield "users", "were never put on it: this was a test of the backup"
    else:
        yield "users", f"were served by it from {_signed(account, one['serving_ns'])} on"
    if one["problem"]:
        yield "not compared", one["problem"]


def _open_segment(one: Mapping[str, Any]) -> str:
    if one["open_segment"] is None:
        return "the segment that was open is not known: the source was gone or did not answer"
    return (
        f"segment {one['open_segment']}, which was open: had the source been lost, so had what only it holds"
    )


def _bound(account: Account, one: Mapping[str, Any]) -> str:
    rpa = account.verdict["rpa"]
    if one["serving_ns"] is None or not rpa["lost_rows"]:
        return "the moment that was restored to; nothing was lost by it"
    return (
        f"the moment that was restored to, not by the archive: {rpa['lost_rows']:,} rows acknowledged after it, until "
        "the damaged database was set aside"
    )


def _utc(text: str | None) -> str:
    if not text:
        return "at a time that is not known"
    at = datetime.fromisoformat(text)
    return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d} UTC"


def _signed(account: Account, at_ns: int) -> str:
    return f"{account.seconds(at_ns):+.2f}\N{NO-BREAK SPACE}s from the {'fault' if account.facts.fault else 'start'}"
