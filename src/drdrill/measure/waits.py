"""How long a drill took, and how much of it was waiting that its files state: the plan's, and the scenario's own.

Such a wait is no slowness of anybody: the time in which users have to be served before something is called stable, the
outage that has to show, the TTL after which the last client asks again, a link that is slow on purpose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from drdrill.core.clock import NANOSECONDS
from drdrill.record.journal import read_journal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from drdrill.plan.model import Plan
    from drdrill.record.directory import DrillDirectory
    from drdrill.record.journal import Event


@dataclass(frozen=True, slots=True)
class StatedWait:
    """What was waited for, in words, and for how many seconds by what is stated."""

    what: str
    seconds: float


@dataclass(frozen=True, slots=True)
class TimeSpent:
    """From the drill's begin to its end, in seconds, and the waits in it. `seconds` None: it did not end."""

    seconds: float | None
    waits: tuple[StatedWait, ...]

    @property
    def beside_waits(self) -> float | None:
        """Return what it took beside the stated waits."""
        return None if self.seconds is None else self.seconds - sum(wait.seconds for wait in self.waits)


def read_time_spent(directory: DrillDirectory, plan: Plan, scenario: str) -> TimeSpent:
    """Read it from a drill's journal; raises `DamagedRecordError` when that is damaged."""
    events = read_journal(directory.journal_path)
    begun = next((one.at_ns for one in events if one.kind == "drill.started"), None)
    ended = next((one.at_ns for one in events if one.kind == "drill.ended"), None)
    took = None if begun is None or ended is None else (ended - begun) / NANOSECONDS
    return TimeSpent(took, tuple(_find_waits(events, plan, scenario)))


def _find_waits(events: Sequence[Event], plan: Plan, scenario: str) -> Iterator[StatedWait]:
    stability = plan.availability_of(scenario).stability.total_seconds()
    impact = plan.scenarios[scenario].impact.down_at_least
    steady = [one for one in events if one.kind == "steady_state.observed" and one.data["holds"]]
    for _ in steady:
        yield StatedWait("stability before the fault", stability)
    for event in events:
        data = event.data
        match event.kind:
            case "fault.injected" if delay := _read_delay(data.get("details")):
                yield StatedWait("the link's delay", delay)
            case "outage.observed" if data["seen"] and impact is not None:
                yield StatedWait("the outage that has to show", impact.total_seconds())
            case "recovery.observed" if data["recovered"]:
                yield StatedWait("stability after recovery", stability)
    moved = any(
        one.data["promotions"] or one.data.get("moves") for one in events if one.kind == "failover.observed"
    )
    ttls = [one.data.get("ttl_seconds") for one in events if one.kind == "store.observed"]
    if moved and ttls and ttls[-1] is not None:
        yield StatedWait("the endpoint's TTL", float(ttls[-1]))


def _read_delay(details: object) -> float:
    condition = details.get("condition") if isinstance(details, dict) else None
    return float(condition.get("delay_seconds") or 0) if isinstance(condition, dict) else 0.0
