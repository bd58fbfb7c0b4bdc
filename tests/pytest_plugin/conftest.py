"""A small drill repository for the plugin to collect: features, steps, a plan with one scenario."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

# Imported here because an inner run drops what it imported, and compiled modules can be imported only once.
import drdrill.pytest_plugin.collection
import drdrill.pytest_plugin.fixtures  # noqa: F401

if TYPE_CHECKING:
    from pathlib import Path

CONFIGURATION = """
[pytest]
addopts = --import-mode=importlib --strict-markers --strict-config -p no:cacheprovider -p no:hypothesispytest
filterwarnings = error
markers =
    slow: takes long
"""
STEPS = """
from pathlib import Path

import pytest
from pytest_bdd import given, parsers, then, when

from drdrill.core.errors import InvalidDrillError, ObjectiveMissedError
from drdrill.pytest_plugin import drill_directory_key


@given(parsers.parse('the bakery "{name}" is open'))
def _(name, request, report_values):
    request.node.stash[drill_directory_key] = Path("/drills") / name
    report_values({"RTA": "12 s"})


@when("the oven loses power")
def _():
    pass


@then("bread is baked within the objective")
def _():
    pass


@then("the objective is missed")
def _():
    raise ObjectiveMissedError("RTO missed: 2 h measured, 1 h allowed")


@then("the drill proves nothing")
def _():
    raise InvalidDrillError("no load was running")


@then("the harness is wrong")
def _():
    assert [1] == [2]


@then("the step is left out")
def _():
    pytest.skip("not today")
"""
PLAN = """
scenarios:
  oven-power:
    class: database
"""
FEATURE = """
@class:database @slow
Feature: The oven fails
  What bakers fear.

  @scenario:oven-power @severity:critical @owner:night_shift
  Scenario: The oven loses power
    Given the bakery "north" is open
    When the oven loses power
    Then {end}
    And bread is baked within the objective
"""


@dataclass(frozen=True, slots=True)
class Bakery:
    """The repository, and how to run pytest in it."""

    pytester: pytest.Pytester

    @property
    def root(self) -> Path:
        """The repository's folder."""
        return self.pytester.path

    def write(self, text: str, name: str = "oven.feature") -> Path:
        """Write a feature file."""
        path = self.root / "scenarios" / name
        path.write_text(text.lstrip("\n"), encoding="utf-8")
        return path

    def write_ending(self, end: str) -> None:
        """Write the feature with this as its first Then."""
        self.write(FEATURE.format(end=end))

    def run(self, *arguments: str) -> pytest.RunResult:
        """Run pytest over the scenarios within this process."""
        return self.pytester.runpytest_inprocess("scenarios", *arguments)

    def run_apart(self, *arguments: str) -> pytest.RunResult:
        """Run pytest over the scenarios in a process of its own."""
        return self.pytester.runpytest_subprocess("scenarios", *arguments)

    def read_record(self) -> list[dict[str, Any]]:
        """Return the lines of the record."""
        return [json.loads(line) for line in (self.root / "record.jsonl").read_text().splitlines()]


@pytest.fixture
def bakery(pytester: pytest.Pytester) -> Bakery:
    """Return the repository without any feature yet."""
    pytester.makeini(CONFIGURATION)
    pytester.makeconftest(STEPS)
    (pytester.mkdir("scenarios") / "plan.yaml").write_text(PLAN, encoding="utf-8")
    return Bakery(pytester)
