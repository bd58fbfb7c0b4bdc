"""The graph of a runbook: order, critical path and slack, for any duration of its steps. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Needs = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Scheduled:
    """When a step begins and ends if nothing but its needs holds it up, in seconds.

    `slack_seconds` is how much longer it may take before the whole becomes later.
    """

    name: str
    begins_seconds: float
    ends_seconds: float
    slack_seconds: float
    critical: bool


def order_steps(needs: Needs) -> list[str]:
    """Return the steps so that each follows what it needs, otherwise as written. Raises ValueError for a cycle."""
    ordered: dict[str, None] = {}
    while len(ordered) < len(needs):
        ready = [name for name in needs if name not in ordered and all(one in ordered for one in needs[name])]
        if not ready:
            raise ValueError("the steps need each other in a circle")
        ordered |= dict.fromkeys(ready)
    return list(ordered)


def find_cycle(needs: Needs) -> list[str]:
    """Return the steps of one circle in its order, the first again at the end; empty if there is none."""
    left = {name: [one for one in wanted if one in needs] for name, wanted in needs.items()}
    while ready := [name for name, wanted in left.items() if not any(one in left for one in wanted)]:
        for name in ready:
            del left[name]
    if not left:
        return []
    path = [next(iter(left))]
    while path.count(path[-1]) == 1:
        path.append(next(one for one in left[path[-1]] if one in left))
    return path[path.index(path[-1]) :]


def find_dependents(needs: Needs, name: str) -> list[str]:
    """Return every step that cannot begin without this one, directly or not, in order."""
    found = {name}
    for one in order_steps(needs):
        if found & set(needs[one]):
            found.add(one)
    return [one for one in order_steps(needs) if one in found and one != name]


def schedule(needs: Needs, seconds: Mapping[str, float]) -> list[Scheduled]:
    """Return when each step begins and ends at the earliest, with its slack: the critical path method."""
    order = order_steps(needs)
    ends: dict[str, float] = {}
    for name in order:
        ends[name] = max((ends[one] for one in needs[name]), default=0.0) + seconds[name]
    total = max(ends.values(), default=0.0)
    latest = dict.fromkeys(order, total)
    for name in reversed(order):
        for one in needs[name]:
            latest[one] = min(latest[one], latest[name] - seconds[name])
    path = set(_trace(needs, ends))
    return [
        Scheduled(
            name, ends[name] - seconds[name], ends[name], max(0.0, latest[name] - ends[name]), name in path
        )
        for name in order
    ]


def critical_path(needs: Needs, seconds: Mapping[str, float]) -> list[str]:
    """Return the chain of steps that decides how long the whole takes, first to last."""
    return [one.name for one in schedule(needs, seconds) if one.critical]


def _trace(needs: Needs, ends: Mapping[str, float]) -> list[str]:
    # One chain, also where several take equally long: the first written one.
    path = [max(ends, key=lambda name: ends[name])]
    while needs[path[-1]]:
        path.append(max(needs[path[-1]], key=lambda name: ends[name]))
    return path[::-1]
