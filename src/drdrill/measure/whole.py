"""What only a drill of the whole system has: what is left of it, who watched in its regions, and what operators did.

Each part runs on its own: one that crashes is INCONCLUSIVE and leaves the others standing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from drdrill.measure import system
from drdrill.measure.call_record import CallRecord, read_calls
from drdrill.measure.deaths import Doom, check_doom, read_doom
from drdrill.measure.decision import DecisionRecord, check_decision, read_decision
from drdrill.measure.meanwhile import check_meanwhile
from drdrill.measure.tenures import Moves
from drdrill.measure.watchers import Watch, check_watches, read_watches
from drdrill.record.journal import read_journal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from drdrill.measure.checks import Checks
    from drdrill.measure.clientele import Clientele
    from drdrill.measure.facts import Facts
    from drdrill.measure.outage import Outage
    from drdrill.measure.runbook_record import RunbookRecord
    from drdrill.plan.model import Plan
    from drdrill.plan.scenario import Scenario
    from drdrill.record.directory import DrillDirectory
    from drdrill.record.ledger import ClientLedger


@dataclass(frozen=True, slots=True)
class Whole:
    """What was found. `system` None: only databases were up."""

    system: system.SystemRecord | None
    decision: DecisionRecord | None
    calls: CallRecord | None
    watches: tuple[Watch, ...]
    doom: Doom


def measure_whole(
    checks: Checks,
    directory: DrillDirectory,
    plan: Plan,
    scenario: Scenario,
    *,
    facts: Facts,
    clientele: Clientele,
    ledgers: Sequence[ClientLedger],
    runbook: RunbookRecord | None,
    outages: Mapping[str, Outage | None],
) -> Whole:
    """Read all of it, and collect what keeps the drill from being MET."""
    reading = partial(system.read_record, directory, plan, scenario, facts.fault, facts.return_ns)
    record = checks.compute("system", reading)
    if record is not None:
        checks.collect("system", partial(system.check_record, record, plan, scenario, outages))
    deciding = partial(read_decision, plan, scenario, record, runbook, outages, command=facts.command)
    decision = checks.compute("decision", deciding)
    checks.collect("decision", partial(check_decision, decision))
    calls = checks.compute("calls", partial(read_calls, directory, facts.fault))
    watches = checks.compute("watchers", partial(read_watches, ledgers, clientele)) or ()
    serving = Moves(plan.regions, plan.stores[scenario.store].resource, runbook).first
    checks.collect("watchers", partial(check_watches, watches, facts, serving, facts.healing_ns))
    doom = checks.compute("deaths", partial(read_doom, directory)) or Doom()
    checks.collect("deaths", partial(check_doom, doom))
    checks.collect("meanwhile", lambda: check_meanwhile(read_journal(directory.journal_path)))
    return Whole(record, decision, calls, watches, doom)
