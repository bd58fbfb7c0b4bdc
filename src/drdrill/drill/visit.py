"""A visit: users make their journeys on a mirror that stands, and leave; then all that they did is read back.

::

    users' process ──ledgers──▶ journeys measured
    rows read back ───────────▶ compared with the ledgers of writes
    the workload's reconcile ─▶ asked until nothing is wrong any more, or patience ends

All of it is in the visit's directory: `users.json` (who did what), `ledger/`, `users.log`, `rows.pgcopy`, `visit.json`.
"""

from __future__ import annotations

import re
import sys
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from drdrill.core.clock import NANOSECONDS, SystemClock
from drdrill.core.errors import CommandFailedError, EnvironmentFailedError
from drdrill.core.waiting import wait_until
from drdrill.drill.arrival import select_rows
from drdrill.drill.psql import psql
from drdrill.drill.reconciling import Operator, Reconciled, last_words
from drdrill.load.journey_config import Surroundings, plan_journeys
from drdrill.measure.journeys import Asked, measure_journeys
from drdrill.measure.loss import compare
from drdrill.measure.survivors import read_survivors
from drdrill.record.directory import write_json
from drdrill.record.ledger import read_ledger

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from drdrill.environment.port import Environment
    from drdrill.load.journey_config import JourneyConfig
    from drdrill.load.workload import Workload
    from drdrill.measure.journeys import JourneysMeasured
    from drdrill.measure.loss import Comparison
    from drdrill.measure.survivors import Survivors

_COME_NS = 2 * NANOSECONDS  # their process starts in 0.5 s, in 1.5 s on a busy machine
_LEAVE_WITHIN = timedelta(seconds=90)  # journeys under way are waited for
_QUIET_WITHIN = timedelta(seconds=60)  # sagas end within 1 s of the last payment when nothing is broken
_ASK_WITHIN = timedelta(seconds=30)
_EVERY = timedelta(milliseconds=500)
_CLIENTS_BITS = 10  # of clients' numbers; what is above tells visits of one mirror apart for 22 hours
_VISITS_BITS = 13
_SLOT_SECONDS = 10
_SUMMED = re.compile(r"\d+ times: ")


@dataclass(frozen=True, slots=True)
class Visited:
    """A visit and what was found. `rows`: the ledgers of writes against what the store has; None: it was not read."""

    seconds: float
    journeys: JourneysMeasured
    rows: Comparison | None
    problem: str
    amount_minor: int
    reconciled: tuple[Reconciled, ...]
    remarks: tuple[str, ...]

    @property
    def wrong_rows(self) -> dict[str, int]:
        """Return how many rows are not what users were told, by what is wrong with them; empty where none is."""
        rows = self.rows
        if rows is None:
            return {}
        counts = {
            "lost": len(rows.lost), "phantom": rows.phantom, "duplicated": rows.duplicated,
            "altered": rows.altered, "contradicted": rows.contradicted,
        }  # fmt: skip
        return {name: count for name, count in counts.items() if count}

    @property
    def steady(self) -> bool:
        """Whether every journey was completed, everything acknowledged is there, and nothing is wrong anywhere."""
        intact = self.rows is not None and not self.wrong_rows
        return self.journeys.whole and intact and not any(one.wrong or one.problem for one in self.reconciled)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        rows = self.rows
        return {
            "steady": self.steady,
            "seconds": self.seconds,
            "journeys": {
                name: {"begun": begun, "completed": self.journeys.completed[name]}
                for name, begun in self.journeys.begun.items()
            },
            "services": {name: one.to_json() for name, one in self.journeys.services.items()},
            "steps": [
                {"journey": journey, "step": step, **one.to_json()}
                for (journey, step), one in self.journeys.steps.items()
            ],
            "zones": [
                {"service": service, "zone": zone, **one.to_json()}
                for (service, zone), one in self.journeys.zones.items()
            ],
            "own_lateness_p99_ms": self.journeys.late_ms,
            "writes": {
                "problem": self.problem,
                "amount_minor": self.amount_minor,
                "acknowledged": rows.acknowledged if rows else None,
                "unknown": rows.unknown if rows else None,
                "wrong": self.wrong_rows,
            },
            "reconciled": [{**asdict(one), "wrong": list(one.wrong)} for one in self.reconciled],
            "remarks": list(self.remarks),
        }


