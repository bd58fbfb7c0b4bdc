"""What a drill's directory says, gathered once for everything that is rendered from it.

Reads the directory and nothing else. The verdict is the one that was stored; a drill that was killed before it had one
is measured here, and the account says so.
"""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drdrill.core.clock import NANOSECONDS
from drdrill.core.errors import DamagedRecordError
from drdrill.measure import measure
from drdrill.measure.availability import thresholds_of
from drdrill.measure.facts import read_facts
from drdrill.plan import load_plan
from drdrill.record.directory import read_json
from drdrill.record.journal import read_journal
from drdrill.record.ledger import read_ledger
from drdrill.report.chronicle import Entry, write_chronicle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from drdrill.measure.availability import Thresholds
    from drdrill.measure.facts import Facts
    from drdrill.plan.model import Plan, Scenario
    from drdrill.record.directory import DrillDirectory
    from drdrill.record.journal import Event
    from drdrill.record.ledger import ClientLedger


@dataclass(frozen=True, slots=True, eq=False)
class Account:
    """One drill. `verdict` has the form of `verdict.json`; `stored`: whether it was there.

    `origin_ns` is the moment from which pictures count: the fault, or the first request where there was none.
    """

    name: str
    about: Mapping[str, Any]
    plan: Plan
    scenario: Scenario
    plan_sha256: str
    verdict: Mapping[str, Any]
    stored: bool
    events: tuple[Event, ...]
    facts: Facts
    chronicle: tuple[Entry, ...]
    ledgers: tuple[ClientLedger, ...]
    origin_ns: int

    @property
    def thresholds(self) -> Thresholds:
        """Return what the plan demands of requests."""
        return thresholds_of(self.plan.availability)

    @property
    def began_utc(self) -> str:
        """Return the drill's begin, as stored."""
        return str(self.about.get("started_utc") or "at a time not known")

    def seconds(self, at_ns: int) -> float:
        """Return a boot-time moment in seconds from the origin."""
        return (at_ns - self.origin_ns) / NANOSECONDS

    def find(self, kind: str) -> list[Mapping[str, Any]]:
        """Return the data of all events of a kind, in order."""
        return [event.data for event in self.events if event.kind == kind]

    @property
    def fidelity(self) -> tuple[Mapping[str, str], ...]:
        """Return the statement of what was real, emulated and modelled; empty: no environment came up."""
        started = self.find("environment.started")
        return tuple(started[-1].get("fidelity", ())) if started else ()

    @property
    def servers(self) -> dict[int, str]:
        """Return the names of the hosts by their address as an integer, as the store was observed."""
        return {
            int(ipaddress.IPv4Address(member["address"])): str(member["host"])
            for data in self.find("store.observed")
            for member in data.get("members", ())
        }


def read_account(directory: DrillDirectory) -> Account:
    """Read a drill's directory. Raises `DamagedRecordError` or `InvalidInputError` where it is not as stored."""
    plan, about = load_plan(directory.plan_path), read_json(directory.about_path)
    events, facts = read_journal(directory.journal_path), read_facts(directory)
    stored = directory.verdict_path.exists()
    verdict = read_json(directory.verdict_path) if stored else measure(directory).to_json()
    scenario = plan.scenarios.get(str(about.get("scenario")))
    if scenario is None:
        raise DamagedRecordError(
            f"{directory.about_path}: this does not describe a drill of the plan beside it."
        )
    ledgers = read_ledger(directory.ledger)
    return Account(
        name=directory.path.name,
        about=about,
        plan=plan,
        scenario=scenario,
        plan_sha256=hashlib.sha256(directory.plan_path.read_bytes()).hexdigest(),
        verdict=verdict,
        stored=stored,
        events=tuple(events),
        facts=facts,
        chronicle=write_chronicle(events),
        ledgers=ledgers,
        origin_ns=_find_origin(facts, ledgers, events),
    )


def _find_origin(facts: Facts, ledgers: Sequence[ClientLedger], events: Sequence[Event]) -> int:
    if facts.fault is not None:
        return facts.fault.before_ns
    first = [int(ledger.attempts["at_ns"].min()) for ledger in ledgers if len(ledger.attempts)]
    return min(first, default=events[0].at_ns if events else 0)
