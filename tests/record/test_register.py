"""The register of runs: numbered lines, whole ones, whoever died while writing."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from drdrill.core.process import ProcessId
from drdrill.record.register import REGISTER_NAME, append_to_register, enter_lost

if TYPE_CHECKING:
    from pathlib import Path

_APPEND = """
import sys
from pathlib import Path
from drdrill.record.register import append_to_register
for _ in range(20):
    append_to_register(Path(sys.argv[1]), "begun")
"""


def _lines(reports: Path) -> list[str]:
    return (reports / REGISTER_NAME).read_text(encoding="utf-8").splitlines()


def test_lines_are_numbered(tmp_path: Path) -> None:
    """Each line has its own number, which is also returned; the folder is made when it is missing."""
    reports = tmp_path / "reports"
    numbers = [append_to_register(reports, moment, scenario="one") for moment in ("begun", "ended", "begun")]
    assert numbers == [1, 2, 3]
    assert [json.loads(line) for line in _lines(reports)] == [
        {"number": number, "moment": moment, "scenario": "one"}
        for number, moment in ((1, "begun"), (2, "ended"), (3, "begun"))
    ]


def test_a_torn_last_line(tmp_path: Path) -> None:
    """After a half-written line the next one is whole, and no number is given twice."""
    append_to_register(tmp_path, "begun")
    with (tmp_path / REGISTER_NAME).open("ab") as stream:
        stream.write(b'{"number":2,"mom')
    assert append_to_register(tmp_path, "begun") == 3
    assert append_to_register(tmp_path, "ended") == 4
    lines = _lines(tmp_path)
    assert len(lines) == 4
    assert [json.loads(lines[number - 1])["number"] for number in (1, 3, 4)] == [1, 3, 4]


def test_several_runs_at_once(tmp_path: Path) -> None:
    """Runs that begin at the same time get different numbers, in the order of the lines."""
    runs = [subprocess.Popen([sys.executable, "-c", _APPEND, str(tmp_path)]) for _ in range(3)]
    assert [run.wait(60) for run in runs] == [0, 0, 0]
    assert [json.loads(line)["number"] for line in _lines(tmp_path)] == list(range(1, 61))


def test_lost_drills_are_entered_once(tmp_path: Path) -> None:
    """A drill whose process is gone and that never ended is entered as lost, and told to the first who looks."""
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        process = ProcessId.read(sleeper.pid)
        assert process is not None
        for name in ("killed", "finished"):
            append_to_register(tmp_path, "begun", directory=name, process=process.to_json())
        append_to_register(
            tmp_path, "begun", directory="older", scenario="one"
        )  # of a version without processes
        append_to_register(tmp_path, "ended", directory="finished", verdict="MET")
        assert enter_lost(tmp_path) == ()
        sleeper.kill()
    with (tmp_path / REGISTER_NAME).open("ab") as stream:
        stream.write(b'{"number":5,"mom')
    assert enter_lost(tmp_path) == ("killed",)
    assert enter_lost(tmp_path) == ()
    assert json.loads(_lines(tmp_path)[-1]) == {"number": 6, "moment": "lost", "directory": "killed"}


def test_a_repository_without_drills(tmp_path: Path) -> None:
    """Where nobody drilled, nothing was lost, and no file is made."""
    assert enter_lost(tmp_path / "reports") == ()
    assert list(tmp_path.iterdir()) == []
