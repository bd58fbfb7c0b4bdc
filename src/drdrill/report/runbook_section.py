"""The runbook on a drill's page: its steps, what people answered, whose time it took, and what it proposes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drdrill.measure.waterfall import Bar
from drdrill.plan.duration import format_seconds
from drdrill.plan.runbook import Doer, Phase
from drdrill.report.chronicle import words
from drdrill.report.decision import describe_decision, has_stayed
from drdrill.report.waterfall import Gap, draw_waterfall

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from drdrill.report.account import Account
    from drdrill.report.picture import Picture


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step in words. `critical`: `yes`, or nothing; `failed`: nobody saw it done."""

    name: str
    phase: str
    who: str
    took: str
    critical: str
    slack: str
    failed: bool


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """What was asked and answered; `shown`: what the person saw with it, `` where that is not recorded."""

    question: str
    answer: str
    shown: str
    refused: bool


@dataclass(frozen=True, slots=True)
class DeathRow:
    """A death of the operators' machine: what the seed drew, where it fell, and what it cost; `grave`: all the rest."""

    number: str
    drawn: str
    fell: str
    cost: str
    grave: bool


@dataclass(frozen=True, slots=True)
class RunbookTold:
    """A runbook in words."""

    title: str
    summary: str
    steps: tuple[StepRow, ...]
    answers: tuple[AnswerRow, ...]
    facts: tuple[tuple[str, str], ...]
    proposes: tuple[str, ...]
    deaths: tuple[DeathRow, ...]


def describe_runbook(account: Account) -> RunbookTold | None:
    """Return how the runbook went; None: none was run."""
    runbook = account.verdict.get("runbook")
    if runbook is None:
        return None
    return RunbookTold(
        title=runbook["title"],
        summary=_summarize(runbook, account.verdict),
        steps=tuple(_rows(runbook, stayed=has_stayed(account.verdict))),
        answers=tuple(_describe_answer(one) for one in runbook["gates"]),
        facts=tuple(_facts(account, runbook)),
        proposes=tuple(account.runbook.proposes) if account.runbook else (),
        deaths=tuple(_deaths(account)),
    )


def draw_runbook(account: Account, width: int) -> Picture | None:
    """Draw the waterfall; None: no step of a runbook began."""
    runbook = account.verdict.get("runbook")
    if runbook is None:
        return None
    return draw_waterfall([_bar(one) for one in runbook["steps"]], width, [*_gaps(account, runbook)])


def _gaps(account: Account, runbook: Mapping[str, Any]) -> Iterator[Gap]:
    """Yield the deaths as the waterfall has them, from the runbook's begin; one that cost all the rest has no end."""
    begun = runbook["begun_after_seconds"]
    last = max((one["ends_seconds"] for one in runbook["steps"]), default=0.0)
    for row, death in zip(_deaths(account), account.verdict["deaths"], strict=True):
        begins = death["at_seconds"] - (begun or 0.0)
        cost = death["cost_seconds"]
        ends = last if cost is None else min(begins + cost, last)
        yield Gap(begins, max(begins, ends), f"death {row.number}: {row.cost}")


def _deaths(account: Account) -> Iterator[DeathRow]:
    for death in account.verdict["deaths"]:
        under_way = ", ".join(words(step) for step in death["under_way"])
        resumed, cost = death["resumed_seconds"], death["cost_seconds"]
        yield DeathRow(
            number=str(death["number"]),
            drawn=death["drawn"],
            fell=f"{format_seconds(death['at_seconds'])} after the fault, {len(death['done'])} steps done, "
            f"{f'in {under_way}' if under_way else 'between steps'}; processes killed: {death['killed']}",
            cost="never again where it was"
            if cost is None
            else f"{format_seconds(cost)} until it was where it had been, begun again after {format_seconds(resumed)}",
            grave=cost is None,
        )


def _bar(step: Mapping[str, Any]) -> Bar:
    return Bar(**{**step, "phase": Phase(step["phase"]), "by": Doer(step["by"])})


def _summarize(runbook: Mapping[str, Any], verdict: Mapping[str, Any]) -> str:
    count = len(runbook["steps"])
    if has_stayed(verdict):
        return f"It ended at {words(verdict['decision']['detection'])}. {describe_decision(verdict)}"
    if runbook["done"]:
        return f"All of its {count} steps were seen done."
    undone = len(runbook["not_done"])
    return f"{undone} of its steps {'was' if undone == 1 else 'were'} not seen done."


def _rows(runbook: Mapping[str, Any], *, stayed: bool) -> Iterator[StepRow]:
    undone = {one["step"]: one for one in runbook["not_done"]}
    for step in runbook["steps"]:
        took = format_seconds(step["ends_seconds"] - step["begins_seconds"])
        why = undone.pop(step["name"], None)
        yield StepRow(
            name=words(step["name"]),
            phase=step["phase"],
            who=step["by"],
            took=took if why is None else f"{took}; {_describe_end(why)}",
            critical="yes" if step["critical"] else "",
            slack="" if step["slack_seconds"] is None else format_seconds(step["slack_seconds"]),
            failed=why is not None and not stayed,
        )
    for why in undone.values():
        yield StepRow(words(why["step"]), "", "", _describe_end(why), "", "", failed=not stayed)


def _describe_end(why: Mapping[str, str]) -> str:
    return f"{why['state']}: {why['reason']}" if why["reason"] else why["state"]


def _describe_answer(gate: Mapping[str, Any]) -> AnswerRow:
    waited = "" if gate["waited_seconds"] is None else f" after {format_seconds(gate['waited_seconds'])}"
    why = f": {gate['why']}" if gate["why"] else ""
    word = "yes" if gate["approved"] else "no"
    asked = f"{gate['question']} (as {words(gate['role'])})" if gate["role"] else words(gate["step"])
    return AnswerRow(asked, f"{word}{waited}, {gate['who']}{why}", gate["shown"] or "", not gate["approved"])


def _facts(account: Account, runbook: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    rta = account.verdict["rta"]
    yield "recovery time from the outage", format_seconds(rta["outage_seconds"])
    if runbook["declared_after_seconds"] is not None:
        declared = f"declared {format_seconds(runbook['declared_after_seconds'])} after the fault"
        yield (
            "recovery time from the declaration",
            f"{format_seconds(rta['declaration_seconds'])}; {declared}",
        )
    if runbook["begun_after_seconds"] is not None:
        yield "runbook begun", f"{format_seconds(runbook['begun_after_seconds'])} after the fault"
    yield "critical path", format_seconds(runbook["path_seconds"])
    yield "of it, people", format_seconds(runbook["people_seconds"])
    machine = format_seconds(runbook["machine_seconds"])
    if runbook["machine_to_bound"] is not None:
        bound = format_seconds(runbook["bound_seconds"])
        machine += f": {runbook['machine_to_bound']:.2f} times the {bound} that its steps took to act"
    yield "of it, machines", machine
