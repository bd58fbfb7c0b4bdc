"""`drdrill test` runs every check, also after one that failed, and pytest last."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.cli.test import Check, Judged, plan_checks, run_checks
from tests.faults.fakes import ManualClock

if TYPE_CHECKING:
    from collections.abc import Callable


def _run_for_two_seconds(clock: ManualClock, statuses: dict[str, int]) -> Callable[[Check], int]:
    def run(check: Check) -> int:
        clock.sleep(2)
        return statuses[check.name]

    return run


def test_all_checks_run_even_if_one_fails() -> None:
    """Each check is judged with its time; what failed so far stands before the next."""
    clock, said = ManualClock(), list[str]()
    checks = [Check("lint", ("a",)), Check("types", ("b",)), Check("pytest", ("c",))]
    statuses = {"lint": 0, "types": 7, "pytest": 0}
    judged = run_checks(checks, run=_run_for_two_seconds(clock, statuses), say=said.append, clock=clock)
    assert judged == (Judged("lint", 0, 2.0), Judged("types", 7, 2.0), Judged("pytest", 0, 2.0))
    assert said == [
        "── lint (1/3)",
        "   ok in 2.0 s",
        "── types (2/3)",
        "   FAILED (status 7) in 2.0 s",
        "── pytest (3/3; failed so far: types)",
    ]


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ("fast", ("-m", "not drill and not long", "-x")),
        ("default", ("-m", "not long", "-x")),
        ("long", ("-x",)),
    ],
)
def test_the_selection_and_further_arguments_reach_pytest(selection: str, expected: tuple[str, ...]) -> None:
    """`--fast` leaves out drills, the default leaves out the nightly tests, `--long` leaves out nothing."""
    *linters, last = plan_checks(selection, ("-x",))
    assert [each.name for each in linters] == ["ruff check", "ruff format", "mypy", "lint-imports"]
    assert last.command[-len(expected) :] == expected
    assert last.command[-len(expected) - 1] == "pytest"
