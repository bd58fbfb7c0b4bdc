"""What is seen of the whole system: noted before the fault and after the recovery, or why nobody could see it."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

from drdrill.drill.system_observer import SystemObserver, note_building
from drdrill.environment.port import RegionCapacity, StoreMember, StoreRole
from drdrill.load.workload import load_workload
from drdrill.plan import load_plan
from drdrill.record.directory import DrillDirectory
from drdrill.record.journal import read_journal
from tests.drill.fakes import RESOURCE, FakeEnvironment, make_state

ROOT = Path(__file__).resolve().parents[2]
PLAN = load_plan(ROOT / "scenarios" / "plan.yaml")
WORKLOAD = load_workload(ROOT / "environments" / "embedded" / "workload.yaml", PLAN)
PODS = {"meqenet/auth": 3}


def _observe(tmp_path: Path, environment: FakeEnvironment, scenario: str, *watched: str) -> DrillDirectory:
    directory = DrillDirectory(tmp_path / "drill")
    directory.create()
    journal = directory.journal("drill")
    note_building(journal, "deploying the services")
    SystemObserver(environment, WORKLOAD, PLAN.scenarios[scenario], journal, watched).note("before_fault")
    return directory


def test_capacity_and_way_are_noted(tmp_path: Path) -> None:
    """Every region's nodes and pods, and where the public name leads, as an operator's machine resolves it."""
    environment = FakeEnvironment(tmp_path, PLAN)
    environment.capacity = {"eu-west-1": RegionCapacity(True, {"eu-west-1a": 1}, PODS, PODS)}
    environment.says = json.dumps({"addresses": {"10.0.0.1": True}})
    told, seen = read_journal(_observe(tmp_path, environment, "region_loses_power").journal_path)
    assert (told.kind, told.data["line"]) == ("environment.told", "deploying the services")
    assert (seen.kind, seen.data["moment"]) == ("system.observed", "before_fault")
    assert seen.data["regions"]["eu-west-1"] == {
        "answers": True, "nodes": {"eu-west-1a": 1}, "ready": PODS, "wanted": PODS,
    }  # fmt: skip
    assert (seen.data["name"], seen.data["addresses"]) == ("api.meqenet.et", {"10.0.0.1": True})
    command = [sys.executable, "-m", "drdrill.load.lead", "api.meqenet.et", "443", "2"]
    assert environment.operated == [command]


def test_primaries_are_noted(tmp_path: Path) -> None:
    """Of each store that is watched the zones in which it has a primary: a replica is none."""
    environment = FakeEnvironment(tmp_path, PLAN)
    environment.capacity, environment.says = {}, json.dumps({"addresses": {}})
    serving = make_state("db-1")
    replica = StoreMember("db-2", "eu-central-1a", "10.40.0.10", StoreRole.REPLICA, "async")
    environment.states = [replace(serving, members=(*serving.members, replica))]
    event = read_journal(_observe(tmp_path, environment, "region_loses_power", RESOURCE).journal_path)[-1]
    assert event.data["primaries"] == {RESOURCE: ["eu-west-1a"]}


def test_what_cannot_be_seen_is_noted(tmp_path: Path) -> None:
    """A system that nobody can ask ends no drill: the reason is in the journal."""
    environment = FakeEnvironment(tmp_path, PLAN)
    event = read_journal(_observe(tmp_path, environment, "region_loses_power").journal_path)[-1]
    assert (event.kind, event.data["reason"]) == ("system.unreadable", "nobody answers")


def test_where_there_is_no_system(tmp_path: Path) -> None:
    """Drills of databases alone have nothing to look at."""
    directory = _observe(tmp_path, FakeEnvironment(tmp_path, PLAN), "primary_host_loses_power")
    assert [event.kind for event in read_journal(directory.journal_path)] == ["environment.told"]
