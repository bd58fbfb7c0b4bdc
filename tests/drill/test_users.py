"""The users of a drill: whether they are served steadily, and what is said when one has died."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from drdrill.core.errors import InvalidDrillError, UsageError
from drdrill.drill.arrival import DirectArrival
from drdrill.drill.users import Users
from drdrill.load.workload import load_workload
from drdrill.record.journal import read_journal
from drdrill.record.ledger import Client, ClientKind, LedgerWriter, Outcome, make_id, outcome_code
from tests.drill.fakes import RESOURCE, FakeEnvironment
from tests.faults.fakes import ManualClock

if TYPE_CHECKING:
    from collections.abc import Collection

    from drdrill.record.directory import DrillDirectory

WORKLOAD = Path(__file__).parents[2] / "environments" / "embedded" / "workload.yaml"
MS = 1_000_000
PERIOD_NS = 40 * MS  # 25 requests a second
STABLE = 10 * 25  # requests in the plan's stability time of 10 s


@pytest.fixture
def users(environment: FakeEnvironment, directory: DrillDirectory) -> Users:
    """Return the users of that store."""
    workload = load_workload(WORKLOAD).model_copy(update={"store": "accounts"})
    return Users(
        environment,
        DirectArrival(environment, workload, environment.plan.stores["accounts"].resource),
        workload=workload,
        service=workload.service,
        plan=environment.plan,
        availability=environment.plan.availability,
        directory=directory,
        journal=directory.journal("users"),
        clock=ManualClock(),
    )


def _write(
    directory: DrillDirectory,
    number: int,
    requests: int,
    *,
    failed: Collection[int] = (),
    kind: str = "prober",
) -> None:
    """Write the ledger of a client whose requests are all answered after 5 ms, but for those that failed."""
    client = Client(f"{kind}-{number}", number, ClientKind(kind), number, 0, PERIOD_NS, 1.0, honours_ttl=True)
    writer = LedgerWriter(directory.ledger, client)
    for sequence in range(requests):
        identifier, at_ns = make_id(number, sequence), sequence * PERIOD_NS
        writer.attempt(identifier, 100, at_ns)
        outcome = Outcome.NOT_SENT if sequence in failed else Outcome.ACKNOWLEDGED
        writer.outcome(identifier, at_ns + 5 * MS, outcome_code(outcome, 1))
    writer.close()


def test_steady_users(users: Users, directory: DrillDirectory) -> None:
    """Cohorts that were served for the whole stability time are steady."""
    for number in range(3):
        _write(directory, number, 2 * STABLE)
    assert users.find_unsteady() == ""


def test_nobody_is_not_steady(users: Users, directory: DrillDirectory) -> None:
    """Without any prober nothing is steady, however well the load is served."""
    _write(directory, 9, 2 * STABLE, kind="load")
    assert users.find_unsteady() != ""


def test_too_short_a_time(users: Users, directory: DrillDirectory) -> None:
    """A cohort that was not watched for the stability time yet is named."""
    _write(directory, 0, 2 * STABLE)
    _write(directory, 1, STABLE // 2)
    _write(directory, 2, 0)
    assert users.find_unsteady() == "not up for the stability time: prober-1, prober-2"


@pytest.mark.parametrize(
    ("begin", "steady"), [(STABLE + 50, False), (2 * STABLE - 20, False), (STABLE // 2, True)]
)
def test_an_outage(users: Users, directory: DrillDirectory, begin: int, steady: bool) -> None:
    """An outage counts while it lies within the stability time, and no longer."""
    _write(directory, 0, 2 * STABLE, failed=range(begin, begin + 10))
    assert (users.find_unsteady() == "") is steady


def test_a_dead_client(users: Users, environment: FakeEnvironment, directory: DrillDirectory) -> None:
    """A client's process that has ended is named with its last words: what is measured then is not the load."""
    users.come(seed=7)
    users.require_running()
    name = next(iter(environment.running))
    environment.running[name] = False
    with (directory.logs / f"client-{name}.log").open("a", encoding="utf-8") as log:
        log.write("of no memory\n")
    with pytest.raises(InvalidDrillError, match=rf"{name} does not run(?s:.*)of no memory"):
        users.require_running()


def test_users_come_and_leave(users: Users, environment: FakeEnvironment, directory: DrillDirectory) -> None:
    """The journal says who came, when their first requests are due, and how they ended."""
    users.come(seed=7)
    assert users.present
    started = dict(environment.running)
    users.leave()
    assert not users.present
    came, left = read_journal(directory.journal_path)
    assert came.data["processes"] == list(started)
    assert came.data["start_ns"] > ManualClock().now_ns()
    assert left.data["statuses"] == dict.fromkeys(started, 0)


def test_survivors_are_evidence(
    users: Users, environment: FakeEnvironment, directory: DrillDirectory
) -> None:
    """What is read back is kept as it came, and the journal has its hash."""
    environment.says = "rows"
    users.read_back(1)
    (read,) = read_journal(directory.journal_path)
    assert (directory.path / read.data["evidence"]).read_text(encoding="utf-8") == "rows"
    assert "--host" in environment.operated[0]
    assert "db.example.com" in environment.operated[0]


def test_peak_load_needs_a_peak(users: Users, environment: FakeEnvironment) -> None:
    """At peak load those come, too, who write besides; a workload that names none is told so."""
    users.come(seed=7, peak=True)
    assert {"peak-0", "peak-1", "load-0", "prober"} <= set(environment.running)
    users._arrival = DirectArrival(environment, users._workload.model_copy(update={"peak": None}), "accounts")
    with pytest.raises(UsageError, match="has no `peak`"):
        users.come(seed=7, peak=True)


def test_a_client_beside_is_served_or_nothing_is_broken(users: Users, environment: FakeEnvironment) -> None:
    """A client that is not served beside a server makes the drill invalid before anything was broken."""
    users.come(seed=7)
    with pytest.raises(InvalidDrillError, match="Nothing was broken: beside-0 served at"):
        users.come_beside(environment.observe_store(RESOURCE).members[0], seed=7)
    assert environment.running["beside-0"]
