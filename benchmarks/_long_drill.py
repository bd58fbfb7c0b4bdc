"""The directory of a drill with millions of writes, made up; and what is wrong in it, known to the row.

Eight clients of the prober and nine of the load write at a steady rate. In the middle the primary fails; four
seconds later its standby serves. Answers overtake each other, and the rows of the store are, as in a table
that many sessions write to, not quite in the order of their positions.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from drdrill.core.clock import NANOSECONDS
from drdrill.measure.survivors import HEADER, ROW_DTYPE, TRAILER
from drdrill.record.directory import DrillDirectory, write_json
from drdrill.record.journal import Journal
from drdrill.record.ledger import (
    ATTEMPTS_DTYPE,
    OUTCOMES_DTYPE,
    Client,
    ClientKind,
    LedgerWriter,
    Outcome,
    make_id,
    outcome_code,
)

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

COHORTS = 8
CLIENTS = 17
_CONTROL = CLIENTS + 1
_BEGIN = 1000 * NANOSECONDS
_PERIOD_NS = 4_000_000
_OUTAGE_NS = 4 * NANOSECONDS
_CUT_NS = 100_000_000  # what the old primary acknowledged that long before it failed never left it
_OLD, _NEW = 0x0A000001, 0x0A000002
_BLOCK_ROWS = 1 << 18

_PLAN = """\
version: 1
title: A long drill
source: a benchmark
currency: ETB
regions:
  primary: {name: eu-west-1, zones: [eu-west-1a, eu-west-1b]}
  recovery: {name: eu-central-1, zones: [eu-central-1a, eu-central-1b]}
tiers:
  critical: {rto: {within: 1 h, clock: outage}}
data_classes:
  money: {rpo: 5 min}
services:
  orders: {tier: critical, stores: [orders-database]}
stores:
  orders-database: {kind: postgresql, data_class: money, resource: orders, standby: none}
roles:
  commander: {responsibility: declares the disaster}
availability: {window: 1 s, minimum_samples: 20, success_ratio: 0.99, latency_p99: 500 ms, stability: 5 s}
projection:
  percentile: 95
  durations:
    failover: {distribution: constant, typical: 60 s, source: a benchmark}
scenarios:
  power_loss:
    class: database
    service: orders
    store: orders-database
    impact: {service: orders, down_at_least: 500 ms}
    critical_path: [failover]
