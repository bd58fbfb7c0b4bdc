"""What a drill's directory says, gathered once for everything that is rendered from it.

Reads the directory and nothing else. Everything is measured again: where the stored verdict differs from what the files
give, or a killed drill has none, the account has the computed one and says so.
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
from drdrill.measure.clientele import Clientele
from drdrill.measure.comparison import find_differences
from drdrill.measure.facts import read_facts
from drdrill.measure.presence import only_asks
from drdrill.measure.recovery import read_recovery
from drdrill.measure.regions import by_region, list_regions
from drdrill.plan import load_plan
from drdrill.record.directory import read_json
from drdrill.record.journal import read_journal
from drdrill.record.ledger import ClientKind, read_ledger
from drdrill.report.chronicle import Entry, write_chronicle
from drdrill.report.places import without_folders, without_folders_in
from drdrill.report.status_page import read_versions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from drdrill.measure.availability import Thresholds
    from drdrill.measure.facts import Facts
    from drdrill.measure.system import SystemRecord
    from drdrill.plan.model import Plan, Scenario
    from drdrill.plan.runbook import Runbook
    from drdrill.record.directory import DrillDirectory
    from drdrill.record.journal import Event
    from drdrill.record.ledger import ClientLedger


@dataclass(frozen=True, slots=True, eq=False)
class Account:
    """One drill. `verdict` has the form of `verdict.json`; `stored`: whether it was there.

    `differences`: where the stored one is not what the files give; then `verdict` is what they give.

    `notices`: what users were told by the status page, each with its moment.

    `origin_ns` is the moment from which pictures count: the fault, or the first request where there was none.
    """

    name: str
    about: Mapping[str, Any]
    plan: Plan
    scenario: Scenario
    plan_sha256: str
    verdict: Mapping[str, Any]
    stored: bool
    differences: tuple[str, ...]
    events: tuple[Event, ...]
    facts: Facts
    chronicle: tuple[Entry, ...]
    ledgers: tuple[ClientLedger, ...]
    origin_ns: int
    runbook: Runbook | None = None
    notices: tuple[tuple[int, str], ...] = ()

    @property
    def thresholds(self) -> Thresholds:
        """Return what the plan demands of requests."""
        return thresholds_of(self.plan.availability_of(self.scenario))

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
    def ended(self) -> bool:
        """Whether the journal tells of the drill's end."""
        return bool(self.find("drill.ended"))

    @property
    def clients(self) -> tuple[str, ...]:
        """Return the names of the users' clients: all but those that are there for a control, and watchers."""
        others = {ClientKind.CONTROL, ClientKind.WATCHER}
        return tuple(one.client.name for one in self.ledgers if one.client.kind not in others)

    @property
    def travelling(self) -> frozenset[str]:
        """Return the names of the clients that are steps of users' journeys."""
        clientele = self.clientele
        return frozenset(one.client.name for one in self.ledgers if clientele.is_travelling(one))

    @property
    def clientele(self) -> Clientele:
        """Return who asks which service."""
        return Clientele(self.facts.loads, self.scenario.service)

    def read_writing(self) -> tuple[ClientLedger, ...]:
        """Return the ledgers of those who write, with the numbers of regions in them where users are told zones."""
        writing = tuple(one for one in self.ledgers if not only_asks(one))
        clientele = self.clientele
        return by_region(writing, clientele, self.facts.zones) if clientele.zones else writing

    def name_writer(self, server: int) -> str:
        """Return the name of what acknowledged a write, by its number in `read_writing`."""
        regions = list_regions(self.clientele)
        if regions:
            return regions[server - 1] if 0 < server <= len(regions) else "a region not known"
        return self.servers.get(server, str(ipaddress.IPv4Address(server)))

    def blamed(self, *codes: str) -> bool:
        """Tell whether the verdict has a reason of one of these codes."""
        return any(reason["code"] in codes for reason in self.verdict["reasons"])

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
    measured = measure(directory)
    verdict = measured.to_json()
    stored = read_json(directory.verdict_path) if directory.verdict_path.exists() else None
    scenario = plan.scenarios.get(str(about.get("scenario")))
    if scenario is None:
        raise DamagedRecordError(
            f"{directory.about_path}: this does not describe a drill of the plan beside it."
        )
    ledgers = read_ledger(directory.ledger)
    return Account(
        name=str(about.get("name") or directory.path.absolute().name),
        about=about,
        plan=plan,
        scenario=scenario,
        plan_sha256=hashlib.sha256(directory.plan_path.read_bytes()).hexdigest(),
        verdict=without_folders_in(verdict),
        stored=stored is not None,
        differences=() if stored is None else tuple(find_differences(stored, verdict)),
        events=tuple(events),
        facts=facts,
        chronicle=write_chronicle(events),
        ledgers=ledgers,
        origin_ns=_find_origin(facts, ledgers, events),
        runbook=read_recovery(directory.path, scenario, None, facts.command).runbook,
        notices=_read_notices(directory, measured.system),
    )


def _read_notices(directory: DrillDirectory, system: SystemRecord | None) -> tuple[tuple[int, str], ...]:
    if system is None or system.notices is None:
        return ()
    told = system.notices.told
    texts = read_versions(directory.evidence, [one.file for one in told])
    return tuple((one.at_ns, without_folders(text)) for one, text in zip(told, texts, strict=True))


def _find_origin(facts: Facts, ledgers: Sequence[ClientLedger], events: Sequence[Event]) -> int:
    if facts.fault is not None:
        return facts.fault.before_ns
    first = [int(ledger.attempts["at_ns"].min()) for ledger in ledgers if len(ledger.attempts)]
    return min(first, default=events[0].at_ns if events else 0)
