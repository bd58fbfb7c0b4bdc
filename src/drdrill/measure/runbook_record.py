"""What became of a drill's runbook: from its own journal and file in the drill's directory, nothing else.

Whose time it took, what people answered, and which steps nobody saw done. Knows nothing of users: what the recovery
was worth to them is measured elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from drdrill.core.clock import NANOSECONDS
from drdrill.core.errors import DamagedRecordError, InvalidInputError
from drdrill.core.verdict import Verdict
from drdrill.measure.outage import StepEnd
from drdrill.measure.reason import Reason
from drdrill.measure.waterfall import Bar, read_waterfall, sum_people_seconds
from drdrill.plan.runbook import Doer, Phase, Where
from drdrill.plan.runbook_checking import load_runbook
from drdrill.record.journal import read_journal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from drdrill.plan.runbook import Runbook
    from drdrill.record.journal import Event

_FOLDER, _JOURNAL, _RUNBOOK = "failover", "journal.jsonl", "runbook.yaml"
_FAILED = "failed"
_NEVER_BEGAN = "never began"
_NOT_BEGUN = ("blocked", _NEVER_BEGAN)
_SHOWN = 400  # letters of a reason; the whole of it is in the document


@dataclass(frozen=True, slots=True)
class GateAnswer:
    """What a person answered. `shown`: what they saw with the question; None: that was not recorded."""

    step: str
    role: str
    question: str
    approved: bool
    who: str
    why: str
    waited_seconds: float | None
    shown: str | None


@dataclass(frozen=True, slots=True)
class NotDone:
    """A step that nobody saw done: how far it came, and why no further."""

    step: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class RunbookRecord:
    """A runbook as it went. `declared_ns`: when the last gate that declares a disaster was passed; None: none was.

    `interrupted`: it was broken off, or killed. `bars` count their seconds from `begun_ns`. `said_no`: the steps whose
    action said last that going on would be wrong (`says_no` of the runbook).
    """

    title: str
    loses: Where
    begun_ns: int
    declared_ns: int | None
    interrupted: bool
    bars: tuple[Bar, ...]
    gates: tuple[GateAnswer, ...]
    not_done: tuple[NotDone, ...]
    said_no: tuple[str, ...] = ()

    @property
    def path_seconds(self) -> float:
        """Return how long the critical path took, from the runbook's begin to its own end."""
        return max((bar.ends_seconds for bar in self.bars if bar.critical), default=0.0)

    @property
    def waited_for(self) -> tuple[StepEnd, ...]:
        """Return the ends of the steps of the critical path, in order."""
        ends = (
            StepEnd(
                bar.phase.value, bar.by is Doer.PERSON, self.begun_ns + round(bar.ends_seconds * NANOSECONDS)
            )
            for bar in self.bars
            if bar.critical
        )
        return tuple(sorted(ends, key=lambda one: one.at_ns))

    @property
    def people_seconds(self) -> float:
        """Return for how long the critical path waited for people."""
        return sum_people_seconds(self.bars)

    @property
    def machine_seconds(self) -> float:
        """Return the rest of the critical path: machines at work, and everything that nobody waited for."""
        return self.path_seconds - self.people_seconds

    @property
    def bound_seconds(self) -> float:
        """Return what machines would have needed on the critical path had nothing waited between its steps."""
        return sum(bar.acting_seconds for bar in self.bars if bar.critical and bar.by is Doer.MACHINE)

    @property
    def machine_to_bound(self) -> float | None:
        """Return machines' time as a multiple of that bound; None: no machine had anything to do."""
        return self.machine_seconds / self.bound_seconds if self.bound_seconds > 0 else None


def read_runbook(directory: Path) -> Runbook:
    """Return the runbook that a drill was recovered by. Raises `DamagedRecordError` that says what is wrong with it."""
    path = directory / _FOLDER / _RUNBOOK
    try:
        return load_runbook(path)
    except InvalidInputError as error:
        first = error.mistakes[0]
        line = f", line {first.line}" if first.line else ""
        problem = f"{_FOLDER}/{_RUNBOOK}{line}: {first.problem.rstrip('.')}"
        raise DamagedRecordError(problem) from error


def was_run(directory: Path) -> bool:
    """Tell whether a drill's directory has the journal of a runbook."""
    return (directory / _FOLDER / _JOURNAL).exists()


