"""How long a failover of the mirror lasts at a client, beside PostgreSQL's bare promotion.

A Multi-AZ instance in a mirror whose failure detection is modelled as zero: its primary's host loses power. In
turns with it two bare servers: the primary is killed and the standby promoted. The same client looks at both.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING

from _bare_promotion import promote_bare
from _clients import (
    COHORTS,
    HASTY,
    HASTY_NAME,
    Server,
    configure_cohorts,
    configure_hasty,
    measure_gap,
    read_acknowledged,
)
from _figures import Figure, Reference, median, print_figures, round_all, say
from _hasty_client import CONNECT_SECONDS
from _impatient import impatient_mirror
from _reaction import Reaction, read_reaction
from drdrill.core.clock import SystemClock
from drdrill.core.waiting import wait_until
from drdrill.dataplane.postgresql_programs import PORT
from drdrill.environment.port import FaultRequest, StoreRole
from drdrill.load.workload import Workload, load_workload
from drdrill.plan import load_plan
from drdrill.record.ledger import servers_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from drdrill.environment.port import StoreState
    from drdrill.mirror.embedded import Embedded

TARGET = 3.0
_WORKLOAD = Path("environments/embedded/workload.yaml")
_WITHIN = timedelta(seconds=60)  # measured 1 to 5 s
_EVERY = timedelta(milliseconds=100)
_LEDGER_POLL = timedelta(milliseconds=200)
_SETTLED_SECONDS = 1.0
_CLOCK = SystemClock()


@dataclass(frozen=True, slots=True)
class Outage:
    """What clients had of one failover, in seconds: the hasty one, and the slowest of those that honour the TTL."""

    hasty: float
    cohorts: float
    reaction: Reaction

    def __str__(self) -> str:
        return f"{self.hasty * 1e3:.0f} ms ({self.reaction}), with the TTL {self.cohorts:.1f} s"


def main() -> None:
    """Fail the mirror and the bare servers over, in turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    workload = load_workload(_WORKLOAD)
    outages: list[Outage] = []
    bare: list[float] = []
    with (
        tempfile.TemporaryDirectory(prefix="drdrill-failover-") as name,
        impatient_mirror(Path(name)) as environment,
    ):
        resource = load_plan(Path("scenarios/plan.yaml")).stores[workload.store].resource
        mirror = _Mirror(environment, resource, Path(name), workload)
        mirror.create_tables()
        for number in range(1, arguments.rounds + 1):
            mirror.await_protected()
            bare.append(promote_bare(workload, synchronous=True))
            outages.append(mirror.fail_over(number))
            told = f"bare promotion {bare[-1] * 1e3:.0f} ms; mirror {outages[-1]}"
            say(f"round {number} of {arguments.rounds}: {told}")
    print_figures("multi_az", _figures(outages, bare))


def _figures(outages: Sequence[Outage], bare: Sequence[float]) -> list[Figure]:
    hasty, slowest = [one.hasty for one in outages], [one.cohorts for one in outages]
    ratios = [ours / theirs for ours, theirs in zip(hasty, bare, strict=True)]
    promotion = Reference("bare promotion", median(bare), "s")
    connecting = (
        f"connects anew and resolves for each of its 200 writes a second (time-out {CONNECT_SECONDS:g} s)"
    )
    return [
        Figure(
            name="failover outage ÷ bare promotion",
            value=median(ratios),
            unit="ratio",
            target=TARGET,
            better="lower",
            method=(
                "Power cut of the primary's host, failure detection modelled as 0: from the old server's last good "
                f"answer to the new one's first at a client that {connecting}, ÷ from promoting a bare synchronous "
                "standby to its first accepted write over an open connection, tried every 1 ms; in turns, median of "
                "the pairs."
            ),
            samples=round_all(ratios),
            reference=promotion,
        ),
        Figure(
            name="failover outage, connecting anew",
            value=median(hasty),
            unit="s",
            better="lower",
            method=f"The outage of that ratio: at a client that {connecting}.",
            samples=round_all(hasty),
            reference=promotion,
        ),
        Figure(
            name="failover outage, honouring the TTL",
            value=median(slowest),
            unit="s",
            better="lower",
            method=(
                f"The same failovers at clients that keep an address for its TTL of 5 s: the slowest of {COHORTS} "
                "cohorts whose caches expire one after another, 5 writes a second each."
            ),
            samples=round_all(slowest),
            reference=promotion,
        ),
        *_reactions([one.reaction for one in outages]),
    ]


