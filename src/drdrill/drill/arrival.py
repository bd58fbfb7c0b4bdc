"""How users come to a drill: straight to the store, or by the public name to the whole system.

Each way is an `Arrival`: which processes are started, which service each client asks, and which rows are theirs.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from drdrill.core.clock import NANOSECONDS
from drdrill.core.errors import UsageError
from drdrill.dataplane.postgresql_programs import PORT
from drdrill.load.clients import Target, plan_client_beside, plan_clients
from drdrill.load.journey_config import Surroundings, plan_journeys, plan_watcher
from drdrill.measure.notices import STATUS_LOG
from drdrill.plan.scenario import DisasterClass, MirrorExtent
from drdrill.record.ledger import ClientKind, make_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from drdrill.environment.port import Environment, StoreMember
    from drdrill.load.config import ClientConfig
    from drdrill.load.journeys import Watchers
    from drdrill.load.workload import Workload
    from drdrill.plan import Plan
    from drdrill.plan.model import Region
    from drdrill.plan.scenario import Scenario

_DIRECTLY_WITHIN = timedelta(seconds=30)  # the longest time-out of a request, and their last records
_TRAVELLING_WITHIN = timedelta(seconds=90)  # journeys under way are waited for
_TRAVELLERS = "drdrill.load.journey_client"
_WAYS_WITHIN = timedelta(seconds=30)  # AWS's API of two regions is asked once each
_WATCHERS = 2  # in each region, in zones of their own: one may lose its power
_ALL_DAY_SECONDS = 86_400.0  # they leave when they are told to
_CLIENTS_BITS = 12  # of clients' numbers: the highest bits left to tell drills on one standing mirror apart
_SLOTS_BITS = 11
_SLOT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Party:
    """A process of clients: `module` is run with a file of `config`. `zone`: where; None: where users are.

    `watches`: the region that it stands in to watch for two writers, and may lose its power with.
    """

    name: str
    module: str
    config: str
    clients: tuple[str, ...]
    zone: str | None = None
    watches: str = ""


@dataclass(frozen=True, slots=True)
class Coming:
    """All who come at a time. `asked`: the service of each client that asks another one than the drill's.

    `facts`: what else the journal is to say of them.
    """

    parties: tuple[Party, ...]
    asked: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


class Arrival(Protocol):
    """A way in which users come."""

    leave_within: timedelta

    @property
    def schema(self) -> str | None:
        """Return the statements that make the store ready for them; None: the system itself does."""
        ...

    @property
    def rows(self) -> str:
        """Return the query of all rows that are theirs."""
        ...

    def plan(self, *, seed: int, start_ns: int, ledger: Path, peak: bool) -> Coming:
        """Return who comes; raises `UsageError` when the workload does not say who comes at peak load."""
        ...

    def plan_beside(self, member: StoreMember, *, seed: int, start_ns: int, ledger: Path) -> Coming:
        """Return who comes to a member's zone and writes to its address; raises `UsageError` where nobody can."""
        ...

    def plan_watchers(
        self, *, seed: int, start_ns: int, ledger: Path, only: str | None = None
    ) -> Coming | None:
        """Return who stands in each region to watch for two writers, or in one of them; None: nobody does."""
        ...


class DirectArrival:
    """Users who write to the store themselves, with statements."""

    leave_within = _DIRECTLY_WITHIN

    def __init__(self, environment: Environment, workload: Workload, resource: str) -> None:
        self._environment, self._workload, self._resource = environment, workload, resource
        self._clients = 0

    @property
    def schema(self) -> str | None:
        """Return the tables that they write to; those of an earlier drill go."""
        return self._workload.schema_

    @property
    def rows(self) -> str:
        """Return the query of everything: nobody else writes."""
        return self._workload.read_back

    def plan(self, *, seed: int, start_ns: int, ledger: Path, peak: bool) -> Coming:
        """Return probers, load, and the control; `peak`: also those who write besides."""
        workload = self._workload
        if peak and workload.peak is None:
            raise UsageError("The workload does not say who writes besides at peak load: it has no `peak`.")
        configs = plan_clients(
            workload,
            self._target(),
            seed=seed,
            start_ns=start_ns,
            ledger=ledger,
            peak=workload.peak if peak else None,
        )
        return self._coming(configs)

    def plan_beside(self, member: StoreMember, *, seed: int, start_ns: int, ledger: Path) -> Coming:
        """Return a client that knows nothing but the member's address."""
        config = plan_client_beside(
            self._workload,
            self._target(),
            member.address,
            number=self._clients + 1,
            seed=seed,
            start_ns=start_ns,
            ledger=ledger,
        )
        return self._coming((config,), zone=member.zone)

    def plan_watchers(self, *, seed: int, start_ns: int, ledger: Path, only: str | None = None) -> None:
        """Return nobody: those who write to the store itself are told which server it was."""
        del seed, start_ns, ledger, only

    def _coming(self, configs: Sequence[ClientConfig], zone: str | None = None) -> Coming:
        self._clients += sum(len(config.clients) for config in configs)
        return Coming(tuple(make_party(config, zone) for config in configs))

    def _target(self) -> Target:
        endpoint = self._workload.endpoint or self._environment.observe_store(self._resource).endpoint
        return make_target(self._environment, self._workload, endpoint)


