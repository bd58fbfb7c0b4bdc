"""What the plugin knows of a collected scenario, and where it keeps it: in the stash of the pytest item."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True, slots=True)
class CollectedScenario:
    """A scenario of a feature file. `name` is the plan's, from the tag `@scenario:NAME`; None without it.

    `tags` are those of the feature, the rule and the scenario together, without the `@`; `steps` are as written.
    """

    name: str | None
    title: str
    file: str
    line: int
    tags: frozenset[str]
    steps: tuple[str, ...] = ()

    @property
    def classes(self) -> frozenset[str]:
        """Return the disaster classes that the scenario belongs to, from the tags `@class:CLASS`."""
        return frozenset(values_of("class", self.tags))


def values_of(key: str, tags: frozenset[str]) -> tuple[str, ...]:
    """Return the values of the tags `key:value` with this key, sorted."""
    return tuple(sorted(tag.partition(":")[2] for tag in tags if tag.startswith(f"{key}:")))


scenario_key = pytest.StashKey[CollectedScenario]()
"""On every item that was collected from a feature file."""

drill_directory_key = pytest.StashKey[Path]()
"""Set on an item by whoever makes the drill's directory; the record names it."""

interrupted_key = pytest.StashKey[str]()
"""Set on the config when a signal ends the run, before anything is cleaned up: the signal's name."""
