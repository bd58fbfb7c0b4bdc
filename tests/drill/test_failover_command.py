"""Anyone's failover in the runbook's place: run as it is, told in the journal, and no drill ends by how it ended."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.core.errors import UsageError
from drdrill.drill import Drill, DrillRequest
from drdrill.drill.failover_command import EVENT, FailoverCommand, check_command
from drdrill.drill.operators import Operators
from drdrill.plan import load_plan
from drdrill.record.journal import read_journal
from tests.faults.fakes import ManualClock, write_plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drdrill.plan.scenario import Scenario
    from drdrill.record.directory import DrillDirectory
    from tests.drill.fakes import FakeEnvironment

WITHIN = timedelta(minutes=20)
ROOT = Path(__file__).parents[2]
HANDLER = "docs/examples/boto/failover:handler"


@pytest.fixture
def program(tmp_path: Path, environment: FakeEnvironment, directory: DrillDirectory) -> FailoverCommand:
    """Return what runs a command of a repository."""
    return FailoverCommand(tmp_path, environment, directory, clock=ManualClock())


@pytest.fixture
def scenarios(tmp_path: Path) -> dict[str, Scenario]:
    """Return two scenarios, of which one is recovered by a runbook."""
    (plain, *_) = load_plan(write_plan(tmp_path)).scenarios.values()
    return {"lost": plain.model_copy(update={"runbook": "failover/runbook.yaml"}), "plain": plain}


@pytest.fixture
def event(tmp_path: Path) -> Path:
    """Return the file of an event."""
    path = tmp_path / "event.json"
    path.write_text('{"region": "eu-west-1"}', encoding="utf-8")
    return path


def _read_ends(directory: DrillDirectory) -> tuple[Mapping[str, Any], ...]:
    """Return what the journal says of a command's begin and its end."""
    events = read_journal(directory.journal_path)
    return tuple(event.data for event in events if event.kind.startswith("failover_command."))


def test_a_line_is_the_shells(
    program: FailoverCommand, environment: FakeEnvironment, directory: DrillDirectory, tmp_path: Path
) -> None:
    """It is given to `sh -c` as it is, in the repository; the journal tells both ends, with the last words."""
    environment.says = "promoted\nswitched\n"
    assert program.run("./failover.sh eu-central-1 && echo 'done'", None, within=WITHIN)
    (command,) = environment.operated
    assert list(command[:3]) == ["env", "-C", str(tmp_path)]
    assert list(command[-3:]) == ["sh", "-c", "./failover.sh eu-central-1 && echo 'done'"]
    began, ended, _ = read_journal(directory.journal_path)
    assert (began.kind, began.data["event"]) == ("failover_command.started", None)
    assert (directory.path / str(began.data["log"])).read_text(encoding="utf-8") == environment.says
    assert (ended.kind, ended.data["status"], ended.data["said"]) == (
        "failover_command.ended",
        0,
        "promoted\nswitched",
    )


def test_both_ways_of_speaking_are_one(
    program: FailoverCommand, environment: FakeEnvironment, tmp_path: Path
) -> None:
    """What was run, run here: words of both ways come in their order, and the status is the command's own."""
    program.run("echo one; echo two >&2; pwd; exit 7", None, within=WITHIN)
    (command,) = environment.operated
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout.splitlines(), ended.stderr) == (
        7,
        ["one", "two", str(tmp_path)],
        "",
    )


def test_another_status_ends_no_drill(
    program: FailoverCommand, environment: FakeEnvironment, directory: DrillDirectory
) -> None:
    """A command that fails is told, and the drill goes on: it is judged by what users saw."""
    environment.says, environment.fails = "promoting\nan error occurred\n", 254
    assert not program.run("./failover.sh", None, within=WITHIN)
    _, ended = _read_ends(directory)
    assert ended["status"] == 254
    assert str(ended["said"]).splitlines()[:2] == ["promoting", "an error occurred"]


def test_only_the_last_words_are_told(
    program: FailoverCommand, environment: FakeEnvironment, directory: DrillDirectory
) -> None:
    """The journal has the end of a long log, and the log all of it."""
    environment.says = "".join(f"line {number}\n" for number in range(100))
    program.run("./failover.sh", None, within=WITHIN)
    said = str(_read_ends(directory)[1]["said"]).splitlines()
    assert (said[0], said[-1]) == ("line 85", "line 99")


