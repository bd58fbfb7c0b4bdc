"""When a mirror acted after a loss of power: by RDS's events, and by what PostgreSQL itself wrote of it."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from drdrill.core.clock import NANOSECONDS, SystemClock
from drdrill.environment.port import StoreRole

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.environment.port import Injection, StoreState

_ASKED = re.compile(r"^(\S+ \S+) (?:GMT|UTC) .*received promote request", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Reaction:
    """Seconds since the cut began: until all of the host was gone, the event said so, PostgreSQL was asked, and done.

    The event goes with the instance's status. `asked` is the standby's own word, to the millisecond.
    """

    gone: float
    event: float
    asked: float
    completed: float

    def __str__(self) -> str:
        moments = {
            "all of the host gone": self.gone,
            "failover begun": self.event,
            "promotion asked for": self.asked,
            "completed": self.completed,
        }
        return ", ".join(f"{what} at {seconds * 1e3:.0f} ms" for what, seconds in moments.items())


def read_reaction(logs: Path, injection: Injection, after: StoreState) -> Reaction:
    """Return how soon a failover followed an injection; `logs`: the folder with the servers' logs."""
    begun, completed = (
        next(event.at_ns for event in reversed(after.events) if event.code == code)
        for code in ("RDS-EVENT-0013", "RDS-EVENT-0049")
    )
    promoted = next(one.host for one in after.members if one.role is StoreRole.PRIMARY)
    said = (logs / f"postgresql-{promoted}.log").read_text(encoding="utf-8", errors="replace")
    asked_at = datetime.fromisoformat(f"{_ASKED.findall(said)[-1]}+00:00").timestamp()
    # The wall clock against the boot-time clock, as they are now: neither is set within a second.
    asked_ns = int(asked_at * NANOSECONDS) - (time.time_ns() - SystemClock().now_ns())
    moments = (injection.after_ns, begun, asked_ns, completed)
    return Reaction(*((moment - injection.before_ns) / NANOSECONDS for moment in moments))
