"""The client process as a drill starts it, against a real PostgreSQL and a DNS server."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from drdrill.core.clock import SystemClock
from drdrill.core.waiting import wait_until
from drdrill.load.clients import Target, plan_clients
from drdrill.load.workload import Workload, load_workload
from drdrill.measure.availability import read_samples
from drdrill.record.ledger import ClientLedger, Outcome, outcomes_of, read_ledger, sequence_of, servers_of
from tests.load.conftest import APPLICATION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from drdrill.load.config import ClientConfig
    from tests.load.conftest import Names, Postgres

REAL = Path(__file__).parents[2] / "environments" / "embedded" / "workload.yaml"
NAME = "db.example"
ACKNOWLEDGED, UNKNOWN, NOT_SENT = (
    int(outcome) for outcome in (Outcome.ACKNOWLEDGED, Outcome.UNKNOWN, Outcome.NOT_SENT)
)
FIRST, SECOND = 0x7F000001, 0x7F000002


class Users:
    """Starts client processes, watches their ledgers, and ends them all."""

    def __init__(self, directory: Path, server: Postgres, names: Names, workload: Workload) -> None:
        self.ledger = directory / "ledger"
        self._directory = directory
        self._server = server
        self._names = names
        self._workload = workload
        self._processes: dict[str, subprocess.Popen[str]] = {}

    def plan(self, black_hole: str = "127.0.0.1") -> dict[str, ClientConfig]:
        """Return the processes of the repository's workload, pointed at the servers of the test."""
        target = Target(NAME, self._server.port, APPLICATION, "127.0.0.1", black_hole, self._names.port)
        start_ns = SystemClock().now_ns() + 500_000_000
        planned = plan_clients(self._workload, target, seed=4, start_ns=start_ns, ledger=self.ledger)
        return {process.name: process for process in planned}

    def start(self, *processes: ClientConfig) -> None:
        """Start them and wait until each says that it is ready."""
        for process in processes:
            path = self._directory / f"{process.name}.json"
            path.write_text(process.to_json(), encoding="utf-8")
            with (self._directory / f"{process.name}.log").open("w") as log:
                self._processes[process.name] = subprocess.Popen(
                    [sys.executable, "-m", "drdrill.load.client", str(path)],
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                    env={**os.environ, "PGPASSWORD": self._server.password},
                )
        for started in self._processes.values():
            assert started.stdout is not None
            assert started.stdout.readline() == "ready\n"

    def signal(self, number: int) -> None:
        """Send a signal to all."""
        for process in self._processes.values():
            process.send_signal(number)

    def wait(self) -> set[int]:
        """Wait until all ended and return their exit statuses."""
        statuses = set()
        for process in self._processes.values():
            statuses.add(process.wait(timeout=20))
            assert process.stdout is not None
            process.stdout.close()
        self._processes.clear()
        return statuses

    def stop(self) -> dict[str, ClientLedger]:
        """End all as a drill does, and return their ledgers."""
        self.signal(signal.SIGTERM)
        assert self.wait() == {0}
        return self.read()

    def read(self) -> dict[str, ClientLedger]:
        """Return the ledgers by client."""
        return {ledger.client.name: ledger for ledger in read_ledger(self.ledger)}

    def wait_for(self, what: str, condition: Callable[[ClientLedger], object]) -> None:
        """Wait until every client's ledger shows something."""
        wait_until(
            lambda: all(map(condition, read_ledger(self.ledger))),
            what=what,
            within=timedelta(seconds=20),
            every=timedelta(milliseconds=20),
        )

    def kill(self) -> None:
        """End what is left."""
        self.signal(signal.SIGKILL)
        self.wait()


@pytest.fixture
def workload() -> Workload:
    """Return the repository's own workload, slower and more patient: the machine of the tests may be busy."""
    real = load_workload(REAL)
    patient = {"rate_per_second": 10.0, "timeout": timedelta(seconds=20)}
    return real.model_copy(
        update={
            "load": real.load.model_copy(update=patient),
            "prober": real.prober.model_copy(update=patient),
        }
    )


@pytest.fixture
def users(tmp_path: Path, postgres: Postgres, names: Names, workload: Workload) -> Iterator[Users]:
    """Provide users of a server with the workload's schema, under a name with a TTL of one second."""
    names.records = f"{NAME}. 1 IN A {postgres.addresses[0]}"
    with postgres.connect(workload.database, APPLICATION) as connection:
        connection.execute(workload.schema_.encode())
    group = Users(tmp_path, postgres, names, workload)
    yield group
    group.kill()


def codes(ledger: ClientLedger) -> NDArray[np.uint8]:
    """Return the outcomes of a client, in the order of its requests."""
    return outcomes_of(np.sort(ledger.outcomes, order="id")["code"])


