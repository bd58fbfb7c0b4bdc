"""Waiting for what is seen, and notes: what was not seen in time is told, and what is too old was not noted."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from failover._looking import conclude
from failover._notes import Notes
from failover._places import read_places
from failover._telling import StoppedError
from failover._waiters import await_seen

if TYPE_CHECKING:
    from pathlib import Path


def test_waits_until_nothing_is_missing() -> None:
    """It looks again while something is."""
    looks = iter((["not yet"], ["not yet"], []))
    await_seen(lambda: next(looks), advice="Nothing.", delay=0)
    assert list(looks) == []


def test_what_was_waited_for_in_vain_is_told() -> None:
    """What was missing at the last look, line by line, and what to do."""
    with pytest.raises(
        StoppedError, match=r"^one is missing\nand another\nWhat to do: Look there\. Then run"
    ):
        await_seen(lambda: ["one is missing", "and another"], advice="Look there.", delay=0, attempts=3)


def test_a_look_ends_with_all_that_is_not_so(capsys: pytest.CaptureFixture[str]) -> None:
    """Or says that it is so."""
    conclude([], "it is so")
    assert capsys.readouterr().out == "it is so\n"
    with pytest.raises(StoppedError, match=r"^this\nthat$"):
        conclude(["this", "that"], "it is so")


def test_a_note_is_read_while_it_is_valid(tmp_path: Path) -> None:
    """It has its text and its time; one that is older than asked for, or spoiled, is none."""
    notes, hour = Notes(tmp_path / "folder"), timedelta(hours=1)
    assert notes.read("why", valid=hour) is None
    written = notes.write("why", "a reason")
    assert notes.read("why", valid=hour) == written
    old = {"at": (datetime.now(UTC) - hour * 2).isoformat(), "text": "a reason"}
    notes.path("why").write_text(json.dumps(old), encoding="utf-8")
    assert notes.read("why", valid=hour) is None
    assert notes.read("why", valid=hour * 3) is not None
    for spoiled in ("", "[]", '{"at": "yesterday", "text": ""}'):
        notes.path("why").write_text(spoiled, encoding="utf-8")
        assert notes.read("why", valid=hour) is None


def test_places_are_those_of_terraform() -> None:
    """Regions by their roles, and the public name."""
    places = read_places()
    assert (places.primary, places.recovery, places.public_name) == (
        "eu-west-1",
        "eu-central-1",
        "api.meqenet.et",
    )
