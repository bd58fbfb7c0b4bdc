"""Leaves one scenario in a copy of the drill repository, so that a test runs one drill and spoils what it means."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

FIRST: Final = "primary_host_loses_power"
_TAG = "  @scenario:"
_PLAN = "scenarios/plan.yaml"
_WORKLOAD = "environments/embedded/workload.yaml"
_NAMED_ENTRY = re.compile(r"^  (\w+):$", re.MULTILINE)


def leave_one_scenario(repository: Path, name: str = FIRST) -> None:
    """Remove all scenarios but one from the features and the plan of a copy, and features that have none left."""
    found = 0
    for feature in sorted((repository / "scenarios").rglob("*.feature")):
        head, *blocks = feature.read_text(encoding="utf-8").split(_TAG)
        kept = [f"{head}{_TAG}{block.rstrip()}\n" for block in blocks if block.startswith(f"{name}\n")]
        found += len(kept)
        feature.write_text(kept[0], encoding="utf-8") if kept else feature.unlink()
    assert found == 1, f"{found} features have a scenario `{name}`"
    plan = repository / _PLAN
    plan.write_text(leave_one_entry(plan.read_text(encoding="utf-8"), name), encoding="utf-8")


def ask_less(repository: Path) -> None:
    """Have the users of a copy ask 96 times a second, not 200: a fresh connection costs 5 ms of processor."""
    for name, old, new in (
        (_WORKLOAD, "prober: {cohorts: 8, rate_per_second: 25,", "prober: {cohorts: 8, rate_per_second: 12,"),
        (_PLAN, "  window: 1 s\n", "  window: 2 s\n"),
    ):
        path = repository / name
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{name} has {old!r} {text.count(old)} times"
        path.write_text(text.replace(old, new), encoding="utf-8")


def leave_one_entry(plan: str, name: str = FIRST) -> str:
    """Return a plan's text with one of its scenarios."""
    before, after = plan.split("\nscenarios:\n")
    end = next(re.finditer(r"^\S", after, re.MULTILINE)).start()
    entries = _NAMED_ENTRY.split(after[:end])[1:]
    entry = dict(zip(entries[::2], entries[1::2], strict=True))[name].partition("\n\n")[0]
    return f"{before}\nscenarios:\n  {name}:{entry}\n\n{after[end:]}"