safety: {environments: [embedded], targets: [orders-database]}
"""


@dataclass(frozen=True, slots=True)
class Planted:
    """What an audit has to find, in rows, and the RPA."""

    lost: int
    lost_amount: int
    recovered_unknown: int
    duplicated: int
    phantom: int
    contradicted: int
    altered: int
    reordered: int
    rpa_ns: int
    holes: int


class _Clock:
    """Tells the time that an event is given."""

    def __init__(self) -> None:
        self.at_ns = _BEGIN

    def now_ns(self) -> int:
        return self.at_ns

    def utc(self) -> datetime:
        return datetime(2026, 11, 1, tzinfo=UTC)

    def sleep(self, seconds: float) -> None:
        raise NotImplementedError(seconds)  # the journal only asks for the time


def make_drill(path: Path, rows: int) -> Planted:
    """Write the directory of a drill whose users attempted that many writes; return what is wrong in it."""
    directory = DrillDirectory(path)
    directory.create()
    each = rows // CLIENTS
    fault_ns = _BEGIN + _PERIOD_NS * (each // 2)
    end_ns = _BEGIN + _PERIOD_NS * each + NANOSECONDS
    directory.plan_path.write_text(_PLAN, encoding="utf-8")
    write_json(
        directory.about_path,
        {"scenario": "power_loss", "class": "database", "environment": "embedded", "seed": 7, "boot_id": "b"},
    )
    generator = np.random.default_rng(7)
    clients = [
        _Writes.draw(number, each + (rows % CLIENTS if number == 1 else 0), fault_ns, generator)
        for number in range(1, CLIENTS + 1)
    ]
    planted = _spoil(clients)
    for one in clients:
        one.store(directory.ledger)
    _store_control(directory.ledger, end_ns)
    digest = _store_survivors(directory.evidence / "survivors-1.pgcopy", clients, generator)
    (directory.evidence / "survivors-2.pgcopy").hardlink_to(directory.evidence / "survivors-1.pgcopy")
    _store_replication(directory.evidence / "replication-orders.jsonl", fault_ns)
    _store_journal(directory.journal_path, fault_ns, end_ns, digest)
    return planted


@dataclass(slots=True, eq=False)
class _Writes:
    """One client's requests as columns, and the rows that the store has of them."""

    client: Client
    amount: NDArray[np.int64]
    sent_ns: NDArray[np.int64]
    answered_ns: NDArray[np.int64]
    outcome: NDArray[np.uint64]
    server: NDArray[np.uint64]
    committed_ns: NDArray[np.int64]  # orders the rows
    copies: NDArray[np.int64]
    stored_amount: NDArray[np.int64]

    @classmethod
    def draw(cls, number: int, count: int, fault_ns: int, generator: np.random.Generator) -> _Writes:
        """Draw the requests of a client: served, except in the outage; a third of what was unknown got through."""
        start_ns = _BEGIN + _PERIOD_NS * (number - 1) // CLIENTS
        client = Client(
            name=f"prober-{number - 1}" if number <= COHORTS else f"load-{number - COHORTS - 1}",
            number=number,
            kind=ClientKind.PROBER if number <= COHORTS else ClientKind.LOAD,
            cohort=number - 1,
            start_ns=start_ns,
            period_ns=_PERIOD_NS,
            timeout_seconds=1.0,
            honours_ttl=number < CLIENTS,
        )
        sent = start_ns + np.arange(count) * _PERIOD_NS + generator.exponential(5e4, count).astype(np.int64)
        answered = sent + 2_000_000 + generator.exponential(4e6, count).astype(np.int64)
        old, new = answered < fault_ns, sent >= fault_ns + _OUTAGE_NS
        served = old | new
        amount = generator.integers(100, 500_000, count)
        got_through = ~served & (np.arange(count) % 3 == 0)
        there = (old & (answered < fault_ns - _CUT_NS)) | new | got_through
        return cls(
            client=client,
            amount=amount,
            sent_ns=sent,
            answered_ns=np.where(served, answered, sent + NANOSECONDS),
            outcome=np.where(served, Outcome.ACKNOWLEDGED, Outcome.UNKNOWN).astype(np.uint64),
            server=np.where(old, _OLD, np.where(new, _NEW, 0)).astype(np.uint64),
            committed_ns=np.where(served, answered, sent + 1_000_000),
            copies=there.astype(np.int64),
            stored_amount=amount.copy(),
        )

    @property
    def lost(self) -> NDArray[np.bool_]:
        """Tell of each request whether it is acknowledged and not there."""
        lost: NDArray[np.bool_] = (self.outcome == Outcome.ACKNOWLEDGED) & (self.copies == 0)
        return lost

    def store(self, directory: Path) -> None:
        """Write the client's ledger, outcomes in the order in which they became known."""
        LedgerWriter(directory, self.client).close()
        ids = make_id(self.client.number, 0) + np.arange(len(self.amount))
        attempts = np.empty(len(ids), ATTEMPTS_DTYPE)
        attempts["id"], attempts["amount"], attempts["at_ns"] = ids, self.amount, self.sent_ns
        outcomes = np.empty(len(ids), OUTCOMES_DTYPE)
        order = np.argsort(self.answered_ns)
        outcomes["id"], outcomes["at_ns"] = ids[order], self.answered_ns[order]
        outcomes["code"] = (self.server << np.uint64(32) | self.outcome)[order]
        attempts.tofile(directory / f"{self.client.name}.attempts")
        outcomes.tofile(directory / f"{self.client.name}.outcomes")


def _spoil(clients: list[_Writes]) -> Planted:
    """Spoil a few rows of the last client near the end, and say what is wrong altogether."""
    rows = clients[-1]
    last = len(rows.amount) - 1
    rows.outcome[last - 5 : last], rows.server[last - 5 : last] = Outcome.REJECTED, 0
    rows.stored_amount[last - 10 : last - 7] += 1
    rows.copies[last - 14 : last - 12] = 2
    rows.committed_ns[last - 20] = 0
    lost_ns = np.concatenate([one.answered_ns[one.lost] for one in clients])
    unknown = [(one.outcome == Outcome.UNKNOWN) & (one.copies > 0) for one in clients]
    return Planted(
        lost=len(lost_ns),
        lost_amount=sum(int(one.amount[one.lost].sum()) for one in clients),
        recovered_unknown=sum(int(np.count_nonzero(one)) for one in unknown),
        duplicated=2,
        phantom=2,
        contradicted=5,
        altered=3,
        reordered=1,
        holes=0,
        rpa_ns=int(lost_ns.max() - lost_ns.min()),
    )


