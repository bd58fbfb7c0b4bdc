"""What is to agree after users have left: asked on the operator's host until nothing is wrong, or patience ends.

Sagas and replication go on for a moment after the last request. Two stores are asked one after the other, so that what
comes between is wrong once, and not when they are asked again. It must not know what the stores hold.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from drdrill.core.errors import CommandFailedError, NotObservedError
from drdrill.core.waiting import wait_until
from drdrill.drill.psql import psql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drdrill.core.clock import Clock
    from drdrill.environment.port import Environment
    from drdrill.load.reconciliation import Place, Reconciliation, Side
    from drdrill.load.workload import Workload
    from drdrill.record.journal import Journal

_ASK_WITHIN = timedelta(seconds=30)
_EVERY = timedelta(milliseconds=500)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """One thing that is to agree: what was wrong in the end, and why it could not be asked (`` if it could)."""

    name: str
    wrong: tuple[str, ...]
    problem: str = ""


def reconcile_all(
    environment: Environment,
    workload: Workload,
    own_host: str,
    journal: Journal,
    *,
    clock: Clock,
    patience: timedelta,
) -> None:
    """Ask for everything that the workload wants to agree, and note what became of each."""
    operator, asked = (
        Operator(environment, workload, own_host),
        workload.journeys.reconcile if workload.journeys else [],
    )
    journal.append("reconciliation.begun", names=[one.name for one in asked])
    for one in asked:
        found = operator.reconcile(one, clock=clock, patience=patience)
        journal.append(
            "reconciliation.observed",
            name=found.name, across=one.wrong is None, wrong=list(found.wrong), problem=found.problem,
        )  # fmt: skip


class Operator:
    """Asks for the workload; `own_host`: where the users' own store is."""

    def __init__(self, environment: Environment, workload: Workload, own_host: str) -> None:
        self._environment = environment
        self._workload = workload
        self._own_host = own_host

    def reconcile(self, one: Reconciliation, *, clock: Clock, patience: timedelta) -> Reconciled:
        """Ask until nothing is wrong; what still is when patience ends, is."""
        wrong: tuple[str, ...] = ()

        def nothing_is_wrong() -> bool:
            nonlocal wrong
            wrong = tuple(self._find_wrong(one))
            return not wrong

        try:
            wait_until(nothing_is_wrong, what=one.name, within=patience, every=_EVERY, clock=clock)
        except NotObservedError:
            return Reconciled(one.name, wrong)
        except CommandFailedError as error:
            return Reconciled(one.name, (), last_words(error))
        return Reconciled(one.name, ())

    def _find_wrong(self, one: Reconciliation) -> list[str]:
        if one.command is not None:
            return self._read_lines(one.command)
        if one.pair is not None:
            left, right = one.pair
            return compare(left, self._query(left.keys, left.at), right, self._query(right.keys, right.at))
        assert one.wrong is not None  # noqa: S101  (one of the three is there)
        return self._query(one.wrong, one.at)

    def _query(self, statement: str, at: Place | None) -> list[str]:
        workload = self._workload
        if at is None:
            return self._read_lines(psql(self._own_host, workload.database, workload.user, statement))
        return self._read_lines(psql(at.host, at.database, at.user, statement))

    def _read_lines(self, command: Sequence[str]) -> list[str]:
        said = self._environment.run_for_operator(command, within=_ASK_WITHIN)
        return [line for line in said.splitlines() if line]


def compare(left: Side, lefts: Sequence[str], right: Side, rights: Sequence[str]) -> list[str]:
    """Say what only one of two sides has, or has more often than the other, in its order."""
    counts = Counter(lefts), Counter(rights)
    return [
        f"{key} {side.alone}"
        for side, more in ((left, counts[0] - counts[1]), (right, counts[1] - counts[0]))
        for key in more.elements()
    ]


def last_words(error: CommandFailedError) -> str:
    """Return what a program said is wrong; below `psql`'s there may be a mark under the place."""
    lines = str(error).strip().splitlines()
    return next((line for line in lines if "ERROR:" in line or "error:" in line), lines[-1])
