"""Failovers that know nothing of drdrill, drilled as they are: one that is good, and one that only says that it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.record.journal import read_journal
from tests.live.aws_cli import install_aws_cli

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]
EXAMPLES = "docs/examples"
_NEVER_DONE = {
    "called_in_vain", "calls_not_known", "capacity_not_asked", "copy_not_promoted", "name_not_changed", "name_refused",
    "users_never_told",
}  # fmt: skip
WITHIN_SECONDS = 2400  # of which building the system takes 5 min, and AWS's command line waits 30 s at a time

pytestmark = [pytest.mark.drill, pytest.mark.long]


def _promotions(verdict: dict[str, Any]) -> list[tuple[str, dict[str, int], list[str]]]:
    """Return where promotions were called, what failed of them, and which databases they were about."""
    return [
        (one["region"], one["failed"], sorted(one["targets"]))
        for one in verdict["calls"]["calls"]
        if one["operation"] == "PromoteReadReplica"
    ]


def _drill(reports: Path, failover: Sequence[str]) -> tuple[int, Path, dict[str, Any]]:
    """Return how the run of a drill ended, its directory, and its verdict."""
    ended = subprocess.run(
        [
            sys.executable, "-m", "drdrill.cli.main", "run", "region", "--scenario", "region_loses_power", "--json",
            "--reports", str(reports), *failover,
        ],
        cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=WITHIN_SECONDS, check=False,
        env={**os.environ, "PATH": f"{install_aws_cli()}{os.pathsep}{os.environ['PATH']}"},
    )  # fmt: skip
    assert ended.stdout, ended.stderr
    (scenario,) = json.loads(ended.stdout)["scenarios"]
    directory = ROOT / scenario["directory"]
    verdict = json.loads((directory / "verdict.json").read_text(encoding="utf-8"))
    (command,) = (
        one.data for one in read_journal(directory / "journal.jsonl") if one.kind == "failover_command.ended"
    )
    assert command["status"] == 0, command["said"]
    assert _promotions(verdict) == [("eu-central-1", {}, ["payments-recovery", "users-recovery"])]
    assert {one["code"] for one in verdict["findings"]}.isdisjoint(_NEVER_DONE)
    return ended.returncode, directory, verdict


def test_a_function_that_is_good(tmp_path: Path) -> None:
    """Every measured objective is MET, and all that is open is its time in production, which nobody stated."""
    status, directory, verdict = _drill(
        tmp_path / "reports",
        [
            "--failover-command", f"{EXAMPLES}/failover_boto3/region_failover:lambda_handler",
            "--failover-event", f"{EXAMPLES}/failover_boto3/event.json",
        ],
    )  # fmt: skip
    told = json.dumps(verdict["reasons"], indent=1)
    assert {one["measured"]["verdict"] for one in verdict["objectives"]} == {"MET"}, told
    assert {one["code"] for one in verdict["reasons"]} == {"rto_not_projected"}, told
    assert (verdict["verdict"], status) == ("INCONCLUSIVE", 3)
    assert verdict["runbook"] is None
    assert "The failover that was run" in (directory / "report.html").read_text(encoding="utf-8")


def test_a_script_with_a_hidden_defect(tmp_path: Path) -> None:
    """It ends with 0 and says that it is done; the drill is MISSED and names the services that it forgot."""
    status, directory, verdict = _drill(
        tmp_path / "reports", ["--failover-command", f"{EXAMPLES}/failover_cli/failover.sh"]
    )
    assert (verdict["verdict"], status) == ("MISSED", 1)
    missed = {one["code"]: one["text"] for one in verdict["reasons"] if one["verdict"] == "MISSED"}
    assert list(missed) == ["capacity_missing"], missed
    assert missed["capacity_missing"].endswith(": documents 1 of 2, notifications 1 of 2.")
    assert missed["capacity_missing"] in (directory / "report.html").read_text(encoding="utf-8")
