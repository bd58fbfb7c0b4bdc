"""In Allure a scenario looks as it was written; run in a process of its own, Allure's plugin is global."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .conftest import Bakery

pytest_plugins = ["pytester"]


def _run(bakery: Bakery, *arguments: str) -> dict[str, dict[str, Any]]:
    """Run with Allure's results, and return them by the test's name."""
    bakery.run_apart("--alluredir", "allure", *arguments)
    results = [json.loads(path.read_text()) for path in (bakery.root / "allure").glob("*-result.json")]
    return {result["name"]: result for result in results}


def _labels(result: dict[str, Any], name: str) -> list[str]:
    return [label["value"] for label in result["labels"] if label["name"] == name]


def _steps(result: dict[str, Any]) -> list[tuple[str, str]]:
    return [(step["name"], step["status"]) for step in result["steps"]]


def test_a_missed_objective_and_a_broken_step_look_different(bakery: Bakery) -> None:
    """Steps carry their keywords; only the missed objective is failed; steps after a failure are skipped."""
    bakery.write_ending("the objective is missed")
    bakery.write("""
Feature: Broken
  Scenario: Wrong
    When the oven loses power
    Then the harness is wrong
  Scenario: Left out
    Then the step is left out
""", "broken.feature")  # fmt: skip
    results = _run(bakery)
    missed, wrong, left_out = results["The oven loses power"], results["Wrong"], results["Left out"]
    assert missed["status"] == "failed"
    assert _steps(missed) == [
        ('Given the bakery "north" is open', "passed"),
        ("When the oven loses power", "passed"),
        ("Then the objective is missed", "failed"),
        ("And bread is baked within the objective", "skipped"),
    ]
    assert wrong["status"] == "broken"
    assert _steps(wrong) == [("When the oven loses power", "passed"), ("Then the harness is wrong", "broken")]
    assert left_out["status"] == "skipped"
    assert _steps(left_out) == [("Then the step is left out", "skipped")]


def test_tags_become_labels_and_measured_values_do_not_break_history(bakery: Bakery) -> None:
    """The disaster class is the epic, metadata are labels, measured values are excluded parameters."""
    bakery.write("""
@class:database @issue:BAKE-7 @link:https://bakery.example/oven
Feature: The oven fails
  What bakers fear.

  @scenario:oven-power @severity:critical @owner:night_shift
  Scenario Outline: Power of <name>
    Given the bakery "<name>" is open

    Examples:
      | name  |
      | north |
""")
    result = _run(bakery)["Power of north"]
    assert _labels(result, "epic") == ["Database"]
    assert _labels(result, "feature") == ["The oven fails"]
    assert _labels(result, "severity") == ["critical"]
    assert _labels(result, "owner") == ["night shift"]
    assert _labels(result, "issue") == ["BAKE-7"]
    assert [link["url"] for link in result["links"]] == ["https://bakery.example/oven"]
    assert result["description"] == "What bakers fear."
    parameters = {each["name"]: each for each in result["parameters"]}
    assert parameters["RTA"]["excluded"] is True
    assert parameters["_pytest_bdd_example"]["mode"] == "hidden"
    assert parameters["name"]["value"] == "north"
    assert parameters["RTA"]["value"] == "12 s"


def test_a_link_pattern_of_the_caller_makes_links(bakery: Bakery) -> None:
    """An issue is a link only when somebody says where issues are: no host name is invented."""
    bakery.write("@issue:BAKE-7\nFeature: A\n  Scenario: B\n    When the oven loses power\n")
    result = _run(bakery, "--allure-link-pattern=issue:https://bakery.example/{}")["B"]
    assert [link["url"] for link in result["links"]] == ["https://bakery.example/BAKE-7"]


DRILLED = """

from drdrill.record.directory import DrillDirectory, write_json


@pytest.fixture
def drilled(request):
    directory = DrillDirectory(request.config.rootpath / "reports" / "drilled")
    directory.create()
    request.node.stash[drill_directory_key] = directory.path
    yield
    write_json(directory.evidence / "chaos-oven.inject.json", {"status": "completed"})
    write_json(directory.verdict_path, {"verdict": "MISSED"})


@given("the oven is drilled")
def _(drilled):
    pass


@when("somebody loses patience")
def _():
    raise KeyboardInterrupt
"""


@pytest.mark.parametrize(
    ("end", "status"), [("the objective is missed", "failed"), ("the harness is wrong", "broken")]
)
def test_a_drill_is_attached_to_its_test(bakery: Bakery, end: str, status: str) -> None:
    """Whatever became of it: under the test, not in a step, and with what only the end of the drill wrote."""
    with (bakery.root / "conftest.py").open("a", encoding="utf-8") as stream:
        stream.write(DRILLED)
    bakery.write(
        f"Feature: A\n  @scenario:oven-power\n  Scenario: B\n    Given the oven is drilled\n    Then {end}\n"
    )
    result = _run(bakery)["B"]
    assert result["status"] == status
    names = [each["name"] for each in result["attachments"]]
    assert "Chaos experiment oven.inject" in names
    assert "Verdict with all figures" in names
    assert not any("attachments" in step for step in result["steps"])
    assert {"name": "verdict", "value": "MISSED", "excluded": True} in result["parameters"]


def test_an_interrupted_scenario_is_broken(bakery: Bakery) -> None:
    """A scenario that a signal ended is neither passed nor skipped."""
    with (bakery.root / "conftest.py").open("a", encoding="utf-8") as stream:
        stream.write(DRILLED)
    bakery.write("Feature: A\n  @scenario:oven-power\n  Scenario: B\n    When somebody loses patience\n")
    result = _run(bakery)["B"]
    assert (result["status"], result["statusDetails"]["message"]) == (
        "broken",
        "interrupted by KeyboardInterrupt",
    )
