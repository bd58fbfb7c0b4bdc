"""Restores from backups, proven: the rows that were restored against what users had been told, row by row.

A restore is judged by its contents, never by its status. With P the moment that was restored to:

| Row | must be |
|---|---|
| acknowledged by P | there: it was committed before its acknowledgement |
| begun after P | not there: it was committed later |
| begun by P, acknowledged after it or never | either: nobody knows on which side of P it was committed |

A snapshot has no single moment: P is its begin for what has to be there, and its end for what must not be. What
P is on the ledger's clock is known to within a bound, so rows closer to it than that may be either, too.

The same moment bounds the loss when users are put on the restored database: what they were told after P is lost,
and that is what a restore does. A row that is gone although it was acknowledged before P is not explained by it, nor is
one that was begun when the restored database served already: somebody wrote beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from drdrill.core.clock import NANOSECONDS
from drdrill.core.errors import DamagedRecordError
from drdrill.core.verdict import Verdict
from drdrill.measure.history import NEVER, read_acknowledgements
from drdrill.measure.presence import match, writers_of
from drdrill.measure.reason import Reason
from drdrill.measure.replication import Explanation
from drdrill.measure.stored_rows import read_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from drdrill.measure.facts import Facts, Reading
    from drdrill.measure.losing_side import LosingSide
    from drdrill.measure.loss import LostRows
    from drdrill.measure.restore_facts import Restore, RestoredServer
    from drdrill.measure.survivors import Survivors
    from drdrill.record.ledger import ClientLedger

_EXAMPLES = 5
_ASKED_WITHIN_NS = NANOSECONDS // 100  # the journal's wall clock is written to the millisecond


@dataclass(frozen=True, slots=True)
class RestoreProof:
    """One restore and its rows. `problem`: why they could not be compared, `` where they were.

    `expected`: acknowledged by the moment restored to; `missing` of them are not there. `later`: there, and begun
    after it. `in_doubt`: may be there or not. `altered`, `phantom`: as in `loss`. `examples`: the first missing ids.
    `serving_ns`: when the restored server first acknowledged a write of a user; None: users were never put on it.
    """

    restore: Restore
    serving_ns: int | None
    problem: str = ""
    expected: int = 0
    missing: int = 0
    later: int = 0
    in_doubt: int = 0
    altered: int = 0
    phantom: int = 0
    examples: tuple[int, ...] = ()

    @property
    def differs(self) -> int:
        """Return how many rows are not as they have to be."""
        return self.missing + self.later + self.altered + self.phantom


@dataclass(frozen=True, slots=True)
class Destroyed:
    """Acknowledged rows that a fault destroyed, and how many of them are there again, or still missing."""

    rows: int
    recovered: int

    @property
    def missing(self) -> int:
        """Return how many of them are not there."""
        return self.rows - self.recovered


def prove_restores(facts: Facts, ledgers: Sequence[ClientLedger]) -> tuple[RestoreProof, ...]:
    """Compare every restore with the ledgers; what could not be read is said and not raised."""
    return tuple(_prove(restore, ledgers) for restore in facts.restores)


def _prove(restore: Restore, ledgers: Sequence[ClientLedger]) -> RestoreProof:
    serving_ns = first_acknowledged_by(restore.server, ledgers)
    try:
        rows = read_rows(restore.reading, f"rows of {restore.resource}")
    except DamagedRecordError as error:
        return RestoreProof(restore, serving_ns, problem=str(error))
    return compare_restored(restore, ledgers, rows, serving_ns)


def compare_restored(
    restore: Restore, ledgers: Sequence[ClientLedger], rows: Survivors, serving_ns: int | None = None
) -> RestoreProof:
    """Compare restored rows with what clients were told by the moment that was restored to."""
    safe_ns, end_ns = restore.from_ns - restore.bound_ns, restore.until_ns + restore.bound_ns
    expected = missing = later = in_doubt = altered = phantom = 0
    examples: list[int] = []
    for history, presence in match(ledgers, rows):
        due = history.acknowledged & (history.acknowledged_ns <= safe_ns)
        attempted = history.attempts > 0
        begun_later = attempted & (history.attempted_ns > end_ns)
        gone = due & ~presence.there
        expected += int(np.count_nonzero(due))
        missing += int(np.count_nonzero(gone))
        later += int(np.count_nonzero(begun_later & presence.there))
        in_doubt += int(np.count_nonzero(attempted & ~due & ~begun_later & ~history.refused))
        altered += int(np.count_nonzero(presence.altered))
        phantom += len(presence.phantoms)
        examples += history.ids(gone)[: _EXAMPLES - len(examples)].tolist()
    phantom += len(rows.of_others({ledger.client.number for ledger in writers_of(ledgers)}))
    return RestoreProof(
        restore,
        serving_ns,
        expected=expected,
        missing=missing,
        later=later,
        in_doubt=in_doubt,
        altered=altered,
        phantom=phantom,
        examples=tuple(examples),
    )


def first_acknowledged_by(server: RestoredServer, ledgers: Sequence[ClientLedger]) -> int | None:
    """Return when a restored server first acknowledged a write; None: it never did."""
    first_ns = NEVER
    for ledger in writers_of(ledgers):
        for told in read_acknowledgements(ledger):
            if told.server == server.address:
                given_ns = told.acknowledged_ns[server.gave(told.server, told.acknowledged_ns)]
                first_ns = min(first_ns, int(given_ns.min(initial=NEVER)))
    return None if first_ns == NEVER else first_ns


def find_whole_again(facts: Facts, ledgers: Sequence[ClientLedger]) -> int | None:
    """Return when users were first served from restored data; None: no fault destroyed any. `NEVER`: they were not."""
    if facts.damage is None:
        return None
    return find_first_served([restore.server for restore in facts.restores], ledgers)


def find_first_served(servers: Sequence[RestoredServer], ledgers: Sequence[ClientLedger]) -> int:
    """Return when one of these servers first acknowledged a write; `NEVER`: none did."""
    served = (first_acknowledged_by(server, ledgers) for server in servers)
    return min((at_ns for at_ns in served if at_ns is not None), default=NEVER)


def find_destroyed(damage: Reading, ledgers: Sequence[ClientLedger], survivors: Survivors) -> Destroyed:
    """Compare what was left right after the fault, and at last, with what users had been told by then.

    A table that could not be read any more had nothing left, if it was the server that said so. Raises
    `DamagedRecordError` where nobody got so far as to ask it.
    """
    if damage.path is None and "ERROR:" not in damage.unreadable:
        raise DamagedRecordError(f"Nobody knows what the fault left: {damage.unreadable}.")
    left = None if damage.path is None else read_rows(damage, "rows left by the fault")
    told: list[tuple[NDArray[np.bool_], NDArray[np.bool_]]] = []
    for history, presence in match(ledgers, survivors):
        told.append((history.acknowledged_ns <= damage.at_ns, presence.there))
    destroyed = [before for before, _ in told]
    if left is not None:
        destroyed = [
            before & ~presence.there
            for before, (_, presence) in zip(destroyed, match(ledgers, left), strict=True)
        ]
    recovered = sum(
        int(np.count_nonzero(gone & there)) for gone, (_, there) in zip(destroyed, told, strict=True)
    )
    return Destroyed(sum(int(np.count_nonzero(gone)) for gone in destroyed), recovered)


def explain_by_restore(
    restores: Sequence[Restore], ledgers: Sequence[ClientLedger], lost: LostRows, losing: LosingSide
) -> Explanation | None:
    """Tell whether a restore explains that acknowledged rows are lost; None: users were put on no restored database."""
    serving = [(one, first_acknowledged_by(one.server, ledgers)) for one in restores]
    in_place = [(one, at_ns) for one, at_ns in serving if at_ns is not None]
    if not in_place:
        return None
    restore, serving_ns = in_place[-1]
    objection = next(_object(restore, serving_ns, lost, losing), None)
    if objection is not None:
        return Explanation(False, objection)
    last_ns = int(lost.acknowledged_ns[-1]) - restore.until_ns
    return Explanation(
        True,
        f"the lost rows were acknowledged after {restore.until_utc}, the time that was restored to, by the database "
        f"that was given up {last_ns / NANOSECONDS:.3f} s later",
    )


def _object(restore: Restore, serving_ns: int, lost: LostRows, losing: LosingSide) -> Iterator[str]:
    """Say what about lost rows a restore that serves users since a moment does not explain."""
    early = int(np.count_nonzero(lost.acknowledged_ns <= restore.from_ns - restore.bound_ns))
    if early:
        yield f"{early} of them were acknowledged before {restore.until_utc}, which was restored"
    if restore.server.gave(lost.servers, lost.acknowledged_ns).any():
        yield "the restored server itself acknowledged some of them"
    beside = int(np.count_nonzero(lost.attempted_ns > serving_ns))
    if beside:
        yield f"{beside} of them were begun after the restored server had acknowledged its first write"
    if losing.holes:
        yield f"{losing.holes} of them precede surviving ones of the same server; a restore loses only a suffix"
    if restore.latest_ns is not None and restore.until_ns > restore.latest_ns:
        yield f"the log was archived until {restore.latest_utc} only"


def check_restores(proofs: Sequence[RestoreProof]) -> Iterator[Reason]:
    """Demand that the moment asked for was restored, and that its rows were read and are what had to be in it."""
    for proof in proofs:
        name, asked_ns = proof.restore.resource, proof.restore.asked_ns
        allowed_ns = proof.restore.bound_ns + _ASKED_WITHIN_NS
        if asked_ns is not None and abs(proof.restore.until_ns - asked_ns) > allowed_ns:
            yield Reason(
                Verdict.MISSED,
                "restored_to_another_time",
                f"{name} was restored to {proof.restore.until_utc}; "
                f"the moment to restore was {proof.restore.asked_utc}.",
            )
        if proof.problem:
            yield Reason(Verdict.INCONCLUSIVE, "restore_not_read", proof.problem)
            continue
        if not proof.expected:
            yield Reason(
                Verdict.INCONCLUSIVE,
                "restore_proves_nothing",
                f"{name}: users had been told of no row by {proof.restore.until_utc}, so nothing had to be in it.",
            )
        if proof.missing:
            yield Reason(
                Verdict.MISSED,
                "restore_lacks_rows",
                f"{name}, restored from {proof.restore.base}, lacks {proof.missing} of the {proof.expected} rows that "
                f"users had been told are there; for example id {proof.examples[0]}.",
            )
        for code, count, what in (
            ("restore_has_later_rows", proof.later, f"begun after {proof.restore.until_utc}"),
            ("restore_altered", proof.altered, "with another amount than was written"),
            ("restore_phantom", proof.phantom, "that nobody attempted to write"),
        ):
            if count:
                rows = "row" if count == 1 else "rows"
                yield Reason(Verdict.MISSED, code, f"{name} was restored with {count} {rows} {what}.")


def check_destroyed(destroyed: Destroyed) -> Iterator[Reason]:
    """Demand that a fault that is to destroy rows destroyed some: else there was nothing to be restored."""
    if not destroyed.rows:
        yield Reason(Verdict.INVALID, "nothing_destroyed", "The fault destroyed no acknowledged row.")