def answering(ledger: ClientLedger) -> list[int]:
    """Return the servers that acknowledged, in the order of the requests."""
    said = np.sort(ledger.outcomes, order="id")["code"]
    servers: list[int] = servers_of(said[outcomes_of(said) == ACKNOWLEDGED]).tolist()
    return servers


def survivors(server: Postgres, workload: Workload) -> dict[int, int]:
    """Return what is in the store: amounts by id."""
    with server.connect(workload.database) as connection:
        return {row[0]: row[1] for row in connection.execute(workload.read_back.encode())}


def attempted(ledgers: dict[str, ClientLedger]) -> dict[int, int]:
    """Return the amounts of all attempts by id."""
    return {
        int(identifier): int(amount)
        for ledger in ledgers.values()
        for identifier, amount in zip(ledger.attempts["id"], ledger.attempts["amount"], strict=True)
    }


def acknowledged(ledgers: dict[str, ClientLedger]) -> set[int]:
    """Return the ids of all acknowledged writes."""
    return {
        int(identifier)
        for ledger in ledgers.values()
        for identifier in ledger.outcomes["id"][outcomes_of(ledger.outcomes["code"]) == ACKNOWLEDGED]
    }


def test_the_account_is_exact(users: Users, postgres: Postgres, workload: Workload) -> None:
    """Every scheduled request has an attempt and an outcome; the store has exactly what was acknowledged."""
    plan = users.plan()
    users.start(plan["prober"], plan["load-0"], plan["load-sticky-0"])
    users.wait_for(
        "10 acknowledged writes a client", lambda ledger: np.sum(codes(ledger) == ACKNOWLEDGED) >= 10
    )
    ledgers = users.stop()

    assert len(ledgers) == 10
    for ledger in ledgers.values():
        assert sequence_of(np.sort(ledger.attempts["id"])).tolist() == list(range(len(ledger.attempts)))
        assert np.array_equal(np.sort(ledger.attempts["id"]), np.sort(ledger.outcomes["id"]))
        assert set(answering(ledger)) == {FIRST}
        samples = read_samples(ledger)  # the measurement lays the same requests out on the same schedule
        assert samples.attempted.all()
        assert np.array_equal(samples.good, codes(ledger)[: len(samples.good)] == ACKNOWLEDGED)
        sent_ns = np.sort(ledger.attempts, order="id")["at_ns"][: len(samples.late_ns)].astype(np.int64)
        assert np.array_equal(samples.late_ns, sent_ns - samples.scheduled_ns)
    stored = survivors(postgres, workload)
    assert set(stored) == acknowledged(ledgers)
    assert stored == {identifier: attempted(ledgers)[identifier] for identifier in stored}
    assert all(100 <= amount <= 500_000 for amount in stored.values())


def test_a_killed_client_leaves_its_ledger(users: Users, postgres: Postgres, workload: Workload) -> None:
    """After SIGKILL the ledger has every acknowledgement; what was under way is an attempt without outcome."""
    plan = users.plan()
    users.start(plan["prober"], plan["load-0"])
    users.wait_for(
        "5 acknowledged writes a client", lambda ledger: np.sum(codes(ledger) == ACKNOWLEDGED) >= 5
    )
    postgres.demand_standby(demanded=True)
    users.wait_for("a write under way", lambda ledger: len(ledger.attempts) > len(ledger.outcomes))
    users.signal(signal.SIGKILL)
    assert users.wait() == {-signal.SIGKILL}
    ledgers = users.read()

    postgres.demand_standby(demanded=False)
    stored = survivors(postgres, workload)
    assert acknowledged(ledgers) <= set(stored) <= set(attempted(ledgers))
    for ledger in ledgers.values():
        assert set(ledger.outcomes["id"]) < set(ledger.attempts["id"])


def test_a_server_that_dies_leaves_unknowns(users: Users, postgres: Postgres, workload: Workload) -> None:
    """Writes that wait for their commit when the server dies are unknown; later ones are not sent."""
    plan = users.plan()
    users.start(plan["prober"], plan["load-0"], plan["load-sticky-0"])
    users.wait_for(
        "5 acknowledged writes a client", lambda ledger: np.sum(codes(ledger) == ACKNOWLEDGED) >= 5
    )
    postgres.demand_standby(demanded=True)
    wait_until(
        postgres.waiting_backends,
        what="a commit that waits",
        within=timedelta(seconds=20),
        every=timedelta(milliseconds=5),
    )
    postgres.kill()
    before = {name: len(ledger.outcomes) for name, ledger in users.read().items()}
    users.wait_for(
        "10 more outcomes a client", lambda ledger: len(ledger.outcomes) > before[ledger.client.name] + 10
    )
    ledgers = users.stop()

    everything = np.concatenate([codes(ledger) for ledger in ledgers.values()])
    assert set(everything.tolist()) == {ACKNOWLEDGED, UNKNOWN, NOT_SENT}
    for ledger in ledgers.values():
        assert len(ledger.attempts) == len(ledger.outcomes)
        assert codes(ledger)[-1] == NOT_SENT
    postgres.start()
    stored = survivors(postgres, workload)
    assert acknowledged(ledgers) <= set(stored) <= set(attempted(ledgers))


