"""The journal: a chain that several processes write, that survives a torn line, and that shows what was altered."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from drdrill.core.errors import DamagedRecordError
from drdrill.record.journal import Journal, read_journal
from tests.faults.fakes import ManualClock

_APPEND = """
import sys
from pathlib import Path
from drdrill.record.journal import Journal
journal = Journal(Path(sys.argv[1]), actor=sys.argv[2])
for number in range(int(sys.argv[3])):
    journal.append("counted", number=number)
"""


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """Return an empty journal."""
    return Journal(tmp_path / "journal.jsonl", actor="test", clock=ManualClock())


def test_events_come_back_as_they_were_written(journal: Journal) -> None:
    """What `append` returned is what is read, in order, each chained to the one before."""
    written = tuple(journal.append(kind, number=n) for n, kind in enumerate(("begun", "went_on", "ended")))
    assert read_journal(journal.path) == written
    assert [event.seq for event in written] == [0, 1, 2]
    assert [event.previous for event in written] == ["0" * 64, written[0].hash, written[1].hash]
    assert written[0].data == {"number": 0}


def test_data_that_is_not_json_writes_nothing(journal: Journal) -> None:
    """An event that cannot be written down is the caller's mistake, and leaves no half line."""
    journal.append("begun")
    with pytest.raises(TypeError):
        journal.append("wrong", path=Path())
    assert len(read_journal(journal.path)) == 1


def test_a_torn_tail_moves_to_evidence(journal: Journal) -> None:
    """A line that a dying process left half written is kept as evidence, and the journal says so."""
    journal.append("begun")
    torn = b'{"v": 1, "seq": 1, "at'
    with journal.path.open("ab") as stream:
        stream.write(torn)
    assert [event.kind for event in read_journal(journal.path)] == ["begun"]
    journal.append("went_on")
    events = read_journal(journal.path)
    assert [event.kind for event in events] == ["begun", "journal.torn_tail_moved", "went_on"]
    assert events[1].data["bytes"] == len(torn)
    kept = journal.path.parent / events[1].data["evidence"]
    assert kept.read_bytes() == torn
    assert hashlib.sha256(torn).hexdigest()[:12] in kept.name


def test_a_torn_first_line(journal: Journal) -> None:
    """A journal of nothing but half a line begins anew, with the half line as evidence."""
    journal.path.write_bytes(b'{"v"')
    journal.append("begun")
    assert [event.kind for event in read_journal(journal.path)] == ["journal.torn_tail_moved", "begun"]


def test_a_long_last_line(journal: Journal) -> None:
    """An event longer than the block in which the last line is looked for is chained to all the same."""
    journal.append("begun")
    journal.append("long", text="x" * 200_000)
    journal.append("ended")
    assert [event.kind for event in read_journal(journal.path)] == ["begun", "long", "ended"]


def test_several_processes_append(tmp_path: Path) -> None:
    """Processes that append at the same time make one chain, and none of their events is lost."""
    path, each = tmp_path / "journal.jsonl", 40
    writers = [
        subprocess.Popen([sys.executable, "-c", _APPEND, str(path), f"writer-{n}", str(each)])
        for n in range(3)
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    events = read_journal(path)
    assert len(events) == 3 * each
    for n in range(3):
        mine = [event.data["number"] for event in events if event.actor == f"writer-{n}"]
        assert mine == list(range(each))


def _alter_data(lines: list[str]) -> None:
    lines[2] = lines[2].replace('"number":2', '"number":7')


def _forge_hash(lines: list[str]) -> None:
    """Alter a line and make its own hash right again: the next line's chain tells."""
    body = json.loads(lines[1])
    del body["hash"]
    body["data"] = {"number": 7}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    lines[1] = json.dumps({**body, "hash": hashlib.sha256(text.encode()).hexdigest()})


def _drop(lines: list[str]) -> None:
    del lines[2]


def _swap(lines: list[str]) -> None:
    lines[2], lines[3] = lines[3], lines[2]


def _scribble(lines: list[str]) -> None:
    lines[2] = "not an event"


@pytest.mark.parametrize("alter", [_alter_data, _forge_hash, _drop, _swap, _scribble])
def test_an_altered_line_is_found(journal: Journal, alter: object) -> None:
    """Whatever was altered afterwards, reading names the file and the line at which the chain breaks."""
    for number in range(5):
        journal.append("counted", number=number)
    lines = journal.path.read_text(encoding="utf-8").splitlines()
    assert callable(alter)
    alter(lines)
    journal.path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(DamagedRecordError, match=r"journal\.jsonl:3: "):
        read_journal(journal.path)


def test_no_journal(tmp_path: Path) -> None:
    """A journal that is not there is damage, named with its path."""
    with pytest.raises(DamagedRecordError, match="No such file"):
        read_journal(tmp_path / "journal.jsonl")
