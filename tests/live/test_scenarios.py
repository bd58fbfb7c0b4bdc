"""Every scenario of a lost database, run as people run it: MET, and for the reason that its title says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.record.directory import read_json
from drdrill.record.journal import read_journal
from tests.live.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from drdrill.record.directory import DrillDirectory

pytestmark = pytest.mark.drill
FAILED_OVER = "RDS-EVENT-0049"
RECOVERED = "RDS-EVENT-0021"
PROMOTED = "MIRROR-REPLICA-PROMOTED"
STORAGE_FULL = "RDS-EVENT-0007"
RESTORED = "RDS-EVENT-0019"


def _fails_over(verdict: dict[str, Any], codes: set[str], _drill: DrillDirectory) -> None:
    assert FAILED_OVER in codes
    assert len(verdict["writers"]["servers"]) == 2


def _fences(verdict: dict[str, Any], codes: set[str], drill: DrillDirectory) -> None:
    _fails_over(verdict, codes, drill)
    (observed,) = (event for event in read_journal(drill.journal_path) if event.kind == "fault.observed")
    assert [look["reachable"] for look in observed.data["reading"]["looks"]] == [False]
    remarks = (drill.logs / "client-beside-0.log").read_text(encoding="utf-8")
    assert "UNKNOWN" in remarks, (
        "the client beside the old primary was not told that its last writes are there"
    )


def _carries_on(verdict: dict[str, Any], codes: set[str], _drill: DrillDirectory) -> None:
    assert {"MIRROR-STANDBY-LOST", "MIRROR-STANDBY-BACK"} <= codes
    assert verdict["rta"]["down_seconds"] == 0


def _refuses_writes(verdict: dict[str, Any], codes: set[str], _drill: DrillDirectory) -> None:
    assert STORAGE_FULL in codes
    assert len(verdict["writers"]["servers"]) == 1


def _comes_back(verdict: dict[str, Any], codes: set[str], _drill: DrillDirectory) -> None:
    assert RECOVERED in codes
    assert len(verdict["writers"]["servers"]) == 1


def _restores(verdict: dict[str, Any], codes: set[str], _drill: DrillDirectory) -> None:
    assert RESTORED in codes
    (restore,) = verdict["restores"]
    assert (restore["kind"], restore["missing_rows"], restore["later_rows"]) == ("point_in_time", 0, 0)
    assert restore["expected_rows"] > 0
    assert restore["until_ns"] <= restore["latest_ns"]
    assert restore["open_segment"] > restore["last_segment"]
    assert verdict["destroyed"]["recovered"] > 0
    assert verdict["destroyed"]["missing"] <= verdict["rpa"]["lost_rows"]
    assert 0 < verdict["rpa"]["seconds"] < 60
    assert len(verdict["writers"]["servers"]) == 2


def _catches(verdict: dict[str, Any], _codes: set[str], drill: DrillDirectory) -> None:
    (restore,) = verdict["restores"]
    (injected,) = (event for event in read_journal(drill.journal_path) if event.kind == "fault.injected")
    taken_out = injected.data["details"]["rows"]
    # Of the rows that were taken out, a few were begun while the backup was being taken: these may be there or not.
    assert taken_out - restore["in_doubt_rows"] <= restore["missing_rows"] <= taken_out
    assert restore["missing_rows"] > 0
    (planted,) = (one for one in verdict["controls"] if one["name"] == "planted defect")
    assert planted["passed"]
    assert f"lacks {restore['missing_rows']} of" in planted["text"]
    assert verdict["rta"]["down_seconds"] == 0


def _promotes(verdict: dict[str, Any], codes: set[str], drill: DrillDirectory) -> None:
    assert PROMOTED in codes
    assert len(verdict["writers"]["servers"]) == 2
    assert "within the standby's lag" in verdict["rpa"]["explanation"]
    states = {one["host"]: one["state"] for one in verdict["replication"]["followers"]}
    assert sorted(states.values()) == ["asynchronous", "synchronous"]
    assert verdict["replication"]["state"] == "asynchronous"
    assert verdict["swept"]["drilled"]["agrees"] is True
    (ran,) = (event for event in read_journal(drill.journal_path) if event.kind == "failover_code.ended")
    assert ran.data["status"] == 0


@pytest.mark.parametrize(
    ("scenario", "shows"),
    [
        pytest.param("primary_process_killed", _fails_over, marks=pytest.mark.long),
        pytest.param("primary_process_hangs", _fails_over, marks=pytest.mark.long),
        ("primary_zone_partitioned", _fences),
        pytest.param("standby_host_loses_power", _carries_on, marks=pytest.mark.long),
        pytest.param("primary_disk_full", _refuses_writes, marks=pytest.mark.long),
        pytest.param("both_hosts_lose_power", _comes_back, marks=pytest.mark.long),
        ("replica_promoted_across_regions", _promotes),
        pytest.param("bad_delete", _restores, marks=pytest.mark.long),
        ("drop_table", _restores),
        pytest.param("backup_lacks_rows", _catches, marks=pytest.mark.long),
        pytest.param("primary_host_loses_power_at_peak", _fails_over, marks=pytest.mark.long),
    ],
)
def test_a_scenario_is_met(
    tmp_path: Path, scenario: str, shows: Callable[[dict[str, Any], set[str], DrillDirectory], None]
) -> None:
    """The drill ends MET, without a lost row where nothing is restored; what AWS said and who wrote tell the rest."""
    repository = Repository.copy(tmp_path, scenario)
    try:
        ended = repository.drill(meanwhile=lambda _: None)
        assert ended.returncode == 0, ended.stderr + ended.stdout
        document = json.loads(ended.stdout)
        (told,) = document["scenarios"]
        assert (told["name"], told["verdict"]) == (scenario, "MET")
        assert (told["lost_rows"] == 0) is (shows not in (_restores, _promotes))
        drill = repository.find_drills()[-1]
        said = [event for event in read_journal(drill.journal_path) if event.kind == "failover.observed"]
        codes = {one["code"] for event in said for one in event.data["events"]}
        shows(read_json(drill.verdict_path), codes, drill)
        repository.await_nothing_left()
    finally:
        repository.clear()