def read_record(
    directory: Path, *, limit_seconds: float, from_ns: int | None, from_declaration: bool, only_critical: bool
) -> RunbookRecord:
    """Read how the runbook in a drill's directory went. Raises `DamagedRecordError`.

    `limit_seconds`: the objective that its slack is held against, counted from `from_ns` (None: from its begin), or
    from the declaration. `only_critical`: what counts is what critical services wait for.
    """
    runbook = read_runbook(directory)
    events = read_journal(directory / _FOLDER / _JOURNAL)
    begun_ns = next((event.at_ns for event in events if event.kind == "runbook.begun"), None)
    if begun_ns is None:
        raise DamagedRecordError(f"{_FOLDER}/{_JOURNAL} holds no run of a runbook.")
    declared_ns = _find_declaration(events, runbook)
    since_ns = declared_ns if from_declaration else from_ns
    spent = 0.0 if since_ns is None else (begun_ns - since_ns) / 1e9
    return RunbookRecord(
        title=runbook.title,
        loses=runbook.loses,
        begun_ns=begun_ns,
        declared_ns=declared_ns,
        interrupted=_was_interrupted(events),
        bars=read_waterfall(
            events, runbook, objective_seconds=limit_seconds - spent, only_critical=only_critical
        ),
        gates=tuple(_read_answers(events, runbook)),
        not_done=tuple(_find_not_done(events, runbook)),
        said_no=tuple(_find_who_said_no(events, runbook)),
    )


def _find_who_said_no(events: Sequence[Event], runbook: Runbook) -> Iterator[str]:
    acted = {str(one.data["step"]): one.data["status"] for one in events if one.kind == "step.acted"}
    for name, status in acted.items():
        step = runbook.steps.get(name)
        if step is not None and step.says_no is not None and status == step.says_no:
            yield name


def check_record(record: RunbookRecord, *, broken_off: bool, invalid: bool) -> Iterator[Reason]:
    """Demand that every step was seen done.

    As with a measured time, a drill that proves nothing is INVALID in this, too. `broken_off`: the whole drill was; a
    runbook that was interrupted, and of which no step had failed until then, might have been done in the end.
    """
    if not record.not_done:
        return
    began = [one for one in record.not_done if one.state not in _NOT_BEGUN]
    told = [f"`{one.step}` {one.state}{_shorten(one.reason)}" for one in began]
    if len(began) < len(record.not_done):
        told.append("not begun: " + ", ".join(one.step for one in record.not_done if one not in began))
    verdict = Verdict.MISSED
    if invalid:
        verdict = Verdict.INVALID
    elif (record.interrupted or broken_off) and all(one.state != _FAILED for one in record.not_done):
        verdict = Verdict.INCONCLUSIVE
    yield Reason(verdict, "runbook_not_done", f"The runbook did not come to its end: {'; '.join(told)}.")


def _shorten(reason: str) -> str:
    """Return a reason on one line, as the end of a sentence; programs may say much."""
    text = " ".join(reason.split()).rstrip(".")
    return f": {text if len(text) <= _SHOWN else text[: _SHOWN - 1] + '…'}" if text else ""


def _find_declaration(events: Sequence[Event], runbook: Runbook) -> int | None:
    passed: dict[str, int] = {}
    for event in _done(events):
        step = runbook.steps.get(str(event.data["step"]))
        if step is not None and step.phase is Phase.DECLARE and step.action.gate is not None:
            passed.setdefault(str(event.data["step"]), event.at_ns)
    return max(passed.values(), default=None)


def _done(events: Sequence[Event]) -> Iterator[Event]:
    return (one for one in events if one.kind == "step.ended" and one.data["state"] == "done")


def _was_interrupted(events: Sequence[Event]) -> bool:
    """Tell whether the last run was broken off, or whoever ran it was killed and left no end."""
    begun = max(number for number, event in enumerate(events) if event.kind == "runbook.begun")
    since = {event.kind for event in events[begun:]}
    return "runbook.stopping" in since or "runbook.ended" not in since


def _read_answers(events: Sequence[Event], runbook: Runbook) -> Iterator[GateAnswer]:
    for event in events:
        if event.kind != "gate.answered":
            continue
        data, name = event.data, str(event.data["step"])
        gate = runbook.steps[name].action.gate if name in runbook.steps else None
        waited, shown = data.get("waited_seconds"), data.get("shown")
        yield GateAnswer(
            step=name,
            role=gate.role if gate else "",
            question=gate.question if gate else "",
            approved=data["approved"] is True,
            who=str(data.get("who") or ""),
            why=str(data.get("why") or ""),
            waited_seconds=None if waited is None else float(waited),
            shown=None if shown is None else str(shown),
        )


def _find_not_done(events: Sequence[Event], runbook: Runbook) -> Iterator[NotDone]:
    done = {str(event.data["step"]) for event in _done(events)}
    for name in runbook.steps:
        if name in done:
            continue
        own = [event for event in events if event.data.get("step") == name]
        last = next((one for one in reversed(own) if one.kind in ("step.begun", "step.ended")), None)
        if last is None:
            yield NotDone(name, _NEVER_BEGAN, "")
        elif last.kind == "step.begun":
            yield NotDone(name, "did not end", "its end is not recorded")
        else:
            yield NotDone(name, str(last.data["state"]), str(last.data.get("reason") or ""))