def test_a_handler_gets_its_event(
    program: FailoverCommand, environment: FakeEnvironment, directory: DrillDirectory, event: Path
) -> None:
    """A handler is called by a program of the engine, with an event that is kept with the drill."""
    assert program.run(HANDLER, event, within=WITHIN)
    (command,) = environment.operated
    kept = directory.path / EVENT
    expected = [sys.executable, "-P", "-m", "drdrill.runbook.handler", HANDLER, str(kept)]
    assert list(command[-6:]) == expected
    assert json.loads(kept.read_text(encoding="utf-8")) == {"region": "eu-west-1"}
    assert read_journal(directory.journal_path)[0].data["event"] == EVENT


def test_what_can_take_a_runbooks_place(scenarios: dict[str, Scenario], event: Path) -> None:
    """A line for the shell, or a handler with an event, where every scenario has a runbook; or nothing at all."""
    lost = {"lost": scenarios["lost"]}
    check_command("./failover.sh > log 2>&1", None, lost)
    check_command(HANDLER, event, lost)
    check_command("failover.main:handler", event, lost)
    check_command(None, None, scenarios)


@pytest.mark.parametrize(
    ("command", "has_event", "says"),
    [
        (" ", False, "--failover-command is empty"),
        ("failover:handler", False, "--failover-event FILE says what it is called with"),
        ("./failover.sh", True, "a handler is written `module:function`"),
        (None, True, "--failover-command names that"),
    ],
)
def test_what_cannot_is_refused(
    scenarios: dict[str, Scenario], event: Path, command: str | None, has_event: bool, says: str
) -> None:
    """A handler needs its event, and an event its handler."""
    with pytest.raises(UsageError, match=says):
        check_command(command, event if has_event else None, {"lost": scenarios["lost"]})


def test_a_scenario_without_a_runbook_is_refused(scenarios: dict[str, Scenario]) -> None:
    """Where nothing is run by operators there is nothing whose place it could take; the scenario is named."""
    with pytest.raises(UsageError, match="`plain` has none"):
        check_command("./failover.sh", None, scenarios)


@pytest.mark.parametrize("content", [None, "region: eu-west-1", b"\xff"])
def test_an_event_that_is_none_is_refused(
    scenarios: dict[str, Scenario], tmp_path: Path, content: str | bytes | None
) -> None:
    """An event has to be there and to be JSON, before anything is started."""
    path = tmp_path / "other.json"
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(UsageError, match=r"other\.json: no JSON"):
        check_command(HANDLER, path, {"lost": scenarios["lost"]})


def _request(reports: Path, scenario: str, command: str | None) -> DrillRequest:
    plan = ROOT / "scenarios" / "plan.yaml"
    return DrillRequest(scenario, "embedded", ROOT, plan, reports, failover_command=command)


def test_a_drill_runs_it_in_the_runbooks_place(tmp_path: Path, environment: FakeEnvironment) -> None:
    """The scenario's step is the same: of a drill with a command it runs that, and no runbook."""
    drill = Drill(_request(tmp_path / "reports", "region_loses_power", "./failover.sh"))
    drill.directory.create()
    operators = Operators(
        drill.request, drill.scenario, environment, drill.directory,
        within=timedelta(minutes=20), seed=1, clock=ManualClock(),
    )  # fmt: skip
    assert operators.run_runbook()
    (command,) = environment.operated
    assert list(command[-3:]) == ["sh", "-c", "./failover.sh"]
    assert [event.kind for event in read_journal(drill.directory.journal_path)] == [
        "failover_command.started",
        "failover_command.ended",
        "calls.recorded",
    ]


def test_a_drill_without_a_runbook_refuses_it(tmp_path: Path) -> None:
    """However the drill was asked for, nothing is made."""
    with pytest.raises(UsageError, match="`primary_host_loses_power` has none"):
        Drill(_request(tmp_path / "reports", "primary_host_loses_power", "./failover.sh"))
    assert not (tmp_path / "reports").exists()
