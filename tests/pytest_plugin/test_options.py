"""The options reach drills as one frozen value with absolute paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .conftest import Bakery

pytest_plugins = ["pytester"]

PRINTING = """
from pytest_bdd import when

@when("options are printed")
def _(drill_options):
    print(drill_options.environment, drill_options.seed, drill_options.record)
    for path in (drill_options.reports, drill_options.plan):
        print(path.relative_to(drill_options.rootdir))
"""
FEATURE = "Feature: A\n  Scenario: B\n    When options are printed\n"


def test_defaults_are_of_the_drill_repository(bakery: Bakery) -> None:
    """Without options: the embedded mirror, reports/ and scenarios/plan.yaml of the repository, no seed."""
    bakery.pytester.makeconftest(PRINTING)
    bakery.write(FEATURE)
    result = bakery.run("-s")
    result.stdout.fnmatch_lines(["*embedded None None", "reports", "scenarios/plan.yaml"])


def test_paths_are_relative_to_where_pytest_was_called(bakery: Bakery) -> None:
    """A relative path on the command line becomes an absolute one; a seed is a number."""
    bakery.pytester.makeconftest(PRINTING)
    bakery.write(FEATURE)
    result = bakery.run(
        "-s", "--drill-reports=out", "--drill-plan=p.yaml", "--drill-seed=7", "--drill-record=r"
    )
    result.stdout.fnmatch_lines([f"*embedded 7 {bakery.root / 'r'}", "out", "p.yaml"])


def test_a_failover_comes_as_text_and_its_event_as_a_path(bakery: Bakery) -> None:
    """What takes the runbook's place reaches a drill as it was written; its event is a file."""
    bakery.pytester.makeconftest(
        PRINTING.replace("drill_options.seed", "repr(drill_options.failover_command)").replace(
            "drill_options.record", "drill_options.failover_event"
        )
    )
    bakery.write(FEATURE)
    result = bakery.run("-s", "--drill-failover-command=./f.sh 'a b'", "--drill-failover-event=e.json")
    result.stdout.fnmatch_lines([f"""*embedded "./f.sh 'a b'" {bakery.root / "e.json"}"""])
