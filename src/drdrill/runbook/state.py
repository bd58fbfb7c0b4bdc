"""Where a step stands, and what a runbook came to.

waiting ──▶ looking ──▶ acting ──▶ watching ──▶ done
   │           └──────── seen already ───────────▲
   │           └──▶ asking (a gate) ─────────────┘
   ▼           any of them ──▶ failed | stopped
blocked (what it needs failed)
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Where a step stands."""

    WAITING = "waiting"
    LOOKING = "looking"
    ACTING = "acting"
    WATCHING = "watching"
    ASKING = "asking"
    DONE = "done"
    FAILED = "failed"
    BLOCKED = "blocked"
    STOPPED = "stopped"

    @property
    def is_running(self) -> bool:
        """Say whether the step was begun and is not over."""
        return self in _RUNNING

    @property
    def is_over(self) -> bool:
        """Say whether nothing more happens with the step in this run."""
        return self in _OVER


_RUNNING = frozenset({State.LOOKING, State.ACTING, State.WATCHING, State.ASKING})
_OVER = frozenset({State.DONE, State.FAILED, State.BLOCKED, State.STOPPED})


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a step. `acted`: it was seen undone, and its action was started in this run."""

    name: str
    state: State
    acted: bool
    begun_ns: int | None
    ended_ns: int | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a runbook."""

    fates: tuple[Fate, ...]
    interrupted: bool

    @property
    def done(self) -> bool:
        """Say whether every step was observed to be done."""
        return all(fate.state is State.DONE for fate in self.fates)

    def named(self, *states: State) -> list[str]:
        """Return the names of the steps in these states."""
        return [fate.name for fate in self.fates if fate.state in states]