def visit(
    environment: Environment,
    workload: Workload,
    folder: Path,
    *,
    zones: tuple[str, ...],
    resource: str,
    seconds: float,
    shape: list[float] | None,
    seed: int,
    tell: Callable[[float], None],
    patience: timedelta = _QUIET_WITHIN,
) -> Visited:
    """Let users come for `seconds`, and look what became of all that they did.

    `resource`: the cloud's name of the workload's store. `tell` hears how many seconds are over.
    `patience`: for how long something may be wrong, while sagas end. Raises `EnvironmentFailedError` when
    the users' process breaks.
    """
    clock = SystemClock()
    slot = int(clock.utc().timestamp()) // _SLOT_SECONDS % (1 << _VISITS_BITS)
    config = plan_journeys(
        workload,
        Surroundings(environment.resolver, zones, environment.authorities),
        seed=seed,
        first_number=(slot << _CLIENTS_BITS) + 1,
        start_ns=clock.now_ns() + _COME_NS,
        seconds=seconds,
        ledger=folder / "ledger",
        shape=shape,
    )
    path, log = folder / "users.json", folder / "users.log"
    path.write_text(config.to_json(), encoding="utf-8")
    environment.start_client(
        "journeys", [sys.executable, "-m", "drdrill.load.journey_client", str(path)], log=log
    )
    try:
        _await_end(environment, config, clock, tell)
    finally:
        status = environment.stop_clients(within=_LEAVE_WITHIN)["journeys"]
    remarks = _read_remarks(log)
    if status:
        raise EnvironmentFailedError(
            f"The users' process ended with status {status}: {' '.join(remarks[-3:])}"
        )
    ledgers = {one.client.name: one for one in read_ledger(config.ledger)}
    asked = [Asked(one.journey, one.step, one.service, ledgers[one.client.name]) for one in config.clients]
    own_host = workload.endpoint or environment.observe_store(resource).endpoint
    operator = Operator(environment, workload, own_host)
    reconciled = tuple(
        operator.reconcile(one, clock=clock, patience=patience) for one in config.journeys.reconcile
    )
    writes = [ledgers[one.client.name] for one in config.clients if one.writes]
    rows, problem = None, ""
    try:
        numbers = [one.client.number for one in writes]
        rows = compare(writes, _read_rows(environment, workload, folder, own_host, numbers))
    except CommandFailedError as error:
        problem = last_words(error)
    found = Visited(
        seconds=seconds,
        journeys=measure_journeys(asked, config.zones),
        rows=rows,
        problem=problem,
        amount_minor=sum(int(one.attempts["amount"].sum()) for one in writes),
        reconciled=reconciled,
        remarks=remarks,
    )
    write_json(folder / "visit.json", found.to_json())
    return found


def _await_end(
    environment: Environment, config: JourneyConfig, clock: SystemClock, tell: Callable[[float], None]
) -> None:
    """Wait until the users' process has ended by itself."""

    def ended() -> bool:
        tell(max(0.0, (clock.now_ns() - config.start_ns) / NANOSECONDS))
        return not environment.observe_clients()["journeys"]

    within = timedelta(seconds=config.seconds + config.give_up_seconds + 60)
    wait_until(ended, what="the end of the users' journeys", within=within, every=_EVERY, clock=clock)


def _read_remarks(log: Path) -> tuple[str, ...]:
    """Return how often what went wrong, as their process summed it up; all that it said where it did not."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    summed = tuple(line for line in lines if _SUMMED.match(line))
    return summed or tuple(line for line in lines if line != "ready")


def _read_rows(
    environment: Environment, workload: Workload, folder: Path, host: str, numbers: list[int]
) -> Survivors:
    """Read the rows of this visit back: those whose ids are of its clients."""
    query = select_rows(workload, numbers)
    path = folder / "rows.pgcopy"
    command = psql(host, workload.database, workload.user, f"copy ({query}) to stdout (format binary)")
    environment.run_for_operator(command, within=_ASK_WITHIN, output=path)
    return read_survivors(path)