def _store_control(directory: Path, end_ns: int) -> None:
    """Write the ledger of the client that asks a black hole ten times a second."""
    period_ns = NANOSECONDS // 10
    client = Client(
        "control-0", _CONTROL, ClientKind.CONTROL, 0, _BEGIN, period_ns, timeout_seconds=1.0, honours_ttl=True
    )
    writer = LedgerWriter(directory, client)
    for number in range((end_ns - _BEGIN) // period_ns):
        at_ns = _BEGIN + number * period_ns
        writer.attempt(make_id(_CONTROL, number), 1, at_ns)
        writer.outcome(make_id(_CONTROL, number), at_ns + NANOSECONDS, outcome_code(Outcome.UNKNOWN))
    writer.close()


def _store_survivors(path: Path, clients: list[_Writes], generator: np.random.Generator) -> str:
    """Write the rows as PostgreSQL would, and two phantoms; return the file's hash."""
    ids = np.concatenate(
        [np.repeat(make_id(one.client.number, 0) + np.arange(len(one.copies)), one.copies) for one in clients]
        + [np.array([make_id(1, len(clients[0].copies) + 9), make_id(99, 3)])]
    )
    amounts = np.concatenate([np.repeat(one.stored_amount, one.copies) for one in clients] + [[1, 1]])
    committed_ns = np.concatenate([np.repeat(one.committed_ns, one.copies) for one in clients] + [[1, 2]])
    order = np.argsort(committed_ns, kind="stable")
    position = np.arange(len(order))
    # A session takes its position before its row's place in the table is known.
    shuffled = np.argsort(position + generator.normal(0, 2, len(order)), kind="stable")
    order, position = order[shuffled], position[shuffled]
    digest = hashlib.sha256()
    with path.open("wb") as stream:
        for begin in range(0, len(order), _BLOCK_ROWS):
            chosen = order[begin : begin + _BLOCK_ROWS]
            block = np.zeros(len(chosen), ROW_DTYPE)
            block["fields"] = 3
            block["id_length"] = block["amount_length"] = block["position_length"] = 8
            block["id"], block["amount"] = ids[chosen], amounts[chosen]
            block["position"] = position[begin : begin + _BLOCK_ROWS]
            content = (b"" if begin else HEADER) + block.tobytes()
            digest.update(content)
            stream.write(content)
        stream.write(TRAILER)
    digest.update(TRAILER)
    return digest.hexdigest()


def _store_replication(path: Path, fault_ns: int) -> None:
    """Write samples of a standby that follows a tenth of a second behind."""
    step_ns = NANOSECONDS // 100
    lines = [
        json.dumps(
            {
                "at_ns": at_ns,
                "primary": "db-1",
                "lsn": at_ns // 1000,
                "standbys": [{"host": "db-2", "sync_state": "async", "flush_lsn": (at_ns - _CUT_NS) // 1000}],
                "error": None,
            }
        )
        for at_ns in range(fault_ns - 10 * NANOSECONDS, fault_ns, step_ns)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _store_journal(path: Path, fault_ns: int, end_ns: int, digest: str) -> None:
    member = {"host": "db-1", "zone": "a", "address": "10.0.0.1", "role": "primary", "sync_state": ""}
    power_loss = {"kind": "host_power_loss", "resource": "db-1"}
    observed_ns = fault_ns - NANOSECONDS
    names = ["prober", *(f"load-{number}" for number in range(CLIENTS - COHORTS)), "control-0"]
    started = {"scenario": "power_loss", "service": "orders", "store": "orders-database", "boot_id": "b"}
    steady = {"holds": True, "reason": "", "from_ns": _BEGIN, "until_ns": observed_ns}
    store = {"moment": "before_fault", "resource": "orders", "status": "available", "protected": True}
    seen = {"effective": True, "observer": "reach", "reading": {}}
    clock = _Clock()
    journal = Journal(path, actor="benchmark", clock=clock)
    events: list[tuple[int, str, dict[str, Any]]] = [
        (_BEGIN, "drill.started", started),
        (_BEGIN, "load.started", {"clients": names, "start_ns": _BEGIN}),
        (observed_ns, "steady_state.observed", steady),
        (observed_ns, "store.observed", {**store, "members": [member]}),
        (
            fault_ns,
            "fault.injected",
            {**power_loss, "before_ns": fault_ns, "after_ns": fault_ns, "details": {}},
        ),
        (fault_ns, "fault.observed", {**power_loss, **seen}),
        (fault_ns + _OUTAGE_NS, "failover.observed", {"resource": "orders", "promotions": 1, "events": []}),
        (end_ns, "load.stopped", {"statuses": {"prober": 0}, "at_ns": end_ns}),
    ]
    for number in (1, 2):
        evidence = {"number": number, "evidence": f"evidence/survivors-{number}.pgcopy", "sha256": digest}
        at_ns = end_ns + number
        events.append((at_ns, "survivors.read", {**evidence, "at_ns": at_ns, "source": "sql"}))
    for at_ns, kind, data in events:
        clock.at_ns = at_ns
        journal.append(kind, **data)
