"""What the store has after recovery, against what its users were told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drdrill.core.clock import NANOSECONDS
from drdrill.core.errors import DamagedRecordError
from drdrill.core.verdict import Verdict
from drdrill.measure.disagreement import compare_readings
from drdrill.measure.losing_side import find_losing_side, measure_gap
from drdrill.measure.loss import compare
from drdrill.measure.reason import Finding, Reason
from drdrill.measure.replication import explain
from drdrill.measure.restore import explain_by_restore
from drdrill.measure.stored_rows import hash_rows
from drdrill.measure.survivors import read_survivors

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from drdrill.measure.disagreement import Disagreement
    from drdrill.measure.facts import Facts, Reading
    from drdrill.measure.losing_side import LosingSide
    from drdrill.measure.loss import Comparison
    from drdrill.measure.replication import Cut, Explanation
    from drdrill.measure.survivors import Survivors
    from drdrill.measure.writers import WritersWatch
    from drdrill.record.ledger import ClientLedger

_READINGS = (1, 2)
_GAP_SPAN_NS = 5 * NANOSECONDS  # before the fault, at the load's steady rate
_LAG_DIFFERENCE_NS = NANOSECONDS


@dataclass(frozen=True, slots=True, eq=False)
class ReadBack:
    """The survivors: the latest readable reading, how the two differ, what could not be read."""

    survivors: Survivors | None
    disagreement: Disagreement | None
    unreadable: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Integrity:
    """Rows that should be there and are not, and all other differences. `gap_ns`: the RPA's resolution."""

    comparison: Comparison
    losing_side: LosingSide | None
    explanation: Explanation | None
    gap_ns: int | None

    @property
    def rpa_ns(self) -> int:
        """Return the span of lost acknowledgements, 0 when none is lost."""
        return self.losing_side.rpa_ns if self.losing_side else 0


def read_back(facts: Facts) -> ReadBack:
    """Read both readings; what cannot be read, or is not what was stored, is said and not raised."""
    latest = _latest(facts)
    unreadable, survivors = [], []
    by_hash: dict[str, Survivors] = {}  # two readings of one content are in memory once
    with ThreadPoolExecutor(len(_READINGS)) as threads:  # hashing needs no interpreter: both files at once
        hashed = [
            threads.submit(hash_rows, latest.get(number), f"survivors of reading {number}")
            for number in _READINGS
        ]
    for found in hashed:
        try:
            survivors.append(_read(*found.result(), by_hash))
        except DamagedRecordError as error:
            unreadable.append(str(error))
    disagreement = compare_readings(survivors[0], survivors[1]) if len(survivors) == len(_READINGS) else None
    return ReadBack(survivors[-1] if survivors else None, disagreement, tuple(unreadable))


def _latest(facts: Facts) -> dict[int, Reading]:
    return {reading.number: reading for reading in facts.readings}


def _read(path: Path, digest: str, by_hash: dict[str, Survivors]) -> Survivors:
    if digest not in by_hash:
        by_hash[digest] = read_survivors(path)
    return by_hash[digest]


def check_read_back(facts: Facts, back: ReadBack) -> Iterator[Reason]:
    """Demand two readings after the last write that agree."""
    for problem in back.unreadable:
        yield Reason(Verdict.INCONCLUSIVE, "survivors_unreadable", problem)
    differs = back.disagreement
    if differs:
        yield Reason(
            Verdict.INCONCLUSIVE,
            "readings_disagree",
            f"Of the rows read first, {differs.vanished} were gone later and {differs.changed} had changed; "
            f"{differs.appeared} were new.",
        )
    stopped_ns = facts.load_stopped_ns
    read = [reading for reading in _latest(facts).values() if reading.path]
    if any(stopped_ns is None or reading.at_ns < stopped_ns for reading in read):
        yield Reason(
            Verdict.INCONCLUSIVE,
            "read_too_early",
            "Survivors were read while clients may still have written.",
        )


def compare_rows(
    ledgers: Sequence[ClientLedger], survivors: Survivors, cut: Cut, facts: Facts, resource: str
) -> Integrity:
    """Compare survivors and ledgers, and ask restores, or replication, for an explanation of what is lost."""
    comparison = compare(ledgers, survivors)
    new_ns = {one.server.address: one.server.from_ns for one in facts.restores}
    losing = find_losing_side(ledgers, survivors, comparison.lost, new_ns)
    explanation = None
    if losing:
        explanation = explain_by_restore(facts.restores, ledgers, comparison.lost, losing) or explain(
            cut, losing, facts.primaries.get(resource)
        )
    return Integrity(
        comparison,
        losing,
        explanation,
        measure_gap(ledgers, facts.fault.before_ns, _GAP_SPAN_NS) if facts.fault else None,
    )


def check_rows(integrity: Integrity) -> Iterator[Reason]:
    """Demand that nothing is lost without explanation and nothing is there that should not be."""
    rows = integrity.comparison
    if integrity.explanation and not integrity.explanation.explained:
        yield _missed(
            "loss_unexplained",
            f"{_count(len(rows.lost))} acknowledged and lost: {integrity.explanation.text}.",
        )
    for code, count, what in (
        ("altered", rows.altered, "there with another amount than was written"),
        ("duplicated", rows.duplicated, "there more than once"),
        ("phantom", rows.phantom, "there that nobody attempted to write"),
        ("contradicted", rows.contradicted, "there although the client was told that they are not"),
    ):
        if count:
            yield _missed(code, f"{_count(count)} {what}; for example id {rows.examples[code][0]}.")


def check_writers(watch: WritersWatch) -> Iterator[Reason]:
    """Demand one writer at a time."""
    if watch.two_writers:
        ids = " and ".join(str(one.id) for one in watch.evidence)
        yield _missed(
            "two_writers",
            f"Two {'regions' if watch.places else 'servers'} acknowledged writes during one tenure: the writer's place "
            "changed at least "
            f"{watch.alternations} times, {watch.allowed} can be explained; see the writes {ids}.",
        )


def find_in_rows(integrity: Integrity, cut: Cut, *, restored: bool = False) -> Iterator[Finding]:
    """Yield what is worth attention in the rows without being a verdict.

    `restored`: what is lost is a restore's, which no lag has to explain.
    """
    losing, rows = integrity.losing_side, integrity.comparison
    if losing and losing.holes:
        yield Finding(
            "holes", f"{_count(losing.holes)} lost although later ones of the same server survived."
        )
    if rows.reordered:
        yield Finding(
            "reordered",
            f"{_count(rows.reordered)} placed before one that was acknowledged before they were attempted; "
            f"for example id {rows.examples['reordered'][0]}.",
        )
    if (
        losing
        and not restored
        and cut.lag_ns is not None
        and abs(losing.rpa_ns - cut.lag_ns) > _LAG_DIFFERENCE_NS
    ):
        yield Finding(
            "lag_differs",
            f"{losing.rpa_ns / NANOSECONDS:.3f} s of acknowledgements are lost, but the standby's lag at the "
            f"fault was {cut.lag_ns / NANOSECONDS:.3f} s.",
        )


def _missed(code: str, text: str) -> Reason:
    return Reason(Verdict.MISSED, code, text)


def _count(rows: int) -> str:
    return "1 row is" if rows == 1 else f"{rows} rows are"
