"""Where the time of a runbook went, read from its journal: each step's bar, the critical path, and its slack.

A step's first observed completion counts: that a resumed run saw it done again takes nothing away from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from drdrill.core.clock import NANOSECONDS
from drdrill.core.errors import DamagedRecordError
from drdrill.plan.runbook import Doer, Phase
from drdrill.plan.runbook_graph import schedule

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from drdrill.plan.runbook import Runbook
    from drdrill.record.journal import Event

_PHASES = list(Phase)


@dataclass(frozen=True, slots=True)
class Bar:
    """A step as it went. Seconds count from the beginning of the runbook.

    `slack_seconds`: how much longer it may have taken before the objective was missed, or, without one, before the
    whole became later; None: it was not done, or nothing that counts waits for it. `acting_seconds`: from when it acted
    to when it was seen to be done; all of its time where there was nothing to do.
    """

    name: str
    phase: Phase
    by: Doer
    begins_seconds: float
    ends_seconds: float
    done: bool
    acted: bool
    critical: bool
    slack_seconds: float | None
    acting_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class _Span:
    begins: float
    ends: float
    done: bool
    acted_at: float | None


def read_waterfall(
    events: Sequence[Event],
    runbook: Runbook,
    *,
    objective_seconds: float | None = None,
    only_critical: bool = False,
) -> tuple[Bar, ...]:
    """Return the bars of all steps that began, by phase and beginning. Raises `DamagedRecordError` without any run.

    `only_critical`: what counts is the end of the last step that critical services wait for.
    """
    first = next((event.at_ns for event in events if event.kind == "runbook.begun"), None)
    if first is None:
        raise DamagedRecordError("the journal holds no run of a runbook.")
    spans = {name: span for name in runbook.steps if (span := _find_span(events, name, first))}
    counted = _find_counted(runbook, only_critical=only_critical)
    done = {name: span.ends for name, span in spans.items() if span.done and name in counted}
    # What a step took of the whole: from when its needs were done, so that waits between runs are in it.
    needs = {name: [one for one in runbook.steps[name].needs if one in done] for name in done}
    seconds = {
        name: max(0.0, end - max((done[one] for one in needs[name]), default=0.0))
        for name, end in done.items()
    }
    planned = {one.name: one for one in schedule(needs, seconds)} if done else {}
    total = max(done.values(), default=0.0)
    margin = 0.0 if objective_seconds is None else objective_seconds - total
    bars = (
        Bar(
            name,
            runbook.steps[name].phase,
            runbook.steps[name].by,
            span.begins,
            span.ends,
            span.done,
            span.acted_at is not None,
            name in planned and planned[name].critical,
            planned[name].slack_seconds + margin if name in planned else None,
            span.ends - (span.begins if span.acted_at is None else span.acted_at),
        )
        for name, span in spans.items()
    )
    return tuple(sorted(bars, key=lambda bar: (_PHASES.index(bar.phase), bar.begins_seconds)))


def sum_people_seconds(bars: Iterable[Bar]) -> float:
    """Return for how long the critical path waited for people."""
    return sum(
        bar.ends_seconds - bar.begins_seconds for bar in bars if bar.critical and bar.by is Doer.PERSON
    )


def _find_counted(runbook: Runbook, *, only_critical: bool) -> set[str]:
    """Return the steps that count, and all that they need; all of them where none is critical."""
    waiting = [name for name, step in runbook.steps.items() if step.critical or not only_critical]
    waiting = waiting or list(runbook.steps)
    counted: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in counted:
            counted.add(name)
            waiting += runbook.steps[name].needs
    return counted


def _find_span(events: Sequence[Event], name: str, first_ns: int) -> _Span | None:
    begun_ns = ended_ns = acted_ns = None
    done = False
    for event in events:
        if event.data.get("step") != name or done:
            continue
        if event.kind == "step.begun" and begun_ns is None:
            begun_ns = event.at_ns
        elif event.kind == "step.acting":
            acted_ns = event.at_ns
        elif event.kind == "step.ended" and event.data["state"] != "blocked":
            ended_ns, done = event.at_ns, event.data["state"] == "done"
    if begun_ns is None:
        return None
    last_ns = ended_ns if ended_ns is not None else events[-1].at_ns
    return _Span(
        (begun_ns - first_ns) / NANOSECONDS,
        (last_ns - first_ns) / NANOSECONDS,
        done,
        None if acted_ns is None else (acted_ns - first_ns) / NANOSECONDS,
    )
