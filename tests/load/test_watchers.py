"""A region's watcher: a real process over TLS that writes by the region's own way, wherever the public name leads."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from drdrill.core.clock import SystemClock
from drdrill.core.errors import InvalidInputError
from drdrill.load.journey_config import JourneyConfig, Surroundings, plan_watcher
from drdrill.load.workload import load_workload
from drdrill.record.ledger import ClientKind, ClientLedger, Outcome, outcomes_of, read_ledger, servers_of
from tests.load.public_server import ZONES, Server, be_users

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.load.workload import Workload
    from tests.load.conftest import Names

WAY = "balancer-1.here.example"
WATCHERS = """
  watchers:
    every: 500 ms
    timeout: 1 s
    ways: [python, -m, find_ways]
    log_in: *log_in
    asking:
    - name: pay
      service: payments
      request: POST /pay
      headers: {Authorization: "{token}", Idempotency-Key: "{id}"}
      body: {amount_minor: "{amount}"}
      writes: true
"""


@pytest.fixture
def watching(workload: Workload, tmp_path: Path) -> Workload:
    """Return the workload with watchers."""
    path = tmp_path / "workload.yaml"
    path.write_text(path.read_text(encoding="utf-8") + WATCHERS, encoding="utf-8")
    found = load_workload(path)
    assert found.journeys != workload.journeys
    return found


def watch(
    workload: Workload, server: Server, names: Names, folder: Path
) -> tuple[JourneyConfig, ClientLedger, str]:
    """Watch for two seconds; return what it was told to do, what it was told, and its remarks."""
    names.records = f"{WAY}. 60 A 127.0.0.1"
    authority = folder / "authority.pem"
    server.authority.cert_pem.write_to_path(authority)
    config = plan_watcher(
        workload, Surroundings("127.0.0.1", ZONES, str(authority), names.port),
        name="watcher-here", way=WAY, seed=3, first_number=90,
        start_ns=SystemClock().now_ns() + 1_500_000_000, seconds=2, ledger=folder / "ledger",
    )  # fmt: skip
    remarks = be_users(config, folder)
    (ledger,) = read_ledger(config.ledger)
    return config, ledger, remarks


def test_it_writes_by_the_regions_own_way(
    watching: Workload, server: Server, names: Names, tmp_path: Path
) -> None:
    """It asks DNS for the region's name alone, and the server for the public one; writes have keys of their own."""
    _, ledger, remarks = watch(watching, server, names, tmp_path)
    assert remarks == ""
    assert set(names.asked) == {f"{WAY}."}
    assert (ledger.client.name, ledger.client.kind) == ("watcher-here-payments", ClientKind.WATCHER)
    assert outcomes_of(ledger.outcomes["code"]).tolist() == [Outcome.ACKNOWLEDGED] * 4
    assert set(servers_of(ledger.outcomes["code"]).tolist()) <= {1, 2}
    paid = [headers["Idempotency-Key"] for _, path, headers, _ in server.asked if path == "/pay"]
    assert paid == [str(one) for one in ledger.attempts["id"].tolist()]
    assert bool((ledger.attempts["amount"] > 0).all())
    assert Counter(path for _, path, _, _ in server.asked)["/login"] == 1


def test_nobody_can_log_in_yet(watching: Workload, server: Server, names: Names, tmp_path: Path) -> None:
    """Where the region serves nobody it tries again each time, and knows which zone of it said so."""
    server.answer = lambda number, path: (503, {}) if number <= 2 else (200, {"token": path})
    _, ledger, remarks = watch(watching, server, names, tmp_path)
    assert "nobody could log in: 503" in remarks
    found = outcomes_of(ledger.outcomes["code"]).tolist()
    assert found == [Outcome.NOT_SENT, Outcome.NOT_SENT, Outcome.ACKNOWLEDGED, Outcome.ACKNOWLEDGED]
    assert bool((servers_of(ledger.outcomes["code"]) > 0).all())


def test_a_region_that_refuses(watching: Workload, server: Server, names: Names, tmp_path: Path) -> None:
    """A pilot light says that it does not serve: whether it was done is not known, and where it was said is."""
    server.answer = lambda _, path: (503, {}) if path == "/pay" else (200, {"token": path})
    _, ledger, _ = watch(watching, server, names, tmp_path)
    assert outcomes_of(ledger.outcomes["code"]).tolist() == [Outcome.UNKNOWN] * 4
    assert bool((servers_of(ledger.outcomes["code"]) > 0).all())


def test_a_region_without_a_service(watching: Workload, server: Server, names: Names, tmp_path: Path) -> None:
    """Where a load balancer has nobody to hand on to, nothing was done; where it handed on, nobody knows."""
    says = iter((200, 503, 502, 504, 503))
    server.answer = lambda _, path: (next(says), {"token": path})
    server.without_targets = True
    _, ledger, remarks = watch(watching, server, names, tmp_path)
    assert outcomes_of(ledger.outcomes["code"]).tolist() == [
        Outcome.REJECTED, Outcome.UNKNOWN, Outcome.UNKNOWN, Outcome.REJECTED,
    ]  # fmt: skip
    assert not servers_of(ledger.outcomes["code"]).any()
    assert "503 of the load balancer: no target" in remarks


def test_nobody_is_there_to_log_in_with(
    watching: Workload, server: Server, names: Names, tmp_path: Path
) -> None:
    """What a load balancer says of another service says nothing of payments: they were not asked."""
    server.answer = lambda _, path: (503 if path == "/login" else 200, {"token": path})
    server.without_targets = True
    _, ledger, _ = watch(watching, server, names, tmp_path)
    assert outcomes_of(ledger.outcomes["code"]).tolist() == [Outcome.NOT_SENT] * 4
    assert not servers_of(ledger.outcomes["code"]).any()


def test_a_service_that_refuses_behind_a_balancer(
    watching: Workload, server: Server, names: Names, tmp_path: Path
) -> None:
    """It names its zone: the balancer's name beside that makes no refusal of it that is known to be one."""
    server.answer = lambda _, path: (503, {}) if path == "/pay" else (200, {"token": path})
    server.behind_balancer = True
    _, ledger, _ = watch(watching, server, names, tmp_path)
    assert outcomes_of(ledger.outcomes["code"]).tolist() == [Outcome.UNKNOWN] * 4
    assert bool((servers_of(ledger.outcomes["code"]) > 0).all())


def test_a_watcher_that_writes_nothing(watching: Workload, tmp_path: Path) -> None:
    """Reading would show no writer: the workload is refused."""
    assert watching.journeys
    path = tmp_path / "workload.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.removesuffix("      writes: true\n"), encoding="utf-8")
    with pytest.raises(InvalidInputError, match=r"watchers.*`pay` does not write"):
        load_workload(path)