def _reactions(reactions: Sequence[Reaction]) -> list[Figure]:
    """Return how soon the mirror acts: both figures begin with the cut, which is why it is their reference."""
    events, asked = [one.event for one in reactions], [one.asked for one in reactions]
    cut = Reference("the cut itself", median([one.gone for one in reactions]), "s")
    begins = (
        "The same failovers: from the moment before the power is cut (the host's first process is killed)"
    )
    return [
        Figure(
            name="reaction to a loss of power, event",
            value=median(events), unit="s", better="lower", samples=round_all(events), reference=cut,
            method=f"{begins} to RDS's event that says that the failover has begun, with the instance's status.",
        ),
        Figure(
            name="reaction to a loss of power, first act",
            value=median(asked), unit="s", better="lower", samples=round_all(asked), reference=cut,
            method=f"{begins} to `received promote request` in the standby's own log, which is exact to 1 ms.",
        ),
    ]  # fmt: skip


# -- the mirror --------------------------------------------------------------------------------------------------


class _Mirror:
    """A mirror with one Multi-AZ instance that is failed over again and again."""

    def __init__(self, environment: Embedded, resource: str, folder: Path, workload: Workload) -> None:
        self._environment = environment
        self._resource = resource
        self._folder = folder
        self._workload = workload
        self._endpoint = environment.observe_store(resource).endpoint

    def create_tables(self) -> None:
        """Make the tables that clients write to."""
        workload = self._workload
        self._environment.run_for_operator(
            ["psql", "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--host", self._endpoint, "--username",
             workload.user, "--dbname", workload.database, "--command", workload.schema_],
            within=_WITHIN,
        )  # fmt: skip

    def await_protected(self) -> StoreState:
        """Wait until the instance has its standby."""
        return self._await("a standby in sync", lambda state: state.protected)

    def fail_over(self, number: int) -> Outage:
        """Let clients come, cut the power of the primary's host, and look until all are served by the new one."""
        environment, ledger = self._environment, self._folder / f"ledger-{number}"
        self._start_clients(ledger, first_number=number * (COHORTS + 1))
        before = self.await_protected()
        self._await_answers(ledger, _primary(before))
        _CLOCK.sleep(_SETTLED_SECONDS)
        request = FaultRequest("host_power_loss", "", self._resource, StoreRole.PRIMARY)
        injection = environment.faults.inject(request)
        after = self._await("a promotion", lambda state: state.promotions > before.promotions)
        self._await_answers(ledger, _primary(after))
        environment.stop_clients(within=_WITHIN)
        environment.faults.heal(injection)
        gaps = {
            name: measure_gap(written, old=_primary(before), new=_primary(after))
            for name, written in read_acknowledged(ledger).items()
        }
        return Outage(
            gaps.pop(HASTY_NAME),
            max(gaps.values()),
            read_reaction(environment.world.directory.logs, injection, after),
        )

    def _await_answers(self, ledger: Path, server: int) -> None:
        """Wait until every client has had a good answer from this server."""

        def answered() -> bool:
            clients = read_acknowledged(ledger)
            served = [name for name, written in clients.items() if server in servers_of(written["code"])]
            return len(served) == 1 + COHORTS

        wait_until(answered, what="good answers to all clients", within=_WITHIN, every=_LEDGER_POLL)

    def _await(self, what: str, holds: Callable[[StoreState], bool]) -> StoreState:
        def look() -> StoreState | None:
            state = self._environment.observe_store(self._resource)
            return state if state.status == "available" and holds(state) else None

        state = wait_until(look, what=what, within=_WITHIN, every=_EVERY)
        assert state is not None  # noqa: S101  (a reading that was true in a boolean context)
        return state

    def _start_clients(self, ledger: Path, *, first_number: int) -> None:
        workload = self._workload
        server = Server(self._endpoint, PORT, workload.user, workload.database, self._environment.resolver)
        for config, program in (
            (configure_hasty(workload, server, ledger, number=first_number), [str(HASTY)]),
            (
                configure_cohorts(workload, server, ledger, first_number=first_number + 1),
                ["-m", "drdrill.load.client"],
            ),
        ):
            path = ledger.with_name(f"{ledger.name}-{config.name}.json")
            path.write_text(config.to_json(), encoding="utf-8")
            command = [sys.executable, *program, str(path)]
            self._environment.start_client(config.name, command, log=path.with_suffix(".log"))


def _primary(state: StoreState) -> int:
    """Return the primary's address as ledgers have it."""
    return int(IPv4Address(next(one.address for one in state.members if one.role is StoreRole.PRIMARY)))


if __name__ == "__main__":
    main()
