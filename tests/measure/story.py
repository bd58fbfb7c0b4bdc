"""A drill's directory made by hand: a healthy drill, of which a test changes what it is about."""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from drdrill.core.clock import NANOSECONDS
from drdrill.measure import Measurement, measure
from drdrill.measure.survivors import HEADER, TRAILER
from drdrill.record.directory import DrillDirectory, write_json
from drdrill.record.journal import Journal
from drdrill.record.ledger import Client, ClientKind, LedgerWriter, Outcome, make_id, outcome_code
from tests.faults.fakes import ManualClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from drdrill.core.verdict import Verdict

SECOND = NANOSECONDS
MS = SECOND // 1000
BEGIN = 1000 * SECOND
FAULT = BEGIN + 10 * SECOND
RECOVERED = FAULT + 4 * SECOND
END = RECOVERED + 10 * SECOND
OLD = 0x0A000001  # 10.0.0.1
NEW = 0x0A000002  # 10.0.0.2

PLAN = """\
version: 1
title: A plan
source: a test
currency: ETB
regions:
  primary: {name: eu-west-1, zones: [eu-west-1a, eu-west-1b]}
  recovery: {name: eu-central-1, zones: [eu-central-1a, eu-central-1b]}
tiers:
  critical: {rto: {within: RTO, clock: CLOCK}}
data_classes:
  money: {rpo: RPO}
services:
  orders: {tier: critical, stores: [orders-database]}
stores:
  orders-database: {kind: postgresql, data_class: money, resource: orders, standby: STANDBY}
roles:
  commander: {responsibility: declares the disaster}
availability: {window: 1 s, minimum_samples: 20, success_ratio: 0.99, latency_p99: 500 ms, stability: 5 s}
projection:
  percentile: 95
  durations:
    failover: {distribution: uniform, minimum: 60 s, maximum: LONGEST, source: a book}
    name_cache: {distribution: constant, typical: 5 s, source: a book}
    reconnection: {distribution: triangular, minimum: 1 s, typical: 5 s, maximum: 30 s, source: a guess}
    PROTECTION: {distribution: constant, typical: 15 min, source: a guess}
scenarios:
  power_loss:
    class: database
    service: orders
    store: orders-database
    impact: IMPACT
    critical_path: [failover, name_cache, reconnection]
    re_protection: 1 h
safety: {environments: [embedded], targets: [orders-database]}
"""


@dataclass
class Write:
    """One request: when it was sent and answered, how, by whom, and what is in the store of it."""

    id: int
    amount: int
    sent_ns: int
    outcome: Outcome | None
    answered_ns: int
    server: int
    rows: int
    stored_amount: int
    position: int


