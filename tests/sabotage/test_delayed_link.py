"""Replication over a slow link loses what is under way: the drill's figures against an independent count."""

from __future__ import annotations

import shutil
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.measure import measure
from drdrill.record.directory import DrillDirectory
from tests.sabotage.recount import read_surviving_ids, recount

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sabotage.drill_copy import DrillCopy


@pytest.mark.drill
def test_what_a_slow_link_loses_is_counted_to_the_row(drill_copy: DrillCopy, tmp_path: Path) -> None:
    """Lost rows, amount and time are those of an independent count, and the plan's objective judges them."""
    drill_copy.replicate_asynchronously(delay="1 s")
    ended = drill_copy.run()
    first, second = (ended.directory.evidence / f"survivors-{number}.pgcopy" for number in (1, 2))
    assert read_surviving_ids(first) == read_surviving_ids(second)
    counted = recount(ended.directory.ledger, second)
    rpa = ended.verdict["rpa"]
    assert counted.rows > 0
    assert rpa["lost_rows"] == counted.rows
    assert Decimal(rpa["lost_amount"]) == Decimal(counted.amount) / 100
    assert rpa["seconds"] == pytest.approx(counted.seconds, abs=0.05)
    ended.require("INCONCLUSIVE", 3, "rpo_not_projected")
    assert "loss_unexplained" not in ended.codes
    assert _measured_rpo(ended.verdict) == "MET"

    stricter = tmp_path / "stricter"
    shutil.copytree(ended.directory.path, stricter)
    plan = stricter / "plan.yaml"
    text = plan.read_text(encoding="utf-8")
    assert text.count("rpo: 5 min\n") == 1
    plan.write_text(text.replace("rpo: 5 min\n", "rpo: 100 ms\n"), encoding="utf-8")
    judged = measure(DrillDirectory(stricter)).to_json()
    assert judged["verdict"] == "MISSED"
    assert "rpo_missed" in {reason["code"] for reason in judged["reasons"]}
    assert _measured_rpo(judged) == "MISSED"
    assert judged["rpa"] == rpa


def _measured_rpo(verdict: dict[str, Any]) -> str:
    """Return the measured verdict on the loss."""
    (rpo,) = (one for one in verdict["objectives"] if one["kind"] == "rpo")
    return str(rpo["measured"]["verdict"])
