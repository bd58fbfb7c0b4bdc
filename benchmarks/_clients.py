"""Who looks at a failover: configurations of client processes, and what their ledgers say of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from drdrill.core.clock import NANOSECONDS, SystemClock
from drdrill.load.config import ClientConfig, Connecting
from drdrill.record.ledger import Client, ClientKind, Outcome, outcomes_of, read_ledger, servers_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drdrill.load.workload import Workload

HASTY = Path(__file__).with_name("_hasty_client.py")
HASTY_NAME = "hasty"
COHORTS = 8  # as a drill has them: their caches expire one after another, and the slowest one counts
_START_NS = 2 * NANOSECONDS  # from making a configuration to the first request: a process starts in 0.4 s
_HASTY_PERIOD_NS = 5_000_000
_COHORT_PERIOD_NS = 200_000_000
_TIMEOUT_SECONDS = 1.0
_IN_FLIGHT = 256


@dataclass(frozen=True, slots=True)
class Server:
    """Where clients knock."""

    endpoint: str
    port: int
    user: str
    database: str
    resolver: str = ""


def configure_hasty(workload: Workload, server: Server, ledger: Path, *, number: int) -> ClientConfig:
    """Return the client that connects anew and resolves for each of its 200 writes a second."""
    client = _client(HASTY_NAME, number, 0, _HASTY_PERIOD_NS)
    return _configure(workload, server, ledger, HASTY_NAME, (client,))


def configure_cohorts(workload: Workload, server: Server, ledger: Path, *, first_number: int) -> ClientConfig:
    """Return clients that connect anew and honour the TTL of what they resolved, at 5 writes a second each."""
    clients = tuple(
        _client(f"cohort-{cohort}", first_number + cohort, cohort, _COHORT_PERIOD_NS)
        for cohort in range(COHORTS)
    )
    return _configure(workload, server, ledger, "cohorts", clients)


def read_acknowledged(ledger: Path) -> dict[str, NDArray[np.void]]:
    """Return each client's acknowledged outcomes by its name, ordered by time."""
    found = {}
    for one in read_ledger(ledger):
        outcomes = one.outcomes[outcomes_of(one.outcomes["code"]) == Outcome.ACKNOWLEDGED]
        outcomes.sort(order="at_ns")
        found[one.client.name] = outcomes
    return found


def measure_gap(acknowledged: NDArray[np.void], *, old: int, new: int) -> float:
    """Return the seconds from the old server's last good answer to the new one's first (addresses as in ledgers)."""
    servers, at_ns = servers_of(acknowledged["code"]), acknowledged["at_ns"].astype(np.int64)
    return float(at_ns[servers == new].min() - at_ns[servers == old].max()) / NANOSECONDS


def _client(name: str, number: int, cohort: int, period_ns: int) -> Client:
    start_ns = SystemClock().now_ns() + _START_NS + period_ns * cohort // COHORTS
    return Client(
        name, number, ClientKind.PROBER, cohort, start_ns, period_ns, _TIMEOUT_SECONDS, honours_ttl=True
    )


def _configure(
    workload: Workload, server: Server, ledger: Path, name: str, clients: tuple[Client, ...]
) -> ClientConfig:
    return ClientConfig(
        name=name,
        clients=clients,
        ledger=ledger,
        endpoint=server.endpoint,
        port=server.port,
        database=server.database,
        user=server.user,
        statement=workload.write,
        amount_minimum=workload.amount.minimum,
        amount_maximum=workload.amount.maximum,
        seed=0,
        resolver=server.resolver,
        resolver_port=53,
        cohorts=len(clients),
        connecting=Connecting.FRESH,
        connections=1,
        in_flight=_IN_FLIGHT,
    )
