"""What the process of those who make journeys is told: a JSON file, kept beside what they wrote. No secrets of ours."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from drdrill.core.clock import NANOSECONDS
from drdrill.core.errors import DamagedRecordError
from drdrill.load.journeys import Journeys
from drdrill.record.ledger import Client, ClientKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from drdrill.load.workload import Workload

_SECOND = timedelta(seconds=1)
_FULL = (1.0,)


@dataclass(frozen=True, slots=True)
class StepClient:
    """Who sends one step of one cohort's journeys: a client with a ledger of its own."""

    client: Client
    journey: str
    step: str
    service: str
    writes: bool


@dataclass(frozen=True, slots=True)
class JourneyConfig:
    """All cohorts' clients, for how long they travel, and where they look up the public name.

    `probes`: those who ask one service each, besides; the step of each is named after its service. `shape`: shares of
    the full rate over `seconds`. `zones`: a ledger's code has the number of the zone that answered in the place of a
    server's address: 1 for the first one, 0 where none was named. `authorities`: a file of certificates; None: the
    machine's own. `status_log`: where what the status page says is written down; None: nobody reads it. `way`: the name
    that they look up in the public name's place; None: the public name itself.
    """

    journeys: Journeys
    clients: tuple[StepClient, ...]
    probes: tuple[StepClient, ...]
    ledger: Path
    start_ns: int
    seconds: float
    shape: list[float]
    zones: list[str]
    amounts: tuple[int, int]
    seed: int
    resolver: str
    resolver_port: int
    authorities: str | None
    status_log: Path | None = None
    way: str | None = None

    @property
    def give_up_seconds(self) -> float:
        """For how long a write is sent again."""
        return self.journeys.give_up / _SECOND

    @property
    def timeout_seconds(self) -> float:
        """How long a request may take."""
        return self.journeys.timeout / _SECOND

    def to_json(self) -> str:
        """Return the text of the file."""
        fields = {
            **{name: getattr(self, name) for name in self.__slots__},
            "journeys": self.journeys.model_dump(),
            "clients": [asdict(one) for one in self.clients],
            "probes": [asdict(one) for one in self.probes],
            "ledger": str(self.ledger),
            "status_log": None if self.status_log is None else str(self.status_log),
        }
        return json.dumps(fields, indent=1, default=_write_duration) + "\n"

    @classmethod
    def from_json(cls, text: str) -> JourneyConfig:
        """Read the text of the file; raises `DamagedRecordError` when it is not one."""
        try:
            fields = json.loads(text)
            return cls(**{
                **fields,
                "journeys": Journeys.model_validate(fields["journeys"]),
                "clients": _read_clients(fields["clients"]), "probes": _read_clients(fields["probes"]),
                "ledger": Path(fields["ledger"]), "amounts": tuple(fields["amounts"]),
                "status_log": None if fields["status_log"] is None else Path(fields["status_log"]),
            })  # fmt: skip
        except (ValueError, TypeError, KeyError) as error:
            raise DamagedRecordError(f"This is not the configuration of users' journeys: {error}.") from error


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where users travel: their DNS server, whom they trust, and the zones that services may say they stand in."""

    resolver: str
    zones: tuple[str, ...]
    authorities: str | None = None
    resolver_port: int = 53


def plan_journeys(
    workload: Workload,
    surroundings: Surroundings,
    *,
    seed: int,
    first_number: int,
    start_ns: int,
    seconds: float,
    ledger: Path,
    shape: list[float] | None = None,
    probing: bool = False,
    probe_every: Mapping[str, timedelta] = MappingProxyType({}),
    status_log: Path | None = None,
) -> JourneyConfig:
    """Return what the process is told: a client for each step of each cohort, numbered from `first_number` on.

    Cohorts begin one after the other, spread over a journey's period. `probing`: those who ask each service alone
    are among them, where the workload has any; `probe_every`: how often each cohort asks a service, where the
    workload's own rate is not meant. `status_log`: the status page is read, too, where it names one.
    """
    journeys = workload.journeys
    assert journeys is not None  # noqa: S101  (whoever asks has looked)
    clients: list[StepClient] = []
    for cohort in range(journeys.cohorts):
        for journey in journeys.journeys:
            period_ns = round(journey.every / _SECOND * NANOSECONDS)
            pause_ns = round(journey.pause / _SECOND * NANOSECONDS)
            begin_ns = start_ns + period_ns * cohort // journeys.cohorts
            for number, step in enumerate(journey.steps):
                client = Client(
                    name=f"{_slug(journey.name)}-{number + 1}-{_slug(step.name)}-{cohort}",
                    number=first_number + len(clients),
                    kind=ClientKind.LOAD,
                    cohort=cohort,
                    start_ns=begin_ns + number * pause_ns,
                    period_ns=period_ns,
                    timeout_seconds=journeys.timeout / _SECOND,
                    honours_ttl=True,
                )
                clients.append(StepClient(client, journey.name, step.name, step.service, step.writes))
    probes = _plan_probes(journeys, first_number + len(clients), start_ns, probe_every) if probing else ()
    return JourneyConfig(
        journeys=journeys,
        clients=tuple(clients),
        probes=tuple(probes),
        ledger=ledger,
        start_ns=start_ns,
        seconds=seconds,
        shape=shape or list(_FULL),
        zones=list(surroundings.zones),
        amounts=(workload.amount.minimum, workload.amount.maximum),
        seed=seed,
        resolver=surroundings.resolver,
        resolver_port=surroundings.resolver_port,
        authorities=surroundings.authorities,
        status_log=status_log if journeys.status_page else None,
    )


def plan_watcher(
    workload: Workload,
    surroundings: Surroundings,
    *,
    name: str,
    way: str,
    seed: int,
    first_number: int,
    start_ns: int,
    seconds: float,
    ledger: Path,
) -> JourneyConfig:
    """Return what the process of a region's watcher is told: a client for each of its requests, by the `way`."""
    journeys = workload.journeys
    assert journeys is not None  # noqa: S101  (whoever asks has looked)
    assert journeys.watchers is not None  # noqa: S101
    planned = plan_journeys(
        workload.model_copy(update={"journeys": journeys.model_copy(update={"journeys": []})}),
        surroundings,
        seed=seed,
        first_number=first_number,
        start_ns=start_ns,
        seconds=seconds,
        ledger=ledger,
    )
    asking = journeys.watchers.asking
    clients = tuple(
        StepClient(
            Client(
                name=f"{name}-{_slug(step.service)}",
                number=first_number + number,
                kind=ClientKind.WATCHER,
                cohort=0,
                start_ns=start_ns,
                period_ns=round(journeys.watchers.every / _SECOND * NANOSECONDS),
                timeout_seconds=journeys.watchers.timeout / _SECOND,
                honours_ttl=True,
            ),
            "",
            step.name,
            step.service,
            step.writes,
        )
        for number, step in enumerate(asking)
    )
    probing = journeys.model_copy(update={"probes": journeys.watchers.probes})
    return replace(planned, journeys=probing, probes=clients, way=way)


