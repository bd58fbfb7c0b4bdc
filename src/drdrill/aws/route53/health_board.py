"""What all health checks hold at the moment: opinions of checkers become statuses, and statuses move answers.

::

    checkers ──looks──▶ opinions ──more than 18 %──▶ status ──▶ calculated checks ──▶ the DNS server

It is a part of the data plane: it knows nothing of the API, and goes on when that one is down.
Source: developer guide, "How Amazon Route 53 determines whether a health check is healthy".
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from drdrill.aws.route53.health_checks import CALCULATED, HealthCheck

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from drdrill.aws.ports import Checker

_SHARE = 0.18  # of the checkers: more than that has to find it healthy


@dataclass(frozen=True, slots=True)
class Observation:
    """A checker's last look at an endpoint, and what it holds of it."""

    healthy: bool
    good: bool
    status: str
    at: datetime


@dataclass(slots=True)
class _Watched:
    check: HealthCheck
    checkers: tuple[Checker, ...]
    last: dict[str, Observation]  # by the checker's name
    last_bad: dict[str, Observation]
    expected: dict[str, Checker] = field(default_factory=dict)  # by name: not counted before they have looked


class HealthBoard:
    """All checks and their statuses. Thread-safe. `report`: told of each change; None: there is no such check now."""

    def __init__(self, report: Callable[[str, bool | None], None]) -> None:
        self._report = report
        self._lock = threading.Lock()
        self._watched: dict[str, _Watched] = {}
        self._reported: dict[str, bool] = {}

    def put(self, check: HealthCheck, checkers: Sequence[Checker]) -> None:
        """Take a check, or what it has become: what was seen before counts no longer."""
        with self._lock:
            self._watched[check.identifier] = _Watched(check, tuple(checkers), {}, {})
            self._settle()

    def drop(self, identifier: str) -> None:
        """Know of a check no longer."""
        with self._lock:
            self._watched.pop(identifier, None)
            if self._reported.pop(identifier, None) is not None:
                self._report(identifier, None)
            self._settle()

    def observe(self, checker: str, identifier: str, observation: Observation) -> None:
        """Take note of a look; one at an endpoint that is not watched any more is late."""
        with self._lock:
            watched = self._watched.get(identifier)
            if watched is None:
                return
            if checker in watched.expected:
                watched.checkers += (watched.expected.pop(checker),)
            if checker not in {one.name for one in watched.checkers}:
                return
            watched.last[checker] = observation
            if not observation.good:
                watched.last_bad[checker] = observation
            self._settle()

    def lose(self, checker: str) -> None:
        """Count a checker that is gone no longer."""
        with self._lock:
            for watched in self._watched.values():
                watched.checkers = tuple(one for one in watched.checkers if one.name != checker)
                watched.expected.pop(checker, None)
            self._settle()

    def expect(self, checker: Checker, identifiers: Sequence[str]) -> None:
        """Count one that takes a lost one's place for these checks from its first look on."""
        with self._lock:
            for watched in (self._watched[one] for one in identifiers if one in self._watched):
                watched.expected[checker.name] = checker

    def is_healthy(self, identifier: str) -> bool:
        """Return a check's status; raises KeyError."""
        with self._lock:
            return self._judge(self._watched[identifier].check)

    def describe(self, identifier: str, *, bad: bool = False) -> Sequence[Mapping[str, Any]]:
        """Return what the checkers saw last, or of failures the last, as answers have it; raises KeyError."""
        with self._lock:
            watched = self._watched[identifier]
            seen = watched.last_bad if bad else watched.last
            return [
                {
                    "Region": one.region,
                    "IPAddress": one.address,
                    "StatusReport": {"Status": seen[one.name].status, "CheckedTime": seen[one.name].at},
                }
                for one in watched.checkers
                if one.name in seen
            ]

    def _settle(self) -> None:
        """Tell of every check whose status is another one than was told."""
        for identifier, watched in self._watched.items():
            healthy = self._judge(watched.check)
            if self._reported.get(identifier) is not healthy:
                self._reported[identifier] = healthy
                self._report(identifier, healthy)

    def _judge(self, check: HealthCheck, above: frozenset[str] = frozenset()) -> bool:
        """Return a status; a calculated check that counts itself, by whatever way, counts as healthy there."""
        if check.disabled or check.identifier in above:
            return not check.inverted
        if check.type == CALCULATED:
            below = above | {check.identifier}
            children = [self._watched[one].check for one in check.children if one in self._watched]
            healthy = sum(self._judge(one, below) for one in children) >= check.config["HealthThreshold"]
        else:
            watched = self._watched[check.identifier]
            opinions = [
                one.name not in watched.last or watched.last[one.name].healthy for one in watched.checkers
            ]
            # Nobody looks yet, or any more: nobody knows better.
            healthy = not opinions or sum(opinions) / len(opinions) > _SHARE
        return healthy is not check.inverted