class PublicArrival:
    """Users who come in by the company's public name, and those who ask each of its services alone.

    `watching`: in each of the regions somebody stands who writes there by that region's own way. `probe_every`: how
    often a service is asked alone, where not as the workload says.
    """

    leave_within = _TRAVELLING_WITHIN

    def __init__(
        self,
        environment: Environment,
        workload: Workload,
        regions: tuple[Region, ...],
        *,
        watching: bool = False,
        probe_every: Mapping[str, timedelta] = MappingProxyType({}),
    ) -> None:
        if workload.journeys is None or workload.journeys.probes is None:
            raise UsageError(
                "The workload does not say what users of a public name do: it needs `journeys` with `probes`."
            )
        if watching and workload.journeys.watchers is None:
            raise UsageError(
                "The workload does not say who watches for two writers: where a region is lost, it needs `journeys` "
                "with `watchers`."
            )
        asked = [step.service for step in workload.journeys.probes.asking]
        for service in probe_every:
            if service not in asked:
                raise UsageError(
                    f"The plan says how often `{service}` is asked alone (`probe_every`), and of the workload's "
                    f"`probes` none asks it: {', '.join(asked)}."
                )
        self._environment, self._workload, self._regions = environment, workload, regions
        self._zones = tuple(zone for region in regions for zone in region.zones)
        self._journeys = workload.journeys
        self._probe_every = probe_every
        self._watchers = workload.journeys.watchers if watching else None
        self._ways: Mapping[str, str] = {}
        self._watches: Counter[str] = Counter()
        self._numbers: tuple[int, int] = (0, 0)

    @property
    def schema(self) -> str | None:
        """Return nothing: the services make their own tables."""
        return None

    @property
    def rows(self) -> str:
        """Return the query of the rows that clients of this drill wrote: others may have been there before."""
        first, last = self._numbers
        return select_rows(self._workload, (first, last))

    def plan(self, *, seed: int, start_ns: int, ledger: Path, peak: bool) -> Coming:
        """Return everybody's process, and the control; at peak load the shape `peak` is theirs, otherwise `usual`."""
        shapes = self._journeys.shapes
        if peak and "peak" not in shapes:
            raise UsageError(
                "The workload does not say how many come at peak load: its journeys have no shape `peak`."
            )
        first = (start_ns // (_SLOT_SECONDS * NANOSECONDS) % (1 << _SLOTS_BITS) << _CLIENTS_BITS) + 1
        config = plan_journeys(
            self._workload,
            self._surroundings,
            seed=seed,
            first_number=first,
            start_ns=start_ns,
            seconds=_ALL_DAY_SECONDS,
            ledger=ledger,
            shape=shapes.get("peak" if peak else "usual"),
            probing=True,
            probe_every=self._probe_every,
            status_log=ledger.parent / "evidence" / STATUS_LOG,
        )
        clients = (*config.clients, *config.probes)
        self._numbers = (first, first + len(clients) - 1)
        everybody = Party(
            "users",
            _TRAVELLERS,
            config.to_json(),
            tuple(one.client.name for one in clients),
        )
        target = make_target(self._environment, self._workload, self._environment.black_hole)
        asking = plan_clients(self._workload, target, seed=seed, start_ns=start_ns, ledger=ledger)
        controls = (one for one in asking if all(client.kind is ClientKind.CONTROL for client in one.clients))
        return Coming(
            (everybody, *(make_party(one) for one in controls)),
            {one.client.name: one.service for one in clients},
            {"zones": list(self._zones), "status_page": self._journeys.status_page is not None},
        )

    def plan_beside(self, member: StoreMember, *, seed: int, start_ns: int, ledger: Path) -> Coming:
        """Raise: users of a public name know no server's address."""
        del seed, start_ns, ledger
        raise UsageError(
            f"Users come in by {self._journeys.public_name}: none of them can write to {member.address} itself."
        )

    def plan_watchers(
        self, *, seed: int, start_ns: int, ledger: Path, only: str | None = None
    ) -> Coming | None:
        """Return who stands in two zones of each region, or of one of them; those who come again are numbered on.

        Raises `CommandFailedError` or `UsageError` when nobody says by which name a region is found.
        """
        if self._watchers is None:
            return None
        self._ways = self._ways or read_ways(self._environment, self._watchers, self._regions)
        parties: list[Party] = []
        services: dict[str, str] = {}
        places = [(region, zone) for region in self._regions for zone in region.zones[:_WATCHERS]]
        for region, zone in places:
            if only not in {None, region.name}:
                continue
            self._watches[region.name] += 1
            number = self._watches[region.name]
            name = f"watcher-{region.name}" if number == 1 else f"watcher-{region.name}-{number}"
            first, last = self._numbers
            config = plan_watcher(
                self._workload,
                self._surroundings,
                name=name,
                way=self._ways[region.name],
                seed=seed,
                first_number=last + 1,
                start_ns=start_ns,
                seconds=_ALL_DAY_SECONDS,
                ledger=ledger,
            )
            self._numbers = (first, last + len(config.probes))
            names = tuple(one.client.name for one in config.probes)
            parties.append(Party(name, _TRAVELLERS, config.to_json(), names, zone, region.name))
            services |= {one.client.name: one.service for one in config.probes}
        return Coming(
            tuple(parties),
            services,
            {
                "zones": list(self._zones),
                "watchers": {name: party.watches for party in parties for name in party.clients},
            },
        )

    @property
    def _surroundings(self) -> Surroundings:
        return Surroundings(self._environment.resolver, self._zones, self._environment.authorities)


def read_ways(environment: Environment, watchers: Watchers, regions: Sequence[Region]) -> Mapping[str, str]:
    """Return by which name each region is found, as the company's own program says; raises `UsageError`."""
    said = environment.run_for_operator(watchers.ways, within=_WAYS_WITHIN)
    try:
        ways = {str(region): str(name) for region, name in json.loads(said).items()}
    except (ValueError, AttributeError) as error:
        raise UsageError(
            f"`{' '.join(watchers.ways)}` is to print a JSON object of regions and names, not: {said[:200]!r}"
        ) from error
    unknown = [region.name for region in regions if region.name not in ways]
    if unknown:
        raise UsageError(
            f"`{' '.join(watchers.ways)}` does not say by which name {', '.join(unknown)} is found."
        )
    return ways


def make_target(environment: Environment, workload: Workload, endpoint: str) -> Target:
    """Return where clients knock that write statements."""
    return Target(
        endpoint=endpoint,
        port=PORT,
        user=workload.user,
        resolver=environment.resolver,
        black_hole=environment.black_hole,
    )


def make_party(config: ClientConfig, zone: str | None = None) -> Party:
    """Return the process of clients that write statements."""
    names = tuple(client.name for client in config.clients)
    return Party(config.name, "drdrill.load.client", config.to_json(), names, zone)


def select_rows(workload: Workload, numbers: Iterable[int]) -> str:
    """Return the query of the rows whose ids are of clients between the lowest and the highest of these numbers."""
    of = list(numbers)
    chosen = f"rows.id >= {make_id(min(of), 0)} and rows.id < {make_id(max(of) + 1, 0)}"
    return f"select * from ({workload.read_back}) as rows (id, amount, position) where {chosen}"  # noqa: S608


def choose_arrival(environment: Environment, workload: Workload, plan: Plan, scenario: Scenario) -> Arrival:
    """Return how users come in a scenario: by the public name where the whole system is up."""
    if scenario.mirror is not MirrorExtent.SYSTEM:
        return DirectArrival(environment, workload, plan.stores[scenario.store].resource)
    return PublicArrival(
        environment,
        workload,
        (plan.regions.primary, plan.regions.recovery),
        watching=scenario.disaster_class is DisasterClass.REGION,
        probe_every=scenario.probe_every,
    )
