"""A missed objective is *failed*, everything else that fails is *broken*, and the record says which."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.core.errors import DrdrillError, ObjectiveMissedError
from drdrill.pytest_plugin.outcome import Outcome, as_broken, outcome_of

if TYPE_CHECKING:
    from .conftest import Bakery

pytest_plugins = ["pytester"]


@pytest.mark.parametrize(
    ("end", "outcome", "summary"),
    [
        ("bread is baked within the objective", "passed", ""),
        ("the objective is missed", "failed", "RTO missed: 2 h measured, 1 h allowed"),
        ("the drill proves nothing", "broken", "no load was running"),
        ("the harness is wrong", "broken", "BrokenStepError: a step failed"),
        ("the step is left out", "skipped", "not today"),
    ],
)
def test_the_record_names_outcome_directory_and_reason(
    bakery: Bakery, end: str, outcome: str, summary: str
) -> None:
    """Every executed scenario appends one line: node, plan's name, outcome, directory, reason."""
    bakery.write_ending(end)
    bakery.run("--drill-record", "record.jsonl")
    (line,) = bakery.read_record()
    assert line.pop("nodeid") == "scenarios/oven.feature::test_the_oven_loses_power"
    assert summary in line.pop("summary")
    assert line == {
        "scenario": "oven-power",
        "title": "The oven loses power",
        "outcome": outcome,
        "directory": "/drills/north",
        "cleanup": None,
        "exit_status": 4 if "proves nothing" in end else 5 if "harness" in end else None,
    }


def test_a_broken_step_is_no_assertion(bakery: Bakery) -> None:
    """An assertion that is no missed objective reaches reports as another error, with its cause shown."""
    bakery.write_ending("the harness is wrong")
    result = bakery.run()
    result.stdout.fnmatch_lines(["*assert [[]1] == [[]2]*", "*BrokenStepError: a step failed, *"])


def test_a_missed_objective_is_told_without_a_traceback(bakery: Bakery) -> None:
    """Where the code raised it tells nobody anything: file, line, scenario and message do."""
    bakery.write_ending("the objective is missed")
    result = bakery.run()
    result.stdout.fnmatch_lines([
        "scenarios/oven.feature:6: The oven loses power",
        "RTO missed: 2 h measured, 1 h allowed",
    ])  # fmt: skip
    result.stdout.no_fnmatch_line("*conftest.py*")


def test_what_fails_while_cleaning_up_never_hides_the_first_failure(bakery: Bakery) -> None:
    """The record keeps the missed objective although a fixture fails at its end."""
    with (bakery.root / "conftest.py").open("a", encoding="utf-8") as conftest:
        conftest.write("\n\n@pytest.fixture(autouse=True)\ndef dirt():\n    yield\n    assert False\n")
    bakery.write_ending("the objective is missed")
    bakery.run("--drill-record", "record.jsonl")
    (line,) = bakery.read_record()
    assert line["outcome"] == "failed"


def test_an_interrupted_scenario_is_recorded(bakery: Bakery) -> None:
    """Ctrl-C in a step leaves a line too."""
    with (bakery.root / "conftest.py").open("a", encoding="utf-8") as conftest:
        conftest.write("\n\n@then('somebody interrupts')\ndef _():\n    raise KeyboardInterrupt\n")
    bakery.write_ending("somebody interrupts")
    bakery.run_apart("--drill-record", "record.jsonl")
    (line,) = bakery.read_record()
    assert (line["outcome"], line["summary"]) == ("broken", "interrupted by KeyboardInterrupt")


def test_outcomes_of_errors() -> None:
    """Only a missed objective is a failure; a failed assertion of another kind is translated."""
    missed = ObjectiveMissedError("missed")
    assert outcome_of(None) is Outcome.PASSED
    assert outcome_of(missed) is Outcome.FAILED
    assert outcome_of(AssertionError()) is Outcome.BROKEN
    assert as_broken(missed) is missed
    assert isinstance(as_broken(pytest.fail.Exception("late")), DrdrillError)