def _plan_probes(
    journeys: Journeys, first_number: int, start_ns: int, probe_every: Mapping[str, timedelta]
) -> Iterator[StepClient]:
    """Yield a client for each service of each cohort; requests of one period are spread evenly over it."""
    probes = journeys.probes
    if probes is None:
        return
    of = len(probes.asking) * journeys.cohorts
    for number in range(of):
        cohort, step = number // len(probes.asking), probes.asking[number % len(probes.asking)]
        period_ns = round(probe_every.get(step.service, probes.every) / _SECOND * NANOSECONDS)
        client = Client(
            name=f"probe-{_slug(step.service)}-{cohort}",
            number=first_number + number,
            kind=ClientKind.PROBER,
            cohort=cohort,
            start_ns=start_ns + period_ns * number // of,
            period_ns=period_ns,
            timeout_seconds=probes.timeout / _SECOND,
            honours_ttl=True,
        )
        yield StepClient(client, "", step.service, step.service, step.writes)


def _read_clients(fields: Any) -> tuple[StepClient, ...]:
    return tuple(
        StepClient(**{
            **one, "client": Client(**{**one["client"], "kind": ClientKind(one["client"]["kind"])})
        })
        for one in fields
    )  # fmt: skip


def _write_duration(value: timedelta) -> str:
    return f"{value / _SECOND * 1000:g} ms"


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")
