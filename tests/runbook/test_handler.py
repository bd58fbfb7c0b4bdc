"""A handler is called as AWS Lambda calls one: with an event and a context, its answer as JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from drdrill.runbook.handler import LONGEST_SECONDS, Context
from tests.faults.fakes import ManualClock

if TYPE_CHECKING:
    from pathlib import Path

FUNCTION = """\
import logging
import helper

logging.getLogger().setLevel(logging.INFO)

def handler(event, context):
    print("failing over")
    logging.getLogger().info("to another region")
    left = context.get_remaining_time_in_millis()
    name, request = context.function_name, context.aws_request_id
    return {"region": helper.read(event), "name": name, "id": len(request), "left": left}

def broken(event, context):
    raise ValueError("no such region")

def unspeakable(event, context):
    return {1, 2}
"""


@pytest.fixture
def function(tmp_path: Path) -> Path:
    """Return the folder in which a function stands beside a module of its own, below a repository."""
    folder = tmp_path / "ops" / "fail-over"
    folder.mkdir(parents=True)
    (folder / "somebodys_function.py").write_text(FUNCTION, encoding="utf-8")
    (folder / "helper.py").write_text("def read(event):\n    return event['region']\n", encoding="utf-8")
    (tmp_path / "event.json").write_text('{"region": "eu-west-1"}', encoding="utf-8")
    return folder


def _call(folder: Path, handler: str, event: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "drdrill.runbook.handler", handler, str(event)]
    return subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)


def test_it_gets_an_event_and_a_context(tmp_path: Path, function: Path) -> None:
    """Its own folder is where its modules are looked for first; what it returns is printed last."""
    assert function.is_dir()
    ended = _call(tmp_path, "ops/fail-over/somebodys_function:handler", tmp_path / "event.json")
    assert ended.returncode == 0, ended.stderr
    said, answer = ended.stdout.splitlines()
    told = json.loads(answer)
    assert said == "failing over"
    assert ended.stderr.startswith("[INFO] ")
    assert ended.stderr.endswith(" to another region\n")
    assert 0 < told.pop("left") <= LONGEST_SECONDS * 1000
    assert told == {"region": "eu-west-1", "name": "handler", "id": 36}


def test_a_module_is_looked_for_where_it_is_called(tmp_path: Path, function: Path) -> None:
    """Without a folder in its name a module stands in the working folder."""
    ended = _call(function, "somebodys_function:handler", tmp_path / "event.json")
    assert json.loads(ended.stdout.splitlines()[-1])["region"] == "eu-west-1"


@pytest.mark.parametrize(
    ("handler", "says"),
    [
        ("somebodys_function:broken", "no such region"),
        ("somebodys_function:unspeakable", "not JSON serializable"),
        ("somebodys_function:nobody", "somebodys_function:nobody: "),
        ("nowhere:handler", "No module named 'nowhere'"),
    ],
)
def test_what_goes_wrong_is_told(tmp_path: Path, function: Path, handler: str, says: str) -> None:
    """What it raises, an answer that is no JSON, and a name that leads nowhere end it with 1 and a traceback."""
    ended = _call(function, handler, tmp_path / "event.json")
    assert ended.returncode == 1
    assert says in ended.stderr.splitlines()[-1]


def test_its_time_runs_out() -> None:
    """What is left of its time becomes less, and never less than nothing."""
    clock = ManualClock()
    context = Context("handler", clock, clock.now_ns() + 2_000_000_000)
    assert context.get_remaining_time_in_millis() == 2000
    clock.ns += 1_500_000_000
    assert context.get_remaining_time_in_millis() == 500
    clock.ns += 10_000_000_000
    assert context.get_remaining_time_in_millis() == 0