def test_clients_follow_the_name_when_its_ttl_is_over(users: Users, names: Names, postgres: Postgres) -> None:
    """Every cohort goes to the record's new address and stays there; who ignores TTL stays where it was."""
    plan = users.plan()
    users.start(plan["prober"], plan["load-sticky-0"])
    users.wait_for(
        "5 acknowledged writes a client", lambda ledger: np.sum(codes(ledger) == ACKNOWLEDGED) >= 5
    )
    names.records = f"{NAME}. 1 IN A {postgres.addresses[1]}"
    users.wait_for(
        "an answer of the second server",
        lambda ledger: not ledger.client.honours_ttl or SECOND in servers_of(ledger.outcomes["code"]),
    )
    ledgers = users.stop()

    sticky = ledgers.pop("load-sticky-0")
    assert set(answering(sticky)) == {FIRST}
    for ledger in ledgers.values():
        servers = answering(ledger)
        assert servers == sorted(servers)
        assert set(servers) == {FIRST, SECOND}


def test_sigterm_waits_for_what_is_under_way(users: Users, postgres: Postgres, workload: Workload) -> None:
    """Requests in flight at SIGTERM get their answer before the process ends, and none is sent after it."""
    plan = users.plan()
    postgres.demand_standby(demanded=True)
    users.start(plan["load-0"])
    wait_until(
        postgres.waiting_backends,
        what="a commit that waits",
        within=timedelta(seconds=20),
        every=timedelta(milliseconds=5),
    )
    assert len(users.read()["load-0"].outcomes) == 0
    users.signal(signal.SIGTERM)
    postgres.demand_standby(demanded=False)
    assert users.wait() == {0}

    ledgers = users.read()
    assert set(codes(ledgers["load-0"]).tolist()) == {ACKNOWLEDGED}
    assert acknowledged(ledgers) == set(attempted(ledgers)) == set(survivors(postgres, workload))


def test_a_black_hole_is_seen_down(users: Users) -> None:
    """The positive control starts although nobody answers; each of its requests is known not to be sent."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        control = users.plan()["control-0"]
        clients = tuple(replace(client, timeout_seconds=0.1) for client in control.clients)
        users.start(replace(control, port=silent.getsockname()[1], clients=clients))
        users.wait_for("3 outcomes", lambda ledger: len(ledger.outcomes) >= 3)
        (ledger,) = users.stop().values()

    assert set(codes(ledger).tolist()) == {NOT_SENT}
    assert set(servers_of(ledger.outcomes["code"]).tolist()) == {0}


def test_a_password_that_was_forgotten_is_a_usage_error(users: Users) -> None:
    """Without a password in its environment a client ends with status 2, before it makes a ledger."""
    path = users.ledger.parent / "client.json"
    path.write_text(users.plan()["control-0"].to_json(), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "PGPASSWORD"}

    ended = subprocess.run(
        [sys.executable, "-m", "drdrill.load.client", str(path)],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
    )

    assert (ended.returncode, ended.stdout) == (2, "")
    assert "PGPASSWORD" in ended.stderr
    assert not users.ledger.exists()


@pytest.mark.parametrize("content", [None, "{}"])
def test_a_missing_or_damaged_configuration_is_a_usage_error(tmp_path: Path, content: str | None) -> None:
    """The process ends with status 2 and one line that names the file."""
    path = tmp_path / "client.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")

    ended = subprocess.run(
        [sys.executable, "-m", "drdrill.load.client", str(path)], check=False, capture_output=True, text=True
    )

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(str(path))
    assert len(ended.stderr.splitlines()) == 1


def test_a_ledger_of_an_earlier_client_is_not_touched(users: Users) -> None:
    """A client that finds its ledger already there ends with status 5, says so, and changes nothing."""
    control = users.plan()["control-0"]
    users.ledger.mkdir()
    earlier = users.ledger / "control-0.attempts"
    earlier.write_bytes(b"earlier")
    path = users.ledger.parent / "again.json"
    path.write_text(control.to_json(), encoding="utf-8")

    ended = subprocess.run(
        [sys.executable, "-m", "drdrill.load.client", str(path)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PGPASSWORD": ""},
    )

    assert ended.returncode == 5
    assert "control-0.attempts" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert earlier.read_bytes() == b"earlier"
