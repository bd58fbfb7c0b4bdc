"""What was decided where nobody was to fail over, from the runbook's own journal, and from what was seen of the system.

That a runbook says that it did nothing is not believed: names, primaries and the pilot light are to be as they were.
And that nobody was to fail over is worth as much as users had of it: they are to be served without a break.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from drdrill.core.clock import NANOSECONDS
from drdrill.core.verdict import Verdict
from drdrill.measure.reason import Reason
from drdrill.measure.regions import region_of
from drdrill.plan.runbook import Phase
from drdrill.plan.scenario import Decision

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from drdrill.measure.capacity import SystemSeen
    from drdrill.measure.failover_command import CommandRecord
    from drdrill.measure.outage import Outage
    from drdrill.measure.runbook_record import RunbookRecord
    from drdrill.measure.system import SystemRecord
    from drdrill.plan.model import Plan, Scenario

_BEFORE_IT = (Phase.DETECT, Phase.DECLARE)  # phases whose steps change nothing


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """What was decided, and what that meant. `taken` None: not known, as `unknown` says.

    `detection`: the step that said no; `said`: its words. `went_on`: the steps that began although nobody was to fail
    over; `changed`: what is seen to be otherwise in the end; `breaks`: by service, for how long users were without it.
    """

    expected: Decision
    taken: Decision | None
    unknown: str
    detection: str
    said: str
    went_on: tuple[str, ...]
    changed: tuple[str, ...]
    breaks: Mapping[str, int]


def read_decision(
    plan: Plan,
    scenario: Scenario,
    system: SystemRecord | None,
    runbook: RunbookRecord | None,
    outages: Mapping[str, Outage | None],
    *,
    command: CommandRecord | None,
) -> DecisionRecord | None:
    """Read what was decided where nobody was to fail over; None: the scenario's recovery is another one.

    `command`: what was run in the runbook's place; of that only what it changed is known.
    """
    if not scenario.stays:
        return None
    went_on = tuple(bar.name for bar in runbook.bars if bar.phase not in _BEFORE_IT) if runbook else ()
    before, after = (system.before, system.after) if system else (None, None)
    changed = tuple(_find_changes(plan, before, after)) if before and after else ()
    phases = {bar.name: bar.phase for bar in runbook.bars} if runbook else {}
    refused = [
        one
        for one in (runbook.not_done if runbook else ())
        if runbook and one.step in runbook.said_no and phases.get(one.step) is Phase.DETECT
    ]
    unknown = _find_unseen(plan, before, after)
    if not unknown and not refused and command is None:
        unknown = "no step of the runbook that detects came to say no"
    taken = None if unknown else Decision.STAY
    return DecisionRecord(
        expected=Decision.STAY,
        taken=Decision.FAIL_OVER if went_on or changed else taken,
        unknown=unknown,
        detection=refused[0].step if refused else "",
        said=refused[0].reason if refused else "",
        went_on=went_on,
        changed=changed,
        breaks={
            service: outage.down_ns
            for service, outage in outages.items()
            if outage is not None and outage.was_down
        },
    )


def check_decision(decision: DecisionRecord | None) -> Iterator[Reason]:
    """Demand that nobody failed over, and that users were served without a break; None: nothing of that is demanded."""
    if decision is None:
        return
    if decision.taken is Decision.FAIL_OVER:
        went_on = (f"the runbook went on to {', '.join(f'`{one}`' for one in decision.went_on)}",)
        told = "; ".join((*(went_on if decision.went_on else ()), *decision.changed))
        text = f"Users were served, nobody was to fail over, and somebody did: {told}."
        yield Reason(Verdict.MISSED, "failed_over_needlessly", text)
    elif decision.taken is None:
        text = f"Whether it was decided to stay is not known: {decision.unknown}."
        yield Reason(Verdict.INCONCLUSIVE, "decision_not_known", text)
    for service, down_ns in decision.breaks.items():
        text = f"{service} was to be served without a break, and was down for {down_ns / NANOSECONDS:g} s."
        yield Reason(Verdict.MISSED, "break_in_service", text)


def _find_unseen(plan: Plan, before: SystemSeen | None, after: SystemSeen | None) -> str:
    """Return what was not seen, and would have to be for knowing that nothing was changed; empty: all of it was."""
    if before is None or after is None or not before.primaries or not after.primaries:
        return (
            "nobody saw the system before the fault and in the end, with where its databases' primaries are"
        )
    recovery = plan.regions.recovery.name
    if not all(recovery in one.regions and one.regions[recovery].answers for one in (before, after)):
        return f"the clusters of {recovery} did not answer before the fault and in the end"
    if unseen := sorted(set(before.primaries) ^ set(after.primaries)):
        return (
            f"where the primary of {', '.join(unseen)} is was not seen both before the fault and in the end"
        )
    return ""


def _find_changes(plan: Plan, before: SystemSeen, after: SystemSeen) -> Iterator[str]:
    """Yield what a failover changes: where users are led, where primaries are, what the recovery region carries."""
    new = sorted(set(after.addresses) - set(before.addresses))
    if new:
        yield f"{after.name} leads to {', '.join(new)} in the end, and did not before"
    for resource, zones in sorted(after.primaries.items()):
        moved = {region_of(zone) for zone in zones} - {
            region_of(zone) for zone in before.primaries.get(resource, zones)
        }
        if moved:
            yield f"{resource} has a primary in {', '.join(sorted(moved))} in the end, and had none there before"
    recovery = plan.regions.recovery.name
    was, now = before.regions.get(recovery), after.regions.get(recovery)
    if was is None or now is None or not (was.answers and now.answers):
        return  # `_find_unseen` says so
    if now.nodes > was.nodes:
        yield f"{recovery} has {now.nodes} nodes in the end, and had {was.nodes}"
    other = sorted(
        f"{name.rpartition('/')[2]} {now.wanted.get(name, 0)} in the place of {was.wanted.get(name, 0)}"
        for name in was.wanted.keys() | now.wanted.keys()
        if now.wanted.get(name, 0) != was.wanted.get(name, 0)
    )
    if other:
        yield f"{recovery} is to carry other pods in the end: {', '.join(other)}"
