"""The document of a run, for machines: what `--json` prints; `docs/schemas/run.schema.json` describes it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from drdrill.core.errors import EXIT_BROKEN, DrdrillError
from drdrill.core.verdict import Verdict, combine
from drdrill.record.directory import DrillDirectory, read_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from drdrill.cli.scenarios import Ended

SCHEMA_VERSION = 1


def describe_run(
    ended: Sequence[Ended],
    *,
    selected: int = 0,
    directory: Path,
    root: Path,
    seed: int,
    disaster_class: str,
    environment: str,
) -> dict[str, Any]:
    """Return the document of a run of `selected` scenarios.

    The verdicts come from the drills' own directories, never from pytest's status.
    """
    scenarios = [describe_scenario(one, root) for one in ended]
    verdicts = [Verdict(one["verdict"]) for one in scenarios if one["verdict"] is not None]
    # A scenario that has no verdict, or was never reached, leaves the run without a complete answer.
    complete = len(verdicts) >= max(selected, len(scenarios))
    verdict = combine(verdicts if complete else [*verdicts, Verdict.INCONCLUSIVE])
    return {
        "schema_version": SCHEMA_VERSION,
        "verdict": verdict.value,
        "exit_status": _exit_status(verdict, scenarios),
        "directory": shown(directory, root),
        "seed": seed,
        "class": disaster_class,
        "environment": environment,
        "scenarios": scenarios,
    }


def describe_scenario(ended: Ended, root: Path) -> dict[str, Any]:
    """Return one scenario's part; unknown is null."""
    stored = _read_verdict(ended.directory)
    objectives = {one["kind"]: one for one in stored["objectives"]} if stored else {}
    rto = objectives.get("rto", {}).get("measured", {})
    rpa = stored["rpa"] if stored else {}
    # An error that is no verdict's: the harness or the machine, not the system that was drilled.
    broken = ended.outcome == "broken" and (
        ended.exit_status in (None, EXIT_BROKEN) or stored is None or stored["verdict"] == Verdict.MET
    )
    return {
        "name": ended.scenario,
        "title": ended.title,
        "verdict": stored["verdict"] if stored else None,
        "reasons": [reason["text"] for reason in stored["reasons"]] if stored else [],
        "broken": ended.cleanup or (ended.summary if broken else None),
        "directory": shown(ended.directory, root) if ended.directory else None,
        "report": _find_report(ended.directory, root),
        "rta_seconds": rto.get("value_seconds"),
        "resolution_seconds": rto.get("resolution_seconds"),
        "rpa_seconds": rpa.get("seconds"),
        "lost_rows": rpa.get("lost_rows"),
        "lost_amount": rpa.get("lost_amount"),
        "currency": rpa.get("currency"),
        "unknown_rows": rpa.get("unknown_rows"),
        **_describe_time(ended, stored),
    }


def _describe_time(ended: Ended, stored: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return how long the drill took, and the waits in it that the plan and the scenario state."""
    from drdrill.measure.waits import read_time_spent
    from drdrill.plan import load_plan

    unknown: dict[str, Any] = {"seconds": None, "stated_waits": []}
    if ended.directory is None or stored is None:
        return unknown
    directory = DrillDirectory(ended.directory)
    try:
        spent = read_time_spent(directory, load_plan(directory.plan_path), stored["scenario"])
    except DrdrillError:  # what is told of the verdict matters more than how long it took
        return unknown
    return {"seconds": spent.seconds, "stated_waits": [asdict(wait) for wait in spent.waits]}


def _exit_status(verdict: Verdict, scenarios: Sequence[Mapping[str, Any]]) -> int:
    """Return the status: nothing hides a real miss, and a broken harness is not a verdict on the system."""
    if verdict is not Verdict.MISSED and any(one["broken"] for one in scenarios):
        return EXIT_BROKEN
    return verdict.exit_status


def _read_verdict(directory: Path | None) -> dict[str, Any] | None:
    path = DrillDirectory(directory).verdict_path if directory is not None else None
    return read_json(path) if path is not None and path.exists() else None


def _find_report(directory: Path | None, root: Path) -> str | None:
    path = DrillDirectory(directory).page_path if directory is not None else None
    return shown(path, root) if path is not None and path.exists() else None


def shown(path: Path, root: Path) -> str:
    """Return a path as people need it: relative to the drill repository if it is in it."""
    return str(path.relative_to(root) if path.is_relative_to(root) else path)
