"""Feature files are collected as tests, and whatever is wrong with them is said once, with file and line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Bakery

pytest_plugins = ["pytester"]

PLAIN = """
Feature: Plain
  Scenario: Power
    When the oven loses power
"""


def test_scenarios_run_without_any_python_test_file(bakery: Bakery) -> None:
    """`pytest scenarios/` runs what stands in feature files alone."""
    bakery.write_ending("bread is baked within the objective")
    bakery.run().assert_outcomes(passed=1)


def test_an_outline_runs_once_for_each_example(bakery: Bakery) -> None:
    """Every row of an outline's examples is a test of its own."""
    bakery.write("""
Feature: Bakeries
  Scenario Outline: Opening <name>
    Given the bakery "<name>" is open

    Examples:
      | name  |
      | north |
      | south |
""")
    bakery.run().assert_outcomes(passed=2)


def test_scenarios_of_equal_sound_are_both_run(bakery: Bakery) -> None:
    """Two names that differ only in punctuation do not hide each other."""
    bakery.write(PLAIN + "  Scenario: Power!\n    When the oven loses power\n")
    bakery.run().assert_outcomes(passed=2)


def test_class_selects_scenarios_by_tag(bakery: Bakery) -> None:
    """`--drill-class` keeps the scenarios of that class, by the feature's tag too, and no others."""
    bakery.write_ending("bread is baked within the objective")
    bakery.write(PLAIN, "plain.feature")
    bakery.run("--drill-class", "database").assert_outcomes(passed=1, deselected=1)
    bakery.run("--drill-class", "region").assert_outcomes(deselected=2)
    bakery.run("--drill-class", "database", "--drill-scenario", "nobody").assert_outcomes(deselected=2)


def test_plain_tags_stay_markers(bakery: Bakery) -> None:
    """A plain tag selects with `-m`, and `key:value` tags are no markers."""
    bakery.write_ending("bread is baked within the objective")
    bakery.write(PLAIN, "plain.feature")
    bakery.run("-m", "slow").assert_outcomes(passed=1, deselected=1)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--environment", "embeded", "*there is no environment `embeded`. Did you mean `embedded`?"),
        ("--drill-class", "databse", "*there is no disaster class `databse`. Did you mean `database`?"),
    ],
)
def test_a_wrong_option_is_refused_before_collection(
    bakery: Bakery, option: str, value: str, message: str
) -> None:
    """An environment or a class that does not exist is a usage error that names the nearest one."""
    bakery.write(PLAIN)
    result = bakery.run(option, value)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])


def test_all_mistakes_of_a_file_are_reported_at_once_without_a_traceback(bakery: Bakery) -> None:
    """Tags, names, empty scenarios, swallowed and undefined steps come out together, each with its line."""
    bakery.write("""
@Class:database @slw @severity:huge
Feature: The oven fails

  @scenario:oven-powr @class:database
  Scenario: One

    Wen the oven loses power
    Then the objective is mised

  Scenario: Two
  Scenario: Two
    When the bakery "x" is open
""")
    result = bakery.run()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    file = "scenarios/oven.feature"
    result.stdout.fnmatch_lines([
        f"{file}:1: @Class:database: `Class` is not a known key. Did you mean `class`?",
        f"{file}:1: @slw: there is no marker `slw`. Did you mean `slow`?",
        f"{file}:1: @severity:huge: there is no severity `huge`. Known: `blocker`, *",
        f"{file}:4: @scenario:oven-powr: scenarios/plan.yaml has no scenario `oven-powr`. *",
        f"{file}:7: Wen the oven loses power: this line counts as description, *",
        f"{file}:8: Then the objective is mised: no step definition matches. *",
        f"{file}:10: Scenario: Two: this scenario has no steps *",
        f"{file}:11: Scenario: Two: the name is taken by the scenario of line 10, *",
        f'{file}:12: When the bakery "x" is open: * It is defined as a Given step.',
    ])  # fmt: skip
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*site-packages*")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Feature: A\n  Scenario: B\n    When x\n    Thn y\n", ":4: `Thn y` cannot stand here. *`Then`?"),
        ("Scenario: B\n", ":1: `Scenario: B` cannot stand here. Expected here: *`Feature:`*"),
        ('Feature: A\n  Scenario: B\n    When x\n      """\n', ":5: the file ends too early. *"),
        ("Feature: A\n  Scenario: B\n    And x\n", ":3: x: First step *"),
        ("", ": this feature file is empty. It begins with `Feature: NAME`."),
        ("# language: xx\nFeature: A\n", ":1: language not supported: xx."),
    ],
)
def test_a_syntax_error_is_one_message_with_file_and_line(bakery: Bakery, text: str, message: str) -> None:
    """What Gherkin cannot read is said in words, without its parser's token names or a traceback."""
    bakery.write(text)
    result = bakery.run()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines([f"scenarios/oven.feature{message}"])
    result.stdout.no_fnmatch_line("*#StepLine*")
    result.stdout.no_fnmatch_line("*Traceback*")


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        (
            "@class:database",
            ":3: Scenario: Power: nothing says which scenario of * Add the tag `@scenario:NAME`.",
        ),
        (
            "@class:region @scenario:oven-power",
            ":1: @scenario:oven-power: * into the class `database`, *`region`.",
        ),
        (
            "@scenario:oven-power @scenario:b",
            ":3: Scenario: Power: more than one tag `@scenario:` applies to it.*",
        ),
        ("@scenario:", ":1: @scenario:: the value is missing after `scenario:`."),
    ],
)
def test_a_drill_must_be_the_scenario_of_the_plan(bakery: Bakery, tags: str, message: str) -> None:
    """A drill names one scenario of the plan, of the plan's class."""
    bakery.write(f"{tags}\nFeature: Plain\n  Scenario: Power\n    When the oven loses power\n")
    bakery.run().stdout.fnmatch_lines([f"scenarios/oven.feature{message}"])


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (None, "*the plan scenarios/plan.yaml is not there."),
        ("scenarios: [", "*`drdrill plan check *` says why."),
    ],
)
def test_an_unreadable_plan_is_said_at_the_scenario_that_needs_it(
    bakery: Bakery, plan: str | None, message: str
) -> None:
    """Without a readable plan a drill is a mistake; the plan's own mistakes are left to its checker."""
    path = bakery.root / "scenarios" / "plan.yaml"
    path.unlink()
    if plan is not None:
        path.write_text(plan, encoding="utf-8")
    bakery.write_ending("bread is baked within the objective")
    bakery.run().stdout.fnmatch_lines([message])


def test_nothing_of_drdrill_is_imported_without_feature_files(pytester: pytest.Pytester) -> None:
    """In a test run without feature files the plugin stays three small modules."""
    pytester.makepyfile("""
        import sys

        def test_modules():
            loaded = {name for name in sys.modules if name.startswith("drdrill.")}
            assert loaded == {
                "drdrill.pytest_plugin",
                "drdrill.pytest_plugin.options",
                "drdrill.pytest_plugin.plugin",
                "drdrill.pytest_plugin.hooks",
                "drdrill.pytest_plugin.scenario",
            }
    """)
    pytester.runpytest_subprocess().assert_outcomes(passed=1)
