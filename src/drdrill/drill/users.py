"""The users of a drill: the store that they write to is made ready, they come, are watched, and leave."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import TYPE_CHECKING

from drdrill.core.clock import NANOSECONDS
from drdrill.core.errors import DrdrillError, InvalidDrillError, NotObservedError
from drdrill.core.waiting import wait_until
from drdrill.drill.psql import psql
from drdrill.drill.reconciling import reconcile_all
from drdrill.measure.availability import judge_windows, read_samples, thresholds_of
from drdrill.measure.clientele import Clientele
from drdrill.measure.facts import read_facts
from drdrill.measure.outage import measure_outage
from drdrill.measure.restore import find_first_served
from drdrill.measure.watchers import read_watches
from drdrill.record.ledger import ClientKind, Outcome, outcomes_of, read_ledger

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from drdrill.core.clock import Clock
    from drdrill.drill.arrival import Arrival, Coming
    from drdrill.environment.port import Environment, StoreMember
    from drdrill.load.workload import Workload
    from drdrill.measure.outage import Outage
    from drdrill.measure.restore_facts import RestoredServer
    from drdrill.plan import Plan
    from drdrill.plan.model import Availability
    from drdrill.record.directory import DrillDirectory
    from drdrill.record.journal import Journal
    from drdrill.record.ledger import ClientLedger

_COME_TOGETHER_NS = (
    2 * NANOSECONDS
)  # a client's process starts in 0.4 s, in 1.5 s when all start at once on 2 cores
_PREPARE_WITHIN = timedelta(seconds=60)  # measured 0.1 s
_BESIDE_WITHIN = timedelta(seconds=20)  # its first request is due after 2 s
_LOOK_EVERY = timedelta(milliseconds=100)
_QUIET_WITHIN = timedelta(seconds=30)  # sagas end within 1 s of the last payment when nothing is broken
_READ_WITHIN = timedelta(minutes=10)  # measured 0.1 s for 20,000 rows


class Users:
    """Who writes to one store of an environment while it is drilled."""

    def __init__(
        self,
        environment: Environment,
        arrival: Arrival,
        *,
        workload: Workload,
        service: str,
        plan: Plan,
        availability: Availability,
        directory: DrillDirectory,
        journal: Journal,
        clock: Clock,
    ) -> None:
        self._environment = environment
        self._arrival = arrival
        self._workload = workload
        self._service = service
        self._plan = plan
        self._directory = directory
        self._journal = journal
        self._clock = clock
        self._thresholds = thresholds_of(availability)
        self._resource = plan.stores[workload.store].resource
        self._processes: tuple[str, ...] = ()
        self._asked: dict[str, str] = {}
        self._damaged = False
        self._restored: list[RestoredServer] = []
        self.present = False

    def prepare_store(self) -> None:
        """Make the tables that they write to, where nobody else does; those of an earlier drill go."""
        schema = self._arrival.schema
        if schema is not None:
            self._ask_store(schema, within=_PREPARE_WITHIN)

    def come(self, seed: int, *, peak: bool = False) -> None:
        """Start all clients; their first requests are due a moment later. `peak`: as many as come at peak load."""
        start_ns = self._clock.now_ns() + _COME_TOGETHER_NS
        ledger = self._directory.ledger
        self._start(self._arrival.plan(seed=seed, start_ns=start_ns, ledger=ledger, peak=peak), start_ns)
        self.watch(seed)

    def watch(self, seed: int, *, only: str | None = None) -> None:
        """Let those come who stand in each region, or again in one of them, and watch for two writers there."""
        start_ns = self._clock.now_ns() + _COME_TOGETHER_NS
        ledger = self._directory.ledger
        coming = self._arrival.plan_watchers(seed=seed, start_ns=start_ns, ledger=ledger, only=only)
        if coming is not None:
            self._start(coming, start_ns)

    def come_beside(self, member: StoreMember, seed: int) -> None:
        """Start a client in a member's zone that writes to its address, and wait until it is served there.

        Raises `InvalidDrillError` when it is not: then nothing is broken.
        """
        start_ns = self._clock.now_ns() + _COME_TOGETHER_NS
        coming = self._arrival.plan_beside(
            member, seed=seed, start_ns=start_ns, ledger=self._directory.ledger
        )
        self._start(coming, start_ns)
        (party,) = coming.parties
        what = f"{party.name} served at {member.address}"
        try:
            wait_until(
                lambda: self._is_served(party.name),
                what=what, within=_BESIDE_WITHIN, every=_LOOK_EVERY, clock=self._clock,
            )  # fmt: skip
        except NotObservedError as error:
            raise InvalidDrillError(f"Nothing was broken: {error}") from error

    def _is_served(self, name: str) -> bool:
        codes = [
            one.outcomes["code"] for one in read_ledger(self._directory.ledger) if one.client.name == name
        ]
        return any(bool((outcomes_of(each) == Outcome.ACKNOWLEDGED).any()) for each in codes)

    def _start(self, coming: Coming, start_ns: int) -> None:
        self.present = True
        # A watcher loses its power with its region; whether it watched is seen in what it was told.
        self._processes += tuple(party.name for party in coming.parties if not party.watches)
        self._asked |= coming.asked
        for party in coming.parties:
            path = self._directory.evidence / f"client-{party.name}.json"
            path.write_text(party.config, encoding="utf-8")
            self._environment.start_client(
                party.name,
                [sys.executable, "-m", party.module, str(path)],
                log=self._directory.logs / f"client-{party.name}.log",
                zone=party.zone,
            )
        told = {"services": dict(coming.asked)} if coming.asked else {}
        self._journal.append(
            "load.started",
            clients=[name for party in coming.parties for name in party.clients],
            processes=[party.name for party in coming.parties],
            start_ns=start_ns,
            **told,
            **coming.facts,
        )

    def leave(self) -> None:
        """Have all clients end, and say how they did."""
        statuses = self._environment.stop_clients(within=self._arrival.leave_within)
        self.present = False
        users = {name: status for name, status in statuses.items() if name in self._processes}
        watchers = {name: status for name, status in statuses.items() if name not in users}
        told = {"watchers": watchers} if watchers else {}
        self._journal.append("load.stopped", statuses=users, at_ns=self._clock.now_ns(), **told)

    def finish(self) -> None:
        """Have them leave, and ask what is to agree then; nobody asks where they wrote to the store itself."""
        self.leave()
        if self._arrival.schema is None:
            reconcile_all(
                self._environment,
                self._workload,
                self._endpoint(),
                self._journal,
                clock=self._clock,
                patience=_QUIET_WITHIN,
            )

    def _endpoint(self) -> str:
        return self._workload.endpoint or self._environment.observe_store(self._resource).endpoint

    @property
    def stability_ns(self) -> int:
        """Return for how long they have to be served until that counts as stable."""
        return self._thresholds.stability_ns

    def require_running(self) -> None:
        """Raise `InvalidDrillError` with a client's last words when one has ended: the load is not running."""
        running = self._environment.observe_clients()
        ended = [name for name in self._processes if not running.get(name, False)]
        if ended:
            log = self._directory.logs / f"client-{ended[0]}.log"
            said = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:])
            raise InvalidDrillError(f"The client process {ended[0]} does not run. Its last words:\n{said}")

    def find_unsteady(self) -> str:
        """Say which cohorts were not served without a fault for the plan's stability time until now; `` if all were."""
        ledgers = [one for one in self._read_ledgers() if one.client.kind is ClientKind.PROBER]
        unsteady = [one.client.name for one in ledgers if not self._is_steady(one)]
        return f"not up for the stability time: {', '.join(unsteady)}" if unsteady or not ledgers else ""

    def find_unwatched(self) -> str:
        """Say in which regions the watcher was not served yet, or not answered where nobody is; `` if none."""
        clientele = Clientele(read_facts(self._directory).loads, self._service)
        watches = read_watches(read_ledger(self._directory.ledger), clientele)
        serving = self._plan.regions.primary.name
        unseen = [one.region for one in watches if one.seen_ns(serving) is None]
        return f"the watcher is not served in {', '.join(unseen)}" if unseen else ""

    def _read_ledgers(self) -> list[ClientLedger]:
        """Read the ledgers of those who ask the service that the drill judges."""
        service = self._service
        return [
            one
            for one in read_ledger(self._directory.ledger)
            if self._asked.get(one.client.name, service) == service
        ]

    def _is_steady(self, ledger: ClientLedger) -> bool:
        thresholds = self._thresholds
        windows = judge_windows(read_samples(ledger), thresholds)
        if not len(windows.up):
            return False
        last_ns = int(windows.begin_ns[-1])
        recent = windows.begin_ns >= last_ns + thresholds.window_ns - thresholds.stability_ns
        long_enough = int(windows.begin_ns[0]) <= last_ns + thresholds.window_ns - thresholds.stability_ns
        return long_enough and bool(windows.up[recent].all())

    def observe_outage(self, fault_ns: int, fault_until_ns: int) -> Outage:
        """Measure what they had of a fault, up to now."""
        ledgers = self._read_ledgers()
        whole_ns = find_first_served(self._restored, ledgers) if self._damaged else None
        return measure_outage(ledgers, self._thresholds, fault_ns, fault_until_ns, whole_ns=whole_ns)

    def note_damage(self) -> None:
        """Be told that their data is not whole: they count as served only by a server that was restored."""
        self._damaged = True

    def note_restored(self, restored: Sequence[RestoredServer]) -> None:
        """Be told of all servers that were restored from backups until now."""
        self._restored = list(restored)

    def read_rows(self, path: Path, *, endpoint: str | None = None) -> None:
        """Read everything that they wrote from their store, or from another database; raises `CommandFailedError`."""
        query = f"copy ({self._arrival.rows}) to stdout (format binary)"
        self._environment.run_for_operator(self._psql(query, endpoint), within=_READ_WITHIN, output=path)

    def read_back_twice(self) -> None:
        """Read everything back twice; whatever it is that keeps one from it, the verdict is to say it."""
        for number in (1, 2):
            try:
                self.read_back(number)
            except DrdrillError as error:
                self._journal.append("survivors.unreadable", number=number, reason=str(error))

    def read_back(self, number: int) -> None:
        """Read everything that they wrote back from the store into `evidence/`; raises `CommandFailedError`."""
        path = self._directory.evidence / f"survivors-{number}.pgcopy"
        at_ns = self._clock.now_ns()
        self.read_rows(path)
        evidence = self._directory.describe_evidence(
            path, source=f"{self._workload.store}, read by its endpoint's name"
        )
        self._journal.append("survivors.read", number=number, at_ns=at_ns, **evidence)

    def _ask_store(self, statements: str, *, within: timedelta) -> None:
        self._environment.run_for_operator(self._psql(statements), within=within)

    def _psql(self, statements: str, endpoint: str | None = None) -> Sequence[str]:
        endpoint = endpoint or self._environment.observe_store(self._resource).endpoint
        return psql(endpoint, self._workload.database, self._workload.user, statements)
