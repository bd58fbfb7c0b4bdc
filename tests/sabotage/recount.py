"""A count of the loss that shares nothing with `drdrill.measure`: the files' formats in plain Python, row by row."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_ATTEMPT = struct.Struct("<QqQ")
_OUTCOME = struct.Struct("<QQQ")
_ROW = struct.Struct(">hiqiqiq")
_HEADER = len(b"PGCOPY\n\xff\r\n\0") + 8
_ACKNOWLEDGED = 1


@dataclass(frozen=True, slots=True)
class Recount:
    """What is lost: rows, their amount in minor units, and the time of acknowledgements that is gone."""

    rows: int
    amount: int
    seconds: float


def read_amounts(path: Path) -> dict[int, int]:
    """Return the amount of each attempt of a client's `.attempts`, by id."""
    return {identifier: amount for identifier, amount, _ in _ATTEMPT.iter_unpack(path.read_bytes())}


def read_surviving_ids(path: Path) -> set[int]:
    """Return the ids in a binary COPY of three bigint columns."""
    content = path.read_bytes()
    assert content.endswith(b"\xff\xff")
    return {row[2] for row in _ROW.iter_unpack(content[_HEADER:-2])}


def recount(ledger: Path, survivors: Path) -> Recount:
    """Count what was acknowledged and is not there, and how much of the losing server's time is gone."""
    there = read_surviving_ids(survivors)
    acknowledged: list[tuple[int, int, int, int]] = []  # when, by which server, id, amount
    for about in sorted(ledger.glob("*.json")):
        if json.loads(about.read_text(encoding="utf-8"))["kind"] == "control":
            continue
        amounts = read_amounts(about.with_suffix(".attempts"))
        for identifier, at_ns, code in _OUTCOME.iter_unpack(about.with_suffix(".outcomes").read_bytes()):
            if code & 0xFF == _ACKNOWLEDGED:
                acknowledged.append((at_ns, code >> 32, identifier, amounts[identifier]))
    lost = sorted(one for one in acknowledged if one[2] not in there)
    if not lost:
        return Recount(0, 0, 0.0)
    losers = {server for _, server, _, _ in lost}
    assert len(losers) == 1, "only the primary at the fault can lose what it had not sent"
    last_ns = max(at_ns for at_ns, server, _, _ in acknowledged if server in losers)
    return Recount(len(lost), sum(one[3] for one in lost), (last_ns - lost[0][0]) / 1e9)


def count_writes_lost(ledger: Path, survivors: Path) -> tuple[int, int]:
    """Count the writes that were acknowledged and are not there, and their amount; who only reads has none."""
    there, rows, amount = read_surviving_ids(survivors), 0, 0
    for about in sorted(ledger.glob("*.json")):
        if json.loads(about.read_text(encoding="utf-8"))["kind"] == "control":
            continue
        amounts = read_amounts(about.with_suffix(".attempts"))
        acknowledged = {
            identifier
            for identifier, _, code in _OUTCOME.iter_unpack(about.with_suffix(".outcomes").read_bytes())
            if code & 0xFF == _ACKNOWLEDGED
        }
        for identifier in acknowledged - there:
            rows += amounts[identifier] > 0
            amount += amounts[identifier]
    return rows, amount
