"""What makes a drill prove nothing (INVALID), and what leaves its time in the dark (INCONCLUSIVE)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from drdrill.core.clock import NANOSECONDS
from drdrill.core.verdict import Verdict
from drdrill.measure.availability import nanoseconds
from drdrill.measure.reason import Reason
from drdrill.record.ledger import ClientKind, Outcome, outcomes_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from drdrill.measure.availability import Thresholds
    from drdrill.measure.clientele import Clientele
    from drdrill.measure.controls import Control
    from drdrill.measure.facts import About, Facts
    from drdrill.measure.outage import Outage
    from drdrill.plan.model import Scenario
    from drdrill.record.ledger import ClientLedger

_RECENT_NS = 2 * NANOSECONDS  # a client without success for that long, or for ten requests, put on no load
_RECENT_REQUESTS = 10


def _invalid(code: str, text: str) -> Reason:
    return Reason(Verdict.INVALID, code, text)


def _inconclusive(code: str, text: str) -> Reason:
    return Reason(Verdict.INCONCLUSIVE, code, text)


def check_fault(facts: Facts) -> Iterator[Reason]:
    """Demand a fault that was injected, and seen to be effective by somebody who did not inject it."""
    fault, effect = facts.fault, facts.effect
    if facts.fault_failed is not None:
        yield _invalid("fault_failed", f"The fault could not be injected: {facts.fault_failed}.")
    if fault is None:
        yield _invalid("no_fault", "No fault was injected.")
    elif effect is None or not effect.observer:
        yield _invalid(
            "fault_not_observed", f"Nobody but the injector looked whether {fault.kind} was effective."
        )
    elif (effect.kind, effect.resource) != (fault.kind, fault.resource):
        yield _invalid(
            "fault_not_observed",
            f"{fault.kind} of {fault.resource} was injected, {effect.kind} of {effect.resource} observed.",
        )
    elif not effect.effective:
        yield _invalid(
            "fault_not_effective", f"{effect.observer} saw no effect of {fault.kind} on {fault.resource}."
        )


def check_circumstances(facts: Facts) -> Iterator[Reason]:
    """Demand of each circumstance that somebody else saw it before the fault, and that it lasted until then."""
    for one in facts.circumstances:
        circumstance, effect, judged = one.fault, one.effect, facts.fault
        what = f"{circumstance.kind} of {circumstance.resource} was to make things worse"
        seen = effect is not None and (effect.kind, effect.resource) == (
            circumstance.kind,
            circumstance.resource,
        )
        if not seen or effect is None or not (effect.effective and effect.observer):
            yield _invalid("circumstance_not_observed", f"{what}, and no effect of it was seen.")
        elif judged is not None and effect.at_ns > judged.before_ns:
            late = (effect.at_ns - judged.before_ns) / NANOSECONDS
            yield _invalid(
                "circumstance_seen_late",
                f"{what}, and its effect was first seen {late:.3f} s after {judged.kind} of {judged.resource} began.",
            )
        elif judged is not None and one.healing_ns is not None and one.healing_ns < judged.before_ns:
            early = (judged.before_ns - one.healing_ns) / NANOSECONDS
            yield _invalid(
                "circumstance_healed_early",
                f"{what}, and was mended {early:.3f} s before {judged.kind} of {judged.resource} began.",
            )


def check_load(
    facts: Facts, clientele: Clientele, everybody: Sequence[ClientLedger], until_ns: int
) -> Iterator[Reason]:
    """Demand that all clients, probers and pooled ones, were served up to the fault and asked until `until_ns`.

    That is the end of the outage, or of what was seen of it. Those of the judged service count; load may be anybody's.
    Who is on a journey does not come to its later steps while an earlier one fails: of those, anybody may have asked.
    """
    if not facts.clients:
        yield _invalid("load_not_running", "No clients were started.")
        return
    ledgers = clientele.asking(everybody, clientele.service)
    names = {ledger.client.name for ledger in ledgers}
    # A started process is named as its client, or holds several: `prober` those from `prober-0` on.
    missing = [
        one
        for one in clientele.started
        if not any(name == one or name.startswith(f"{one}-") for name in names)
    ]
    if missing:
        yield _invalid("load_not_running", f"There is no ledger of {', '.join(missing)}.")
    for kind, whose in ((ClientKind.PROBER, ledgers), (ClientKind.LOAD, everybody)):
        if not any(ledger.client.kind is kind for ledger in whose):
            yield _invalid("load_not_running", f"No client of kind {kind} wrote a ledger.")
    if facts.fault is None:
        return
    travelling = [one for one in everybody if clientele.is_travelling(one)]
    travelled_on = any(_asked_after(one, until_ns) for one in travelling)
    for ledger in ledgers:
        if ledger.client.kind in {ClientKind.CONTROL, ClientKind.WATCHER}:
            continue
        if not _was_served(ledger, facts.fault.before_ns):
            yield _invalid("load_not_running", f"{ledger.client.name} was not served up to the fault.")
        elif not (travelled_on if clientele.is_travelling(ledger) else _asked_after(ledger, until_ns)):
            yield _invalid("load_not_running", f"{ledger.client.name} asked no more before the outage ended.")


def _asked_after(ledger: ClientLedger, at_ns: int) -> bool:
    return bool((ledger.attempts["at_ns"].astype(np.int64) > at_ns).any())


def _was_served(ledger: ClientLedger, fault_ns: int) -> bool:
    outcomes = ledger.outcomes
    times = outcomes["at_ns"].astype(np.int64)
    served = outcomes_of(outcomes["code"]) == Outcome.ACKNOWLEDGED
    recent_ns = max(_RECENT_NS, _RECENT_REQUESTS * ledger.client.period_ns)
    return bool((served & (times <= fault_ns) & (times > fault_ns - recent_ns)).any())


def check_steady_state(facts: Facts, outage: Outage | None) -> Iterator[Reason]:
    """Demand that all was well before the fault: as the drill saw it then, and as the ledger says now."""
    steady = facts.steady_state
    if steady is None:
        yield _invalid("no_steady_state", "Nobody looked whether all was well before the fault.")
    elif not steady.holds:
        yield _invalid(
            "no_steady_state", f"All was not well before the fault: {steady.reason or 'no reason given'}."
        )
    down = [cohort.client.name for cohort in outage.cohorts if not cohort.up_before] if outage else []
    if down:
        yield _invalid("no_steady_state", f"Not seen up just before the fault: {', '.join(down)}.")


def check_impact(scenario: Scenario, facts: Facts, outage: Outage) -> Iterator[Reason]:
    """Demand the user impact that the scenario declares: at least so much, some, or none at all."""
    impact = scenario.impact
    asked = facts.service or scenario.service
    if asked != scenario.service:
        yield _invalid(
            "another_service", f"Judged is {scenario.service}, but clients asked {asked}: that tells nothing."
        )
    elif impact.service != asked:
        yield _invalid(
            "impact_not_shown", f"Impact is declared on {impact.service}, but clients asked {asked}."
        )
    elif impact.none:
        if outage.was_down and not scenario.stays:  # there a break is what was to be found
            yield _invalid(
                "impact_shown",
                f"Declared is no impact on {impact.service}; it was down {outage.down_ns / NANOSECONDS:g} s.",
            )
    elif not outage.was_down:
        yield _invalid("impact_not_shown", f"Users of {impact.service} noticed nothing of the fault.")
    elif impact.down_at_least is not None and outage.down_ns < nanoseconds(impact.down_at_least):
        yield _invalid(
            "impact_not_shown",
            f"{impact.service} was down for {outage.down_ns / NANOSECONDS:g} s; the scenario declares at "
            f"least {impact.down_at_least.total_seconds():g} s.",
        )


def check_controls(controls: Sequence[Control]) -> Iterator[Reason]:
    """Demand that every positive control worked."""
    for control in controls:
        if not control.passed:
            yield _invalid("control_failed", f"The positive control `{control.name}` failed: {control.text}.")


def check_clock(about: About, facts: Facts) -> Iterator[Reason]:
    """Demand one clock: times of two boots of a machine do not compare."""
    if len({about.boot_id, *facts.boot_ids}) > 1 or not about.boot_id:
        yield _inconclusive(
            "another_clock", "Parts of this drill were recorded on the clock of another boot."
        )
    elif facts.clock_went_back:
        yield _inconclusive("another_clock", "The clock of the journal went back.")


def check_end(facts: Facts) -> Iterator[Reason]:
    """Demand that the drill was not broken off."""
    if facts.interrupted is not None:
        yield _inconclusive("interrupted", f"The drill was interrupted by {facts.interrupted}.")
    if facts.broken is not None:
        yield _inconclusive(
            "scenario_broken", f"A step of the scenario failed before it was measured: {facts.broken}."
        )


def check_lateness(outage: Outage, thresholds: Thresholds) -> Iterator[Reason]:
    """Demand a prober that kept its schedule between the fault and recovery; else that time is not known."""
    late = [cohort for cohort in outage.cohorts if cohort.late_ns > thresholds.lateness_ns]
    if late:
        worst = max(late, key=lambda cohort: cohort.late_ns)
        yield _inconclusive(
            "prober_late",
            f"{worst.client.name} sent a request {worst.late_ns / NANOSECONDS:.3f} s late between the fault "
            f"and recovery; {thresholds.lateness_ns / NANOSECONDS:g} s are allowed (cohorts: {len(late)}).",
        )
