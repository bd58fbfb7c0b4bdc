"""How users come: straight to the store where only databases are up, by the public name where the whole system is."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from drdrill.core.errors import UsageError
from drdrill.drill.arrival import DirectArrival, PublicArrival, choose_arrival, select_rows
from drdrill.load.workload import load_workload
from drdrill.plan import load_plan
from drdrill.record.ledger import ClientKind, make_id
from tests.drill.fakes import FakeEnvironment, make_state

if TYPE_CHECKING:
    from drdrill.load.workload import Workload

ROOT = Path(__file__).resolve().parents[2]
PLAN = load_plan(ROOT / "scenarios" / "plan.yaml")
REGIONS = (PLAN.regions.primary, PLAN.regions.recovery)
WAYS = {"eu-west-1": "lb.west.example", "eu-central-1": "lb.central.example"}
START = 5_000_000_000


@pytest.fixture
def environment(tmp_path: Path) -> FakeEnvironment:
    """Return an environment with the store of the reference company."""
    return FakeEnvironment(tmp_path, PLAN)


@pytest.fixture
def workload() -> Workload:
    """Return the reference company's workload."""
    return load_workload(ROOT / "environments" / "embedded" / "workload.yaml", PLAN)


def test_the_scenario_decides(environment: FakeEnvironment, workload: Workload) -> None:
    """A scenario that needs the whole system brings users in by the public name, from both regions' zones."""
    direct = choose_arrival(environment, workload, PLAN, PLAN.scenarios["primary_host_loses_power"])
    public = choose_arrival(environment, workload, PLAN, PLAN.scenarios["region_loses_power"])
    assert isinstance(direct, DirectArrival)
    assert isinstance(public, PublicArrival)
    assert direct.schema is not None
    assert public.schema is None
    assert public.leave_within > direct.leave_within
    facts = public.plan(seed=1, start_ns=START, ledger=environment.root, peak=False).facts
    regions = PLAN.regions
    assert facts["zones"] == [*regions.primary.zones, *regions.recovery.zones]


def test_everybody_is_known_by_the_service_that_they_ask(
    environment: FakeEnvironment, workload: Workload, tmp_path: Path
) -> None:
    """Each client of the public name says which service it asks; the control is a process of its own."""
    arrival = PublicArrival(environment, workload, REGIONS)
    coming = arrival.plan(seed=1, start_ns=START, ledger=tmp_path / "ledger", peak=False)
    users, control = coming.parties
    assert (users.module, control.module) == ("drdrill.load.journey_client", "drdrill.load.client")
    assert set(coming.asked) == set(users.clients)
    assert set(coming.asked.values()) == set(PLAN.services)
    assert control.clients == ("control-0",)
    config = json.loads(users.config)
    assert config["shape"] == [0.5]
    assert config["status_log"] == str(tmp_path / "evidence" / "status-page.jsonl")
    assert {one["client"]["kind"] for one in config["probes"]} == {ClientKind.PROBER.value}
    peak = arrival.plan(seed=1, start_ns=START, ledger=tmp_path / "ledger", peak=True)
    assert json.loads(peak.parties[0].config)["shape"] == [1]


def test_only_their_own_rows_are_theirs(
    environment: FakeEnvironment, workload: Workload, tmp_path: Path
) -> None:
    """Rows are read by the numbers of this drill's clients: what was there before is nobody's phantom."""
    arrival = PublicArrival(environment, workload, REGIONS)
    users = arrival.plan(seed=1, start_ns=START, ledger=tmp_path, peak=False).parties[0]
    config = json.loads(users.config)
    numbers = [one["client"]["number"] for one in (*config["clients"], *config["probes"])]
    assert arrival.rows == select_rows(workload, numbers)
    assert (
        f"rows.id >= {make_id(min(numbers), 0)} and rows.id < {make_id(max(numbers) + 1, 0)}" in arrival.rows
    )
    assert max(numbers) < 1 << 23  # ids are signed in the database


def test_who_cannot_come(environment: FakeEnvironment, workload: Workload, tmp_path: Path) -> None:
    """A workload without probes or without a peak is told so; users of a public name know no server's address."""
    journeys = workload.journeys
    assert journeys is not None
    without = workload.model_copy(update={"journeys": journeys.model_copy(update={"probes": None})})
    with pytest.raises(UsageError, match="needs `journeys` with `probes`"):
        PublicArrival(environment, without, REGIONS)
    flat = workload.model_copy(update={"journeys": journeys.model_copy(update={"shapes": {}})})
    with pytest.raises(UsageError, match="no shape `peak`"):
        PublicArrival(environment, flat, REGIONS).plan(seed=1, start_ns=START, ledger=tmp_path, peak=True)
    (member, *_) = make_state("db-1").members
    with pytest.raises(UsageError, match=f"none of them can write to {member.address} itself"):
        PublicArrival(environment, workload, REGIONS).plan_beside(
            member, seed=1, start_ns=START, ledger=tmp_path
        )


