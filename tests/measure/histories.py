"""Ledgers and survivors in memory: small histories, written as people say them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from drdrill.measure.survivors import Survivors
from drdrill.record.ledger import (
    ATTEMPTS_DTYPE,
    OUTCOMES_DTYPE,
    Client,
    ClientKind,
    ClientLedger,
    Outcome,
    make_id,
    outcome_code,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of a request: when it left, and what came of it (None: nothing was ever heard)."""

    number: int
    sent_ns: int
    outcome: Outcome | None = Outcome.ACKNOWLEDGED
    answered_ns: int = 0
    server: int = 1
    amount: int = 100


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the store."""

    id: int
    amount: int = 100
    position: int = 0


def make_client(number: int, *, kind: ClientKind = ClientKind.LOAD, period_ns: int = 10) -> Client:
    """Return a client whose schedule starts at zero."""
    return Client(f"client-{number}", number, kind, 0, 0, period_ns, 1.0, honours_ttl=True)


def make_ledger(client: Client, attempts: Sequence[Attempt]) -> ClientLedger:
    """Return the ledger of these attempts; outcomes are written in the order in which they became known."""
    sent = [(make_id(client.number, one.number), one.amount, one.sent_ns) for one in attempts]
    known = [
        (make_id(client.number, one.number), one.answered_ns, outcome_code(one.outcome, one.server))
        for one in sorted(attempts, key=lambda one: one.answered_ns)
        if one.outcome is not None
    ]
    return ClientLedger(client, np.array(sent, ATTEMPTS_DTYPE), np.array(known, OUTCOMES_DTYPE))


def make_survivors(rows: Iterable[Row]) -> Survivors:
    """Return survivors with these rows."""
    listed = list(rows)
    return Survivors(
        np.array([row.id for row in listed], np.uint64),
        np.array([row.amount for row in listed], np.int64),
        np.array([row.position for row in listed], np.int64),
    )
