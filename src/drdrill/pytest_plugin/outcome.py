"""What became of a scenario: *failed* only when an objective was missed, else *broken*.

A missed objective and a broken harness must never look alike. Allure and people see an assertion as *failed*:
so an assertion that is not a missed objective is translated here, at the edge of the scenario.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.core.errors import (
    DrdrillError,
    InconclusiveError,
    InvalidDrillError,
    MissingPrerequisiteError,
    ObjectiveMissedError,
    UsageError,
)
from drdrill.pytest_plugin.options import read_options
from drdrill.pytest_plugin.scenario import (
    CollectedScenario,
    drill_directory_key,
    interrupted_key,
    scenario_key,
)

if TYPE_CHECKING:
    from collections.abc import Generator


class Outcome(StrEnum):
    """How a scenario ended. Not a verdict: that is in the drill's directory."""

    PASSED = "passed"
    FAILED = "failed"
    BROKEN = "broken"
    SKIPPED = "skipped"


class BrokenStepError(DrdrillError):
    """A step failed for another reason than a missed objective."""


_ANSWERS = (
    ObjectiveMissedError,
    UsageError,
    MissingPrerequisiteError,
    InconclusiveError,
    InvalidDrillError,
)
"""Errors whose message says all there is to say: where in the code they were raised tells nobody anything."""

_cleanup_key = pytest.StashKey[str]()
_ended_key = pytest.StashKey[tuple[Outcome, str, int | None]]()


def outcome_of(error: BaseException | None) -> Outcome:
    """Return the outcome that an error stands for."""
    if error is None:
        return Outcome.PASSED
    if isinstance(error, ObjectiveMissedError):
        return Outcome.FAILED
    return Outcome.SKIPPED if isinstance(error, pytest.skip.Exception) else Outcome.BROKEN


def as_broken(error: BaseException) -> BaseException:
    """Return an error that nobody takes for a missed objective; a missed objective comes back as it is."""
    if isinstance(error, AssertionError | pytest.fail.Exception) and not isinstance(
        error, ObjectiveMissedError
    ):
        said = str(error).strip()
        return BrokenStepError(
            f"a step failed, and not for a missed objective: {said or type(error).__name__}"
        )
    return error


class ScenarioRuns:
    """Hooks around the run of every scenario: translates errors and writes the record."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._record = read_options(config).record

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Remember the signal; pytest calls this before it tears fixtures down."""
        self._config.stash[interrupted_key] = getattr(excinfo.value, "signal_name", "SIGINT")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, object, object]:
        """Translate what fixtures raise."""
        __tracebackhide__ = True
        return (yield from _translated(item))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Translate what steps raise."""
        __tracebackhide__ = True
        return (yield from _translated(item))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        """Translate what cleaning up raises."""
        __tracebackhide__ = True
        return (yield from _translated(item))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Remember the first thing that went wrong; what fails while cleaning up never hides it."""
        report = yield
        scenario = item.stash.get(scenario_key, None)
        if scenario is None or call.excinfo is None:
            return report
        error = call.excinfo.value
        status = error.exit_status if isinstance(error, DrdrillError) else None
        if call.when == "teardown":
            item.stash[_cleanup_key] = call.excinfo.exconly(tryshort=True)
        item.stash.setdefault(_ended_key, (outcome_of(error), call.excinfo.exconly(tryshort=True), status))
        if isinstance(error, _ANSWERS):
            report.longrepr = f"{scenario.file}:{scenario.line}: {scenario.title}\n{error}"
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Append the record when a scenario is over, also when it was interrupted."""
        try:
            result = yield
        except BaseException as error:
            item.stash.setdefault(
                _ended_key,
                (
                    Outcome.BROKEN,
                    f"interrupted by {getattr(error, 'signal_name', type(error).__name__)}",
                    None,
                ),
            )
            raise
        else:
            return result
        finally:
            scenario = item.stash.get(scenario_key, None)
            if scenario is not None and self._record is not None:
                line = json.dumps(_describe(item, scenario))
                self._record.parent.mkdir(parents=True, exist_ok=True)
                with self._record.open("a", encoding="utf-8") as stream:
                    stream.write(line + "\n")


def _translated(item: pytest.Item) -> Generator[None, object, object]:
    __tracebackhide__ = True
    try:
        return (yield)
    except (AssertionError, pytest.fail.Exception) as error:
        broken = as_broken(error)
        if scenario_key not in item.stash or broken is error:
            raise
        raise broken from error


def _describe(item: pytest.Item, scenario: CollectedScenario) -> dict[str, Any]:
    outcome, summary, status = item.stash.get(_ended_key, (Outcome.PASSED, "", None))
    directory = item.stash.get(drill_directory_key, None)
    return {
        "nodeid": item.nodeid,
        "scenario": scenario.name,
        "title": scenario.title,
        "outcome": outcome.value,
        "directory": None if directory is None else str(directory),
        "summary": summary,
        "exit_status": status,
        "cleanup": item.stash.get(_cleanup_key, None),
    }
