"""What users were told after a fault: from the log of those who read the company's status page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from drdrill.core.clock import NANOSECONDS
from drdrill.core.errors import DamagedRecordError
from drdrill.core.verdict import Verdict
from drdrill.measure.reason import Finding, Reason, count_times

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FOUND = 200
STATUS_LOG = "status-page.jsonl"


@dataclass(frozen=True, slots=True)
class Told:
    """When the status page said something else: boot-time ns, and the file with what it said."""

    at_ns: int
    file: str


@dataclass(frozen=True, slots=True)
class Notices:
    """What users were told after the fault. `longest_silence_ns`: between the fault, notices, and the end of it all."""

    told: tuple[Told, ...]
    first_ns: int | None
    longest_silence_ns: int


def read_notices(log: Path, fault_ns: int, until_ns: int) -> Notices | None:
    """Return what users were told between the fault and the end; None: nobody read the status page.

    Counted is a page that says something else than when it was last seen: that it was away meanwhile tells nobody
    anything. Raises `DamagedRecordError` for a log that is not one.
    """
    if not log.is_file():
        return None
    told: list[Told] = []
    last = ""
    try:
        for line in map(json.loads, log.read_text(encoding="utf-8").splitlines()):
            if int(line["status"]) != _FOUND or line["sha256"] == last:
                continue
            last, at_ns = str(line["sha256"]), int(line["at_ns"])
            if fault_ns <= at_ns <= until_ns:
                told.append(Told(at_ns, str(line["file"])))
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedRecordError(f"{log}: not as drdrill stores it: {error!r}.") from error
    moments = [fault_ns, *(one.at_ns for one in told), until_ns]
    silences = [later - earlier for earlier, later in pairwise(moments)]
    return Notices(tuple(told), told[0].at_ns - fault_ns if told else None, max(silences))


def check_notices(notices: Notices) -> Iterator[Reason]:
    """Demand that users were told anything at all."""
    if not notices.told:
        yield Reason(
            Verdict.MISSED,
            "users_not_told",
            "The status page never changed after the fault: users were not told.",
        )


def find_notices(notices: Notices) -> Iterator[Finding]:
    """Yield when users were told first, and for how long they heard nothing."""
    if notices.first_ns is not None:
        yield Finding(
            "users_told",
            f"Users were told {count_times(len(notices.told))}, first {notices.first_ns / NANOSECONDS:.0f} s after the "
            f"fault; the longest silence was {notices.longest_silence_ns / NANOSECONDS:.0f} s.",
        )
