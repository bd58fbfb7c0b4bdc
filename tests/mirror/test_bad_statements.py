"""Whether destroyed rows are gone, or back: what the observers make of what a program says of the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from drdrill.mirror.bad_statements import observe_back, observe_destroyed
from drdrill.mirror.damaged_backups import observe_lack, observe_whole

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DETAILS = {"doomed": "select id from t", "sample": [3, 5, 8], "endpoint": "db", "database": "d", "user": "u"}
QUERY = "select count(*) from (select id from t) as found (key) where key in (3, 5, 8)"
NO_TABLE = 'psql:1: ERROR:  relation "t" does not exist'
NO_ANSWER = 'psql: error: could not translate host name "db" to address'


class Answering:
    """A program that says one thing; notes what it was asked."""

    def __init__(self, status: int, said: str) -> None:
        self._answer = status, said
        self.asked: list[str] = []

    def __call__(self, details: Mapping[str, Any], query: str) -> tuple[int, str]:
        """Answer."""
        assert details["endpoint"] == "db"
        self.asked.append(query)
        return self._answer


@pytest.mark.parametrize(
    ("status", "said", "effective", "healed"),
    [
        (0, "0", True, False),
        (0, "1", False, False),
        (0, "3", False, True),
        (1, NO_TABLE, True, False),
        (2, NO_ANSWER, False, False),
    ],
    ids=["gone", "some", "all", "no table", "no answer"],
)
def test_a_sample_tells(status: int, said: str, effective: bool, healed: bool) -> None:
    """Gone is none of the sample, or no table; back is all of it; a database that does not answer is neither."""
    ask = Answering(status, said)
    assert observe_destroyed(ask, DETAILS)["effective"] is effective
    assert observe_back(ask, DETAILS)["healed"] is healed
    assert ask.asked == [QUERY, QUERY]


def test_nobody_knows_what_was_destroyed() -> None:
    """Where the injection never came back there is nothing to look for, and nothing is called healed."""
    ask = Answering(0, "3")
    assert observe_back(ask, {"unconfirmed": True})["healed"] is False
    assert ask.asked == []


@pytest.mark.parametrize(
    ("rows", "effective", "healed"), [(0, True, False), (2, False, False), (3, False, True)]
)
def test_a_backup_tells(tmp_path: Path, rows: int, effective: bool, healed: bool) -> None:
    """The same of a backup's files: it lacks the sample, or has it."""
    asked: list[Mapping[str, Any]] = []

    def ask(operation: str, **arguments: Any) -> Mapping[str, Any]:
        assert operation == "look_into_backup"
        asked.append(arguments)
        return {"rows": rows, "said": []}

    details = {**DETAILS, "backup": str(tmp_path), "instance": "db"}
    assert observe_lack(ask, details)["effective"] is effective
    assert observe_whole(ask, details)["healed"] is healed
    assert [one["query"] for one in asked] == [QUERY, QUERY]


def test_a_backup_that_is_deleted_is_not_damaged_any_more(tmp_path: Path) -> None:
    """Nothing is left to be put back, and nobody can restore it."""

    def ask(operation: str, **_: Any) -> Mapping[str, Any]:
        raise AssertionError(operation)

    assert observe_whole(ask, {**DETAILS, "backup": str(tmp_path / "gone")})["healed"] is True
