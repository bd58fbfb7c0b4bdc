"""Who the users of a drill are: from a workload to the processes that must be started."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from drdrill.core.clock import NANOSECONDS
from drdrill.load.config import ClientConfig, Connecting
from drdrill.record.ledger import Client, ClientKind

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.load.workload import Asking, Load, Workload

_CONTROL_RATE = 10  # a second; enough to see a black hole in every window of availability
_FEWEST_IN_FLIGHT = 16


@dataclass(frozen=True, slots=True)
class Target:
    """Where users knock: the store's public name, their DNS server, and an address that never answers."""

    endpoint: str
    port: int
    user: str
    resolver: str
    black_hole: str
    resolver_port: int = 53


def plan_clients(
    workload: Workload,
    target: Target,
    *,
    seed: int,
    start_ns: int,
    ledger: Path,
    peak: Load | None = None,
) -> tuple[ClientConfig, ...]:
    """Return one configuration a process: `prober`, `load-N`, `load-sticky-0` (ignores TTL), `control-0`, `peak-N`.

    `start_ns` (boot-time clock) should lie a few seconds ahead, so that every process runs before its first
    request is due. Clients' phases are spread, so that requests come evenly.
    """
    load, prober = workload.load, workload.prober
    control = prober.model_copy(update={"rate_per_second": float(_CONTROL_RATE)})
    planner = _Planner(workload, target, seed, start_ns, ledger)
    pools = load.clients + 1
    return (
        planner.process(
            "prober",
            Connecting.FRESH,
            prober,
            [
                planner.client(f"prober-{cohort}", ClientKind.PROBER, prober, cohort, prober.cohorts)
                for cohort in range(prober.cohorts)
            ],
        ),
        *(
            planner.process(
                f"load-{number}",
                Connecting.POOLED,
                load,
                [planner.client(f"load-{number}", ClientKind.LOAD, load, number, pools)],
                cohorts=load.clients,
            )
            for number in range(load.clients)
        ),
        planner.process(
            "load-sticky-0",
            Connecting.POOLED,
            load,
            [planner.client("load-sticky-0", ClientKind.LOAD, load, load.clients, pools, honours_ttl=False)],
            cohorts=pools,
        ),
        planner.process(
            "control-0",
            Connecting.FRESH,
            control,
            [planner.client("control-0", ClientKind.CONTROL, control, 0, 1)],
            endpoint=target.black_hole,
        ),
        *(
            planner.process(
                f"peak-{number}",
                Connecting.POOLED,
                peak,
                [planner.client(f"peak-{number}", ClientKind.LOAD, peak, number, peak.clients)],
                cohorts=peak.clients,
            )
            for number in range(peak.clients if peak else 0)
            if peak
        ),
    )


def plan_client_beside(
    workload: Workload, target: Target, address: str, *, number: int, seed: int, start_ns: int, ledger: Path
) -> ClientConfig:
    """Return the configuration of `beside-0`: a service beside a server that writes to its address and no other.

    `number`: one that no other client has.
    """
    planner = _Planner(workload, target, seed, start_ns, ledger, numbered=number - 1)
    asking = workload.prober.model_copy(update={"rate_per_second": float(_CONTROL_RATE)})
    client = planner.client("beside-0", ClientKind.LOAD, asking, 0, 1, honours_ttl=False)
    return planner.process("beside-0", Connecting.FRESH, asking, [client], endpoint=address)


class _Planner:
    """Hands out client numbers and fills in what all processes have in common."""

    def __init__(
        self,
        workload: Workload,
        target: Target,
        seed: int,
        start_ns: int,
        ledger: Path,
        *,
        numbered: int = 0,
    ) -> None:
        self._workload = workload
        self._target = target
        self._seed = seed
        self._start_ns = start_ns
        self._ledger = ledger
        self._numbered = numbered

    def client(
        self, name: str, kind: ClientKind, asking: Asking, cohort: int, of: int, *, honours_ttl: bool = True
    ) -> Client:
        """Return client `cohort` of `of`, whose requests fall between those of the others."""
        self._numbered += 1
        period_ns = round(NANOSECONDS / asking.rate_per_second)
        return Client(
            name=name,
            number=self._numbered,
            kind=kind,
            cohort=cohort,
            start_ns=self._start_ns + period_ns * cohort // of,
            period_ns=period_ns,
            timeout_seconds=asking.timeout / timedelta(seconds=1),
            honours_ttl=honours_ttl,
        )

    def process(
        self,
        name: str,
        connecting: Connecting,
        asking: Asking,
        clients: list[Client],
        *,
        cohorts: int | None = None,
        endpoint: str | None = None,
    ) -> ClientConfig:
        """Return the process in which these clients live."""
        workload, target = self._workload, self._target
        unanswered = asking.rate_per_second * asking.timeout.total_seconds()
        return ClientConfig(
            name=name,
            clients=tuple(clients),
            ledger=self._ledger,
            endpoint=endpoint or target.endpoint,
            port=target.port,
            database=workload.database,
            user=target.user,
            statement=workload.write,
            amount_minimum=workload.amount.minimum,
            amount_maximum=workload.amount.maximum,
            seed=self._seed,
            resolver=target.resolver,
            resolver_port=target.resolver_port,
            cohorts=cohorts or len(clients),
            connecting=connecting,
            connections=workload.load.connections,
            # A request never outlives its time-out: twice that many are in flight only after a hang of ours.
            in_flight=max(_FEWEST_IN_FLIGHT, math.ceil(2 * unanswered)),
        )
