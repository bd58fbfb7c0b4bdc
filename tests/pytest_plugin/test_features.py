"""`cli.features` finds every mistake of all features before anything is started; it stands beside its bakery."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.cli.features import check_features
from drdrill.core.errors import Mistake

if TYPE_CHECKING:
    from .conftest import Bakery

pytest_plugins = ["pytester"]


def test_right_features_have_no_mistakes_and_nothing_runs(bakery: Bakery) -> None:
    """A repository that is right gives an empty tuple, and no scenario was run."""
    bakery.write_ending("the objective is missed")
    assert check_features(bakery.root / "scenarios") == ()


def test_mistakes_of_all_files_come_in_order(bakery: Bakery) -> None:
    """All files are looked at, also after one that cannot be read."""
    bakery.write("Feature: A\n  Scenario: B\n    When the oven losess power\n", "b.feature")
    bakery.write("Feature A\n", "a.feature")
    first, second = check_features(bakery.root / "scenarios")
    assert (first.file, first.line) == ("scenarios/a.feature", 1)
    assert second == Mistake(
        "scenarios/b.feature",
        3,
        "When the oven losess power",
        "no step definition matches.",
        "Did you mean `the oven loses power`?",
    )


def test_a_step_module_that_does_not_import_is_a_mistake(bakery: Bakery) -> None:
    """What is wrong in the Python of the steps is said with its file and line."""
    bakery.pytester.makeconftest("import nonsense_of_the_bakery\n")
    bakery.write("Feature: A\n  Scenario: B\n    When x\n")
    (mistake,) = check_features(bakery.root / "scenarios")
    assert str(mistake).startswith("conftest.py:1: ModuleNotFoundError: No module named")


def test_a_folder_without_scenarios_is_a_mistake(bakery: Bakery) -> None:
    """Nothing to run is not success; neither is a folder that is not there."""
    (nothing,) = check_features(bakery.root / "scenarios")
    assert "no scenario" in nothing.problem
    (missing,) = check_features(bakery.root / "nowhere")
    assert "no such file" in missing.problem