@dataclass
class Story:
    """A drill as it goes well: the primary fails at FAULT, users are served again from RECOVERED on.

    `writes` has the requests of each client; `events` the journal, `strays` rows (id, amount, position)
    that nobody wrote; change them before `measure`.
    """

    path: Path
    plan: dict[str, str] = field(default_factory=dict)
    clients: dict[str, Client] = field(default_factory=dict)
    writes: dict[str, list[Write]] = field(default_factory=dict)
    events: list[tuple[int, str, dict[str, Any]]] = field(default_factory=list)
    about: dict[str, Any] = field(default_factory=dict)
    samples: list[dict[str, Any]] = field(default_factory=list)
    strays: list[tuple[int, int, int]] = field(default_factory=list)
    between_readings: Callable[[list[Write]], None] = lambda _writes: None

    def served_by(self, at_ns: int) -> int | None:
        """Return who answers a request at a moment, None during the outage."""
        if at_ns < FAULT:
            return OLD
        return NEW if at_ns >= RECOVERED else None

    def add_client(self, client: Client, *, until_ns: int = END) -> None:
        """Let a client write through the whole drill."""
        self.clients[client.name] = client
        writes = self.writes[client.name] = []
        for number in range((until_ns - client.start_ns) // client.period_ns):
            at_ns = client.start_ns + number * client.period_ns
            server = None if client.kind is ClientKind.CONTROL else self.served_by(at_ns)
            answered_ns = at_ns + 5 * MS if server else at_ns + round(client.timeout_seconds * SECOND)
            writes.append(
                Write(
                    id=make_id(client.number, number),
                    amount=100 + number,
                    sent_ns=at_ns,
                    outcome=Outcome.ACKNOWLEDGED if server else Outcome.UNKNOWN,
                    answered_ns=answered_ns,
                    server=server or 0,
                    rows=1 if server else 0,
                    stored_amount=100 + number,
                    position=at_ns,
                )
            )

    def data_of(self, kind: str) -> dict[str, Any]:
        """Return the data of the first event of a kind, to be changed."""
        return next(data for _, one, data in self.events if one == kind)

    def drop(self, *kinds: str) -> None:
        """Forget all events of these kinds."""
        self.events = [event for event in self.events if event[1] not in kinds]

    def last_served(self, name: str, server: int, count: int) -> list[Write]:
        """Return the last writes of a client that a server acknowledged."""
        acknowledged = [write for write in self.writes[name] if write.server == server]
        return acknowledged[-count:]

    def make_asynchronous(self, lag_ns: int) -> None:
        """Let the standby follow asynchronously, that far behind."""
        for sample in self.samples:
            for standby in sample["standbys"]:
                standby.update(sync_state="async", flush_lsn=sample["lsn"] - lag_ns // MS)

    def never_recover(self) -> None:
        """Let nobody answer after the fault."""
        for writes in self.writes.values():
            for write in writes:
                if write.server == NEW:
                    write.outcome, write.rows, write.answered_ns = Outcome.UNKNOWN, 0, write.sent_ns + SECOND

    def store(self) -> DrillDirectory:
        """Write the directory."""
        directory = DrillDirectory(self.path / "drill")
        directory.create()
        text = PLAN
        for word, value in self.plan.items():
            text = text.replace(word, value)
        directory.plan_path.write_text(text, encoding="utf-8")
        write_json(directory.about_path, self.about)
        for name, client in self.clients.items():
            _store_ledger(directory.ledger, client, self.writes[name])
        lines = "".join(json.dumps(sample) + "\n" for sample in self.samples)
        (directory.evidence / "replication-orders.jsonl").write_text(lines, encoding="utf-8")
        writes = [write for written in self.writes.values() for write in written]
        self._store_survivors(directory, 1, writes)
        self.between_readings(writes)
        self._store_survivors(directory, 2, writes)
        clock = ManualClock()
        journal = Journal(directory.journal_path, actor="test", clock=clock)
        for at_ns, kind, data in self.events:
            clock.ns = at_ns
            journal.append(kind, **data)
        return directory

    def measure(self) -> Measurement:
        """Write the directory and measure it."""
        return measure(self.store())

    def measure_again(self) -> Measurement:
        """Write the directory to another place, and measure it."""
        self.path = self.path / "again"
        return self.measure()

    def _store_survivors(self, directory: DrillDirectory, number: int, writes: Iterable[Write]) -> None:
        rows = [
            (write.id, write.stored_amount, write.position) for write in writes for _ in range(write.rows)
        ] + self.strays
        content = encode_survivors(rows)
        path = directory.evidence / f"survivors-{number}.copy"
        path.write_bytes(content)
        for _, kind, data in self.events:
            if kind == "survivors.read" and data["number"] == number and "sha256" not in data:
                data["sha256"] = hashlib.sha256(content).hexdigest()


def codes(measurement: Measurement, verdict: Verdict | None = None) -> set[str]:
    """Return the codes of the reasons, of one verdict or of all."""
    return {reason.code for reason in measurement.reasons if verdict in {None, reason.verdict}}


def findings(measurement: Measurement) -> set[str]:
    """Return the codes of the findings."""
    return {finding.code for finding in measurement.findings}


def encode_survivors(rows: Iterable[tuple[int, int, int]]) -> bytes:
    """Return rows in PostgreSQL's binary COPY format."""
    body = b"".join(
        struct.pack(">hiqiqiq", 3, 8, one, 8, amount, 8, position) for one, amount, position in rows
    )
    return HEADER + body + TRAILER


def _store_ledger(directory: Path, client: Client, writes: list[Write]) -> None:
    writer = LedgerWriter(directory, client)
    answers = []
    for write in writes:
        writer.attempt(write.id, write.amount, write.sent_ns)
        if write.outcome is not None:
            answers.append((write.answered_ns, write.id, outcome_code(write.outcome, write.server)))
    for at_ns, identifier, code in sorted(answers):
        writer.outcome(identifier, at_ns, code)
    writer.close()


def make_client(name: str, number: int, kind: ClientKind, period_ns: int, cohort: int = 0) -> Client:
    """Return a client that starts with the drill."""
    return Client(name, number, kind, cohort, BEGIN + cohort * 5 * MS, period_ns, 1.0, honours_ttl=True)


def make_story(path: Path) -> Story:
    """Return a drill that is MET; nothing is written before `measure` or `store`."""
    story = Story(path)
    story.plan = {
        "RTO": "1 h",
        "CLOCK": "outage",
        "RPO": "5 min",
        "STANDBY": "synchronous",
        "LONGEST": "120 s",
        "PROTECTION": "re_protection",
        "IMPACT": "{service: orders, down_at_least: 500 ms}",
    }
    story.about = {
        "scenario": "power_loss",
        "class": "database",
        "environment": "embedded",
        "seed": 7,
        "boot_id": "boot",
    }
    for cohort in range(2):
        name = f"prober-{cohort}"
        story.add_client(make_client(name, cohort + 1, ClientKind.PROBER, 40 * MS, cohort))
    story.add_client(make_client("load-0", 3, ClientKind.LOAD, 20 * MS))
    story.add_client(replace(make_client("load-sticky-0", 4, ClientKind.LOAD, 20 * MS), honours_ttl=False))
    story.add_client(make_client("control-0", 5, ClientKind.CONTROL, 100 * MS))
    story.events = _events()
    story.samples = [
        *(_sample(at_ns, "db-1", "db-2") for at_ns in range(BEGIN, FAULT, 100 * MS)),
        *(
            _sample(at_ns, "db-2", "db-3" if at_ns >= RECOVERED + 2 * SECOND else None)
            for at_ns in range(RECOVERED, END, 100 * MS)
        ),
    ]
    return story


def _sample(at_ns: int, primary: str, standby: str | None) -> dict[str, Any]:
    standbys = [{"host": standby, "sync_state": "sync", "flush_lsn": at_ns // MS}] if standby else []
    return {"at_ns": at_ns, "primary": primary, "lsn": at_ns // MS, "standbys": standbys, "error": None}


def _member(number: int, zone: str, role: str) -> dict[str, str]:
    return {"host": f"db-{number}", "zone": zone, "address": f"10.0.0.{number}", "role": role}


def _events() -> list[tuple[int, str, dict[str, Any]]]:
    store = {"resource": "orders", "status": "available", "protected": True}
    before = [_member(1, "eu-west-1a", "primary"), _member(2, "eu-west-1b", "standby")]
    after = [_member(2, "eu-west-1b", "primary"), _member(3, "eu-west-1a", "standby")]
    announced = [
        {"at_ns": FAULT + 1 * SECOND, "code": "RDS-EVENT-0050", "message": "failover started"},
        {"at_ns": FAULT + 3 * SECOND, "code": "RDS-EVENT-0049", "message": "failover completed"},
    ]
    return [
        (
            BEGIN - SECOND,
            "drill.started",
            {"scenario": "power_loss", "service": "orders", "store": "orders-database", "boot_id": "boot"},
        ),
        (
            BEGIN,
            "load.started",
            {"clients": ["prober", "load-0", "load-sticky-0", "control-0"], "start_ns": BEGIN},
        ),
        (
            FAULT - 2 * SECOND,
            "steady_state.observed",
            {"holds": True, "reason": "", "from_ns": BEGIN, "until_ns": FAULT - 2 * SECOND},
        ),
        (
            FAULT - SECOND,
            "store.observed",
            {**store, "moment": "before_fault", "members": before},
        ),
        (
            FAULT - MS,
            "fault.injecting",
            {"kind": "host_power_loss", "store": "orders-database", "role": "primary"},
        ),
        (
            FAULT + 10 * MS,
            "fault.injected",
            {
                "kind": "host_power_loss",
                "resource": "db-1",
                "before_ns": FAULT,
                "after_ns": FAULT + 10 * MS,
                "details": {},
            },
        ),
        (
            FAULT + 500 * MS,
            "fault.observed",
            {
                "kind": "host_power_loss",
                "resource": "db-1",
                "effective": True,
                "observer": "reach",
                "reading": {},
            },
        ),
        (RECOVERED, "failover.observed", {"resource": "orders", "promotions": 1, "events": announced}),
        (
            RECOVERED + 2 * SECOND,
            "store.protected",
            {"resource": "orders", "at_ns": RECOVERED + 2 * SECOND, "resolution_ns": 100 * MS},
        ),
        (RECOVERED + 3 * SECOND, "store.observed", {**store, "moment": "after_fault", "members": after}),
        (END, "load.stopped", {"statuses": {"prober": 0, "load-0": 0}, "at_ns": END}),
        (
            END + SECOND,
            "survivors.read",
            {"number": 1, "at_ns": END + SECOND, "evidence": "evidence/survivors-1.copy", "source": "sql"},
        ),
        (
            END + 2 * SECOND,
            "survivors.read",
            {
                "number": 2,
                "at_ns": END + 2 * SECOND,
                "evidence": "evidence/survivors-2.copy",
                "source": "sql",
            },
        ),
    ]
