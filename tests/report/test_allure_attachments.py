"""What a drill's directory adds to its result in Allure, whatever became of the drill."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

from drdrill.record.directory import DrillDirectory
from drdrill.report.allure import Attachment, drill_attachments
from tests.report.conftest import store

if TYPE_CHECKING:
    from pathlib import Path

    from tests.measure.story import Story


def _attach(directory: DrillDirectory) -> dict[str, Attachment]:
    return {one.title: one for one in drill_attachments(directory)}


def test_a_whole_drill(story: Story) -> None:
    """Pictures, the ledger with one line a client, and the verdict are there."""
    directory = store(story)
    (directory.evidence / "chaos-power.inject.json").write_text("{}", encoding="utf-8")
    attached = _attach(directory)
    pictures = [one for one in attached.values() if one.form == "SVG"]
    assert {one.title for one in pictures} >= {"Objectives", "Availability", "Commits"}
    assert all(one.content.lstrip().startswith("<") and "<svg" in one.content for one in pictures)
    assert attached["Chaos experiment power.inject"].form == "JSON"
    rows = list(csv.DictReader(io.StringIO(attached["Ledger: what became of users' writes"].content)))
    assert [row["client"] for row in rows] == sorted(path.stem for path in directory.ledger.glob("*.json"))
    for row in rows:
        assert int(row["requests"]) == sum(int(row[key]) for key in ("acknowledged", "refused", "unknown"))
    assert json.loads(attached["Verdict with all figures"].content)["verdict"] == "MET"


def test_a_drill_that_hardly_began(tmp_path: Path) -> None:
    """There is little to attach, and that is no error."""
    directory = DrillDirectory(tmp_path / "drill")
    directory.create()
    assert [title for title in _attach(directory) if "not available" not in title] == []


def test_a_damaged_drill_is_attached_as_far_as_it_goes(story: Story) -> None:
    """A part that cannot be made is replaced by the reason, and the others are there."""
    directory = store(story)
    next(directory.ledger.glob("*.json")).write_text("{", encoding="utf-8")
    attached = _attach(directory)
    assert "this does not describe a client" in attached["Ledger: not available"].content
    assert "Verdict with all figures" in attached