def test_how_often_a_service_is_asked(
    environment: FakeEnvironment, workload: Workload, tmp_path: Path
) -> None:
    """A scenario may have a service asked more often than the workload says, where the workload asks it at all."""
    scenario = PLAN.scenarios["payments_database_lost_under_services"]
    assert scenario.probe_every == {"payments": timedelta(milliseconds=500)}
    arrival = choose_arrival(environment, workload, PLAN, scenario)
    users = arrival.plan(seed=1, start_ns=START, ledger=tmp_path, peak=False).parties[0]
    periods = {(one["service"], one["client"]["period_ns"]) for one in json.loads(users.config)["probes"]}
    assert periods == {
        (service, 500_000_000 if service == "payments" else 1_000_000_000) for service in PLAN.services
    }
    strange = scenario.model_copy(update={"probe_every": {"ledgers": timedelta(seconds=1)}})
    with pytest.raises(UsageError, match=r"`ledgers` is asked alone .* none asks it: auth, users"):
        choose_arrival(environment, workload, PLAN, strange)


def test_a_watcher_stands_in_each_region(
    environment: FakeEnvironment, workload: Workload, tmp_path: Path
) -> None:
    """Where a region is lost, a client in each of two zones of a region writes by its own way; again when asked."""
    environment.says = json.dumps(WAYS)
    arrival = choose_arrival(environment, workload, PLAN, PLAN.scenarios["region_loses_power"])
    users = arrival.plan(seed=1, start_ns=START, ledger=tmp_path, peak=False).parties[0]
    coming = arrival.plan_watchers(seed=1, start_ns=START, ledger=tmp_path)
    again = arrival.plan_watchers(seed=1, start_ns=START, ledger=tmp_path, only="eu-west-1")
    assert coming is not None
    assert again is not None
    assert [(one.watches, one.zone) for one in coming.parties] == [
        ("eu-west-1", "eu-west-1a"), ("eu-west-1", "eu-west-1b"),
        ("eu-central-1", "eu-central-1a"), ("eu-central-1", "eu-central-1b"),
    ]  # fmt: skip
    configs = [json.loads(one.config) for one in (*coming.parties, *again.parties)]
    here, there = WAYS.values()
    assert [one["way"] for one in configs] == [here, here, there, there, here, here]
    clients = [probe["client"] for config in configs for probe in config["probes"]]
    assert {one["kind"] for one in clients} == {ClientKind.WATCHER.value}
    assert {one["period_ns"] for one in clients} == {1_000_000_000}
    assert [one["name"] for one in clients] == [
        "watcher-eu-west-1-payments", "watcher-eu-west-1-2-payments",
        "watcher-eu-central-1-payments", "watcher-eu-central-1-2-payments",
        "watcher-eu-west-1-3-payments", "watcher-eu-west-1-4-payments",
    ]  # fmt: skip
    assert [*coming.facts["watchers"].values()] == ["eu-west-1"] * 2 + ["eu-central-1"] * 2
    assert set(coming.asked.values()) == {"payments"}
    theirs = json.loads(users.config)
    numbers = [one["client"]["number"] for one in (*theirs["clients"], *theirs["probes"])]
    numbers += [one["number"] for one in clients]
    assert len(set(numbers)) == len(numbers)
    assert arrival.rows == select_rows(workload, numbers)  # their rows are read back, too
    assert len(environment.operated) == 1


def test_where_nobody_watches(environment: FakeEnvironment, workload: Workload, tmp_path: Path) -> None:
    """No region is lost in a database's drill; where one is, a workload and its program have to say who watches."""
    database = PLAN.scenarios["payments_database_lost_under_services"]
    arrival = choose_arrival(environment, workload, PLAN, database)
    assert arrival.plan_watchers(seed=1, start_ns=START, ledger=tmp_path) is None
    journeys = workload.journeys
    assert journeys is not None
    without = workload.model_copy(update={"journeys": journeys.model_copy(update={"watchers": None})})
    with pytest.raises(UsageError, match="needs `journeys` with `watchers`"):
        PublicArrival(environment, without, REGIONS, watching=True)
    for said, problem in (
        ("[]", "a JSON object"),
        ("eu-west-1", "a JSON object"),
        ("{}", "eu-west-1, eu-central-1"),
    ):
        environment.says = said
        with pytest.raises(UsageError, match=problem):
            PublicArrival(environment, workload, REGIONS, watching=True).plan_watchers(
                seed=1, start_ns=START, ledger=tmp_path
            )
