from __future__ import annotations

from pathlib import Path

import pytest

from drdrill.core.errors import DamagedRecordError
from drdrill.load.clients import Target, plan_client_beside, plan_clients
from drdrill.load.config import ClientConfig, Connecting
from drdrill.load.workload import Workload, load_workload
from drdrill.record.ledger import ClientKind

REAL = Path(__file__).parents[2] / "environments" / "embedded" / "workload.yaml"
TARGET = Target("db.example", 5432, "payments", "10.0.0.2", black_hole="10.9.9.9")
START_NS = 1_000_000_000


@pytest.fixture
def workload() -> Workload:
    """Return the repository's own workload: 8 cohorts at 25 a second, 2 load clients at 50 a second."""
    return load_workload(REAL)


def plan(workload: Workload) -> dict[str, ClientConfig]:
    """Return the processes by name."""
    planned = plan_clients(workload, TARGET, seed=1, start_ns=START_NS, ledger=Path("ledger"))
    return {process.name: process for process in planned}


def test_a_configuration_survives_its_file(workload: Workload) -> None:
    """What is written for a process is read back the same, and holds no password."""
    for process in plan(workload).values():
        assert ClientConfig.from_json(process.to_json()) == process
        assert "password" not in process.to_json().lower()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"clients": [{"kind": "robber"}]}'])
def test_a_damaged_configuration_is_said(text: str) -> None:
    """What is not a configuration is refused as such."""
    with pytest.raises(DamagedRecordError):
        ClientConfig.from_json(text)


def test_the_users_of_a_drill(workload: Workload) -> None:
    """One process for all cohorts, one a load client, one that ignores TTL, and the positive control."""
    processes = plan(workload)

    assert list(processes) == ["prober", "load-0", "load-1", "load-sticky-0", "control-0"]
    clients = [client for process in processes.values() for client in process.clients]
    assert [client.name for client in clients] == [
        *(f"prober-{cohort}" for cohort in range(8)),
        *list(processes)[1:],
    ]
    assert len({client.number for client in clients}) == len(clients)
    assert all(client.number > 0 for client in clients)
    assert [client.name for client in clients if not client.honours_ttl] == ["load-sticky-0"]
    assert clients[-1].kind is ClientKind.CONTROL
    assert processes["control-0"].endpoint == TARGET.black_hole
    assert {process.endpoint for name, process in processes.items() if name != "control-0"} == {
        TARGET.endpoint
    }


def test_the_prober_asks_evenly(workload: Workload) -> None:
    """The cohorts' requests interleave to one even sequence of 200 a second."""
    clients = plan(workload)["prober"].clients

    times = sorted(client.start_ns + k * client.period_ns for client in clients for k in range(3))

    assert times == [START_NS + k * 5_000_000 for k in range(24)]


def test_requests_in_flight_are_bounded_above_what_a_timeout_allows(workload: Workload) -> None:
    """The bound never bites while requests end at their time-out, and never lets an unbounded number grow."""
    for process in plan(workload).values():
        for client in process.clients:
            unanswered = client.timeout_seconds * 1e9 / client.period_ns
            assert unanswered < process.in_flight <= max(16, 2 * unanswered)


def test_peak_load_changes_nobody_else(workload: Workload) -> None:
    """Those who write besides come after all others, whose configurations stay what they are."""
    usual = plan(workload)
    planned = plan_clients(
        workload, TARGET, seed=1, start_ns=START_NS, ledger=Path("ledger"), peak=workload.peak
    )
    assert [process.name for process in planned] == [*usual, "peak-0", "peak-1"]
    assert {process.name: process for process in planned[: len(usual)]} == usual
    clients = [client for process in planned for client in process.clients]
    assert len({client.number for client in clients}) == len(clients)


def test_a_client_beside_a_server_knows_one_address(workload: Workload) -> None:
    """It asks that address with fresh connections, under a number of its own, and counts as one who writes."""
    process = plan_client_beside(
        workload, TARGET, "10.20.0.10", number=14, seed=1, start_ns=START_NS, ledger=Path("ledger")
    )
    (client,) = process.clients
    assert (client.name, client.number, client.kind) == ("beside-0", 14, ClientKind.LOAD)
    assert (process.endpoint, process.connecting) == ("10.20.0.10", Connecting.FRESH)
