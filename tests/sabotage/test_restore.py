"""A restore to another moment, and a backup that lacks rows: not MET, and the verdict says which."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sabotage.drill_copy import FEATURE, PLAN, DrillCopy

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.drill
_CODE = "failover/restore_database.py"
_LOCK_OUT = "        MasterUserPassword=secrets.token_urlsafe(24),\n"


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        pytest.param(3, "restore_lacks_rows", id="after"),
        pytest.param(-3, "restored_to_another_time", id="before", marks=pytest.mark.long),
    ],
)
def test_a_restore_to_the_wrong_time_is_found(tmp_path: Path, seconds: int, code: str) -> None:
    """To after the bad statement, its rows are not back; to before, more is lost than had to be."""
    copy = DrillCopy(tmp_path / "copy", "bad_delete")
    # Of the call alone: what the code notes is right, or it would not put the database in place.
    copy.replace(_CODE, "RestoreTime=to,", f"RestoreTime=to + timedelta(seconds={seconds}),")
    if seconds > 0:  # what is restored to after the first step would have the password that nobody knows
        copy.replace(_CODE, _LOCK_OUT, "")
    copy.replace(
        _CODE, "from datetime import UTC, datetime\n", "from datetime import UTC, datetime, timedelta\n"
    )
    copy.replace(FEATURE, "    And the deleted payments are back\n", "")
    ended = copy.run()
    ended.require("MISSED", 1, code)
    assert "restored_to_another_time" in ended.codes
    (restore,) = ended.verdict["restores"]
    assert (restore["missing_rows"] > 0) is (seconds > 0)
    assert ("loss_unexplained" in ended.codes) is (seconds > 0)


def test_a_backup_that_lacks_rows_is_missed_where_nobody_planted_it(tmp_path: Path) -> None:
    """The same damaged backup, in a scenario that does not say that it is: MISSED, with how many rows and one."""
    copy = DrillCopy(tmp_path / "copy", "backup_lacks_rows")
    copy.replace(PLAN, "\n    must_find: restore_lacks_rows\n", "\n")
    ended = copy.run()
    ended.require("MISSED", 1, "restore_lacks_rows")
    (restore,) = ended.verdict["restores"]
    (reason,) = ended.verdict["reasons"]
    assert restore["missing_rows"] > 0
    assert f"lacks {restore['missing_rows']} of the {restore['expected_rows']} rows" in reason["text"]
    assert f"id {restore['examples'][0]}" in reason["text"]
    assert ended.verdict["rpa"]["lost_rows"] == 0
