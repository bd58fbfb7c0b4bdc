"""Failover code that does not do what it is there for: the drill is not MET, and says what the code said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.record.journal import read_journal
from tests.sabotage.drill_copy import DrillCopy

if TYPE_CHECKING:
    from pathlib import Path

CODE = "failover/promote_replica.py"


@pytest.mark.drill
@pytest.mark.long
def test_a_promotion_that_is_skipped(tmp_path: Path) -> None:
    """Without the promotion the code ends with an error: the drill is broken, not MET, and its journal says why."""
    copy = DrillCopy(tmp_path / "copy", "replica_promoted_across_regions")
    copy.replace(CODE, "    promote(rds, replica)\n", "")
    ended = copy.run()
    assert ended.status not in (0, 1)
    assert ended.verdict["verdict"] != "MET"
    (told,) = (one for one in read_journal(ended.directory.journal_path) if one.kind == "failover_code.ended")
    assert told.data["status"] == 1
    assert "still follows" in told.data["said"]


@pytest.mark.drill
@pytest.mark.long
def test_code_that_fails_after_the_promotion(tmp_path: Path) -> None:
    """The drill is broken and blames no store: users have left before healing brings the old primary back."""
    copy = DrillCopy(tmp_path / "copy", "replica_promoted_across_regions")
    copy.replace(
        CODE, "        protect(rds, replica)\n", '        raise RuntimeError("no standby to be had")\n'
    )
    ended = copy.run()
    assert ended.status not in (0, 1)
    assert ended.verdict["verdict"] not in ("MET", "MISSED")
    kinds = [one.kind for one in read_journal(ended.directory.journal_path)]
    assert kinds.index("load.stopped") < kinds.index("fault.healing")
