"""What one client knows of its writes in the end, one element a request, indexed by the request's number.

A ledger is what happened in the order in which it was written; here it is resolved: a retry's acknowledgement
settles the first attempt, an attempt that nobody definitely refused stays unknown. A client's numbers are
dense (an open loop leaves none out), so that arrays indexed by them replace sorting.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from drdrill.core.errors import DamagedRecordError
from drdrill.record.ledger import Outcome, make_id, outcomes_of, servers_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from drdrill.record.ledger import Client, ClientLedger

NEVER = np.iinfo(np.int64).max  # the time of what did not happen
_SPARSE = 1 << 20  # numbers beyond this are believed only if the ledger has that many records
_REFUSALS = (Outcome.REJECTED, Outcome.NOT_SENT)


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """The resolved ledger of one client. All arrays have one element a request; times are boot-time ns.

    `attempted_ns` is the first attempt's, `acknowledged_ns` the first acknowledgement's, `NEVER` where there was
    none.
    """

    client: Client
    attempts: NDArray[np.integer]  # how often; 0: never
    amount: NDArray[np.int64]
    attempted_ns: NDArray[np.int64]
    acknowledged: NDArray[np.bool_]
    acknowledged_ns: NDArray[np.int64]
    last_acknowledged_ns: NDArray[np.int64]
    unknown: NDArray[np.bool_]
    _answered: NDArray[np.int64]  # the outcomes as they stand in the ledger: whose, and the codes
    _codes: NDArray[np.uint64]

    def servers(self, chosen: NDArray[np.bool_]) -> NDArray[np.uint32]:
        """Return who acknowledged the requests chosen by a mask, 0 where nobody did."""
        yes = chosen[self._answered] & (outcomes_of(self._codes) == Outcome.ACKNOWLEDGED)
        server = np.zeros(len(self.attempts), np.uint32)
        server[self._answered[yes][::-1]] = servers_of(self._codes[yes])[::-1]
        return server[chosen]

    @property
    def refused(self) -> NDArray[np.bool_]:
        """Tell of each request whether every attempt was definitely refused or never left."""
        refused: NDArray[np.bool_] = (self.attempts > 0) & ~self.acknowledged & ~self.unknown
        return refused

    def ids(self, chosen: NDArray[np.bool_]) -> NDArray[np.uint64]:
        """Return the ids of the requests chosen by a mask."""
        return np.flatnonzero(chosen).astype(np.uint64) | np.uint64(make_id(self.client.number, 0))


@dataclass(frozen=True, slots=True, eq=False)
class Acknowledgements:
    """What one client was told by one server, in the order of time; a retried request may be there twice.

    `attempted_ns`: when the acknowledged request was attempted first.
    """

    server: int
    acknowledged_ns: NDArray[np.int64]
    attempted_ns: NDArray[np.int64]


def read_acknowledgements(ledger: ClientLedger) -> Iterator[Acknowledgements]:
    """Yield a client's acknowledgements server by server; those without a server's address are left out.

    Raises what `resolve` raises.
    """
    attempts, _, first_ns = _read_attempts(ledger)
    outcomes, answered = ledger.outcomes, _read_answered(ledger, attempts)
    codes = np.array(distinct(outcomes["code"]), np.uint64)
    said_yes = codes[outcomes_of(codes) == Outcome.ACKNOWLEDGED]
    for code, server in zip(said_yes, servers_of(said_yes).tolist(), strict=True):
        if not server:
            continue
        chosen = outcomes["code"] == code
        times_ns = outcomes["at_ns"][chosen].view(np.int64)
        attempted_ns = first_ns[answered[chosen]]
        if (times_ns[1:] < times_ns[:-1]).any():
            order = np.argsort(times_ns, kind="stable")
            times_ns, attempted_ns = times_ns[order], attempted_ns[order]
        yield Acknowledgements(server, times_ns, attempted_ns)


def distinct(values: NDArray[np.unsignedinteger]) -> tuple[int, ...]:
    """Return the distinct values in order; they are few, so peeling them off is faster than sorting."""
    found = []
    while len(values):
        found.append(int(values[0]))
        values = values[values != values[0]]
    return tuple(sorted(found))


def resolve(ledger: ClientLedger) -> History:
    """Resolve a ledger; raises `DamagedRecordError` for another client's ids and unattempted outcomes.

    An open loop attempts each request once and in order: then the columns of the file are the answer, and are
    shown as they are instead of being copied.
    """
    return _resolve_outcomes(ledger, *_read_attempts(ledger))


def _read_attempts(
    ledger: ClientLedger,
) -> tuple[NDArray[np.integer], NDArray[np.int64], NDArray[np.int64]]:
    """Return how often each request was attempted, the last attempt's amount and the first one's time."""
    records = ledger.attempts
    if _is_gapless(records["id"], make_id(ledger.client.number, 0)):
        return np.ones(len(records), np.int8), records["amount"], records["at_ns"].view(np.int64)
    return _resolve_attempts(ledger, records)


def _is_gapless(ids: NDArray[np.uint64], first: int) -> bool:
    """Tell whether these are the ids from `first` on, each once and in order."""
    # Whole numbers that rise from `first` to `first + n - 1` in n steps cannot leave one out.
    return (
        len(ids) > 0
        and int(ids[0]) == first
        and int(ids[-1]) == first + len(ids) - 1
        and bool((ids[1:] > ids[:-1]).all())
    )


def _resolve_attempts(
    ledger: ClientLedger, records: NDArray[np.void]
) -> tuple[NDArray[np.integer], NDArray[np.int64], NDArray[np.int64]]:
    slots = _slots(ledger, records["id"])
    size = int(slots.max()) + 1 if len(slots) else 0
    amount = np.zeros(size, np.int64)
    amount[slots] = records["amount"]
    attempted_ns = np.full(size, NEVER, np.int64)
    # Of values for one index numpy keeps the last: written backwards, the first attempt stays.
    attempted_ns[slots[::-1]] = records["at_ns"][::-1]
    return np.bincount(slots, minlength=size), amount, attempted_ns


def _resolve_outcomes(
    ledger: ClientLedger,
    attempts: NDArray[np.integer],
    amount: NDArray[np.int64],
    attempted_ns: NDArray[np.int64],
) -> History:
    outcomes, size = ledger.outcomes, len(attempts)
    answered = _read_answered(ledger, attempts)
    kinds, at_ns = outcomes_of(outcomes["code"]), outcomes["at_ns"].view(np.int64)
    last_kind = np.zeros(size, np.uint8)
    last_kind[answered] = kinds
    if np.count_nonzero(last_kind) == len(answered):  # the rule: no request was answered twice
        acknowledged = last_kind == Outcome.ACKNOWLEDGED
        refusals: NDArray[np.integer] = np.isin(last_kind, _REFUSALS).view(np.int8)
        first_ns = np.full(size, NEVER, np.int64)
        first_ns[answered] = at_ns
        first_ns[~acknowledged] = NEVER
        last_ns = first_ns
    else:
        said_yes = kinds == Outcome.ACKNOWLEDGED
        yes, yes_ns = answered[said_yes], at_ns[said_yes]
        first_ns, last_ns = np.full(size, NEVER, np.int64), np.full(size, NEVER, np.int64)
        first_ns[yes[::-1]] = yes_ns[::-1]
        last_ns[yes] = yes_ns
        acknowledged = np.zeros(size, np.bool_)
        acknowledged[yes] = True
        refusals = np.bincount(answered[np.isin(kinds, _REFUSALS)], minlength=size)
    unknown = ~acknowledged & (refusals < attempts)
    return History(
        ledger.client,
        attempts,
        amount,
        attempted_ns,
        acknowledged,
        first_ns,
        last_ns,
        unknown,
        answered,
        outcomes["code"],
    )


def _read_answered(ledger: ClientLedger, attempts: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the number of each outcome's request, having made sure that it was attempted."""
    answered = _slots(ledger, ledger.outcomes["id"])
    size = len(attempts)
    if len(answered) and (int(answered.max()) >= size or not (attempts.all() or attempts[answered].all())):
        raise DamagedRecordError(
            f"The ledger of {ledger.client.name} has an outcome that was never attempted."
        )
    return answered


def _slots(ledger: ClientLedger, ids: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return the requests' numbers, having made sure that they are this client's and not absurd."""
    client = ledger.client
    # An id below the client's first one wraps around to a number beyond every limit.
    slots = ids - np.uint64(make_id(client.number, 0))
    highest = int(slots.max()) if len(slots) else 0
    if highest >= make_id(1, 0):
        raise DamagedRecordError(f"The ledger of {client.name} holds an id of another client.")
    if len(slots) and highest >= max(_SPARSE, 4 * len(slots)):
        raise DamagedRecordError(
            f"The ledger of {client.name} holds an id far beyond its number of requests."
        )
    return slots.view(np.int64)
