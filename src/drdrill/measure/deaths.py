"""The deaths of the operators' machine while they ran a runbook: where each one fell, and how much time it cost.

Read from the drill's journal, which says what was drawn and where it fell, and from the runbook's own. A death costs
the time until all that had been seen done before it was seen done again: only then the failover is where it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drdrill.core.clock import NANOSECONDS
from drdrill.core.verdict import Verdict
from drdrill.measure.reason import Reason
from drdrill.record.journal import read_journal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from drdrill.record.directory import DrillDirectory
    from drdrill.record.journal import Event

_RUNBOOK_JOURNAL = "failover/journal.jsonl"


@dataclass(frozen=True, slots=True)
class Death:
    """One death. `done`: what had been seen done; `under_way`: steps that had begun and not ended.

    `resumed_ns`: when the runbook was begun again; `caught_up_ns`: when all that had been done was seen done again.
    Boot time; None: never, or not before the next death.
    """

    number: int
    drawn: str
    at_ns: int
    done: tuple[str, ...]
    under_way: tuple[str, ...]
    killed: int
    resumed_ns: int | None
    caught_up_ns: int | None

    @property
    def cost_ns(self) -> int | None:
        """Return how much time it cost; None: the runbook never came again to where it was."""
        return None if self.caught_up_ns is None else self.caught_up_ns - self.at_ns

    def to_json(self, origin_ns: int) -> dict[str, Any]:
        """Return the part of the document; moments in seconds from the origin, the fault."""

        def after(at_ns: int | None) -> float | None:
            return None if at_ns is None else round((at_ns - self.at_ns) / NANOSECONDS, 6)

        return {
            "number": self.number,
            "drawn": self.drawn,
            "at_seconds": round((self.at_ns - origin_ns) / NANOSECONDS, 6),
            "done": list(self.done),
            "under_way": list(self.under_way),
            "killed": self.killed,
            "resumed_seconds": after(self.resumed_ns),
            "cost_seconds": after(self.caught_up_ns),
        }


@dataclass(frozen=True, slots=True)
class Doom:
    """How often the operators' machine was to die, and how it did."""

    drawn: tuple[str, ...] = ()
    deaths: tuple[Death, ...] = ()


def read_doom(directory: DrillDirectory) -> Doom:
    """Read the deaths from a drill's journal, and from the runbook's in its directory."""
    events = read_journal(directory.journal_path)
    drawn = [one for event in events if event.kind == "operators.doomed" for one in event.data["drawn"]]
    died = [event.data for event in events if event.kind == "operators.died"]
    journal = directory.path / _RUNBOOK_JOURNAL
    run = read_journal(journal) if died and journal.exists() else ()
    until = [*(int(data["at_ns"]) for data in died[1:]), None]
    deaths = (
        _read_death(data, [event for event in run if _lies(event, int(data["at_ns"]), next_ns)])
        for data, next_ns in zip(died, until, strict=False)
    )
    return Doom(tuple(str(one) for one in drawn), tuple(deaths))


def _lies(event: Event, from_ns: int, until_ns: int | None) -> bool:
    return event.at_ns > from_ns and (until_ns is None or event.at_ns <= until_ns)


def _read_death(data: Any, after: Sequence[Event]) -> Death:
    done = tuple(str(step) for step in data["done"])
    resumed_ns = next((event.at_ns for event in after if event.kind == "runbook.begun"), None)
    again: dict[str, int] = {}
    for event in after:
        if event.kind == "step.ended" and event.data["state"] == "done":
            again.setdefault(str(event.data["step"]), event.at_ns)
    seen = [again.get(step) for step in done]
    whole = [one for one in seen if one is not None]
    caught_up_ns = max(whole, default=resumed_ns) if len(whole) == len(seen) else None
    return Death(
        number=int(data["number"]),
        drawn=str(data["drawn"]),
        at_ns=int(data["at_ns"]),
        done=done,
        under_way=tuple(str(step) for step in data["under_way"]),
        killed=len(data["killed"]),
        resumed_ns=resumed_ns,
        caught_up_ns=caught_up_ns,
    )


def check_doom(doom: Doom) -> Iterator[Reason]:
    """Demand that the machine died as often as it was to: else the drill is another one than it says."""
    if len(doom.deaths) < len(doom.drawn):
        yield Reason(
            Verdict.INVALID,
            "operators_survived",
            f"The operators' machine was to die {len(doom.drawn)} times, and died {len(doom.deaths)} times: the "
            "runbook was over before.",
        )
