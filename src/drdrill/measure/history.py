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
from drdrill.record.ledger import Outcome, make_id, outcomes_of, sequence_of, servers_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drdrill.record.ledger import Client, ClientLedger

NEVER = np.iinfo(np.int64).max  # the time of what did not happen
_SPARSE = 1 << 20  # numbers beyond this are believed only if the ledger has that many records


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """The resolved ledger of one client. All arrays have one element a request; times are boot-time ns.

    `attempted_ns` is the first attempt's, `acknowledged_ns` and `server` the first acknowledgement's.
    """

    client: Client
    attempts: NDArray[np.int64]  # how often; 0: never
    amount: NDArray[np.int64]
    attempted_ns: NDArray[np.int64]
    acknowledged: NDArray[np.bool_]
    acknowledged_ns: NDArray[np.int64]
    last_acknowledged_ns: NDArray[np.int64]
    server: NDArray[np.uint64]
    unknown: NDArray[np.bool_]

    @property
    def refused(self) -> NDArray[np.bool_]:
        """Tell of each request whether every attempt was definitely refused or never left."""
        refused: NDArray[np.bool_] = (self.attempts > 0) & ~self.acknowledged & ~self.unknown
        return refused

    def ids(self, chosen: NDArray[np.bool_]) -> NDArray[np.uint64]:
        """Return the ids of the requests chosen by a mask."""
        return np.flatnonzero(chosen).astype(np.uint64) | np.uint64(make_id(self.client.number, 0))


def resolve(ledger: ClientLedger) -> History:
    """Resolve a ledger; raises `DamagedRecordError` for another client's ids and unattempted outcomes."""
    slots = _slots(ledger, ledger.attempts["id"])
    size = int(slots.max()) + 1 if len(slots) else 0
    attempts = np.bincount(slots, minlength=size)
    answered = _slots(ledger, ledger.outcomes["id"])
    if len(answered) and (int(answered.max()) >= size or not attempts[answered].all()):
        raise DamagedRecordError(
            f"The ledger of {ledger.client.name} has an outcome that was never attempted."
        )
    amount = np.zeros(size, np.int64)
    amount[slots] = ledger.attempts["amount"]
    attempted_ns = np.full(size, NEVER, np.int64)
    # Of values for one index numpy keeps the last: written backwards, the first attempt stays.
    attempted_ns[slots[::-1]] = ledger.attempts["at_ns"][::-1]
    kinds = outcomes_of(ledger.outcomes["code"])
    said_yes = kinds == Outcome.ACKNOWLEDGED
    said_no = (kinds == Outcome.REJECTED) | (kinds == Outcome.NOT_SENT)
    yes, yes_ns = answered[said_yes], ledger.outcomes["at_ns"][said_yes]
    acknowledged = np.zeros(size, np.bool_)
    acknowledged[yes] = True
    first_ns = np.full(size, NEVER, np.int64)
    first_ns[yes[::-1]] = yes_ns[::-1]
    last_ns = np.full(size, NEVER, np.int64)
    last_ns[yes] = yes_ns
    server = np.zeros(size, np.uint64)
    server[yes[::-1]] = servers_of(ledger.outcomes["code"][said_yes])[::-1]
    refusals = np.bincount(answered[said_no], minlength=size)
    unknown = ~acknowledged & (refusals < attempts)
    return History(
        ledger.client, attempts, amount, attempted_ns, acknowledged, first_ns, last_ns, server, unknown
    )


def _slots(ledger: ClientLedger, ids: NDArray[np.uint64]) -> NDArray[np.int64]:
    slots = sequence_of(ids).astype(np.int64)
    client = ledger.client
    if len(ids) and (
        int(ids.min()) < make_id(client.number, 0) or int(ids.max()) >= make_id(client.number + 1, 0)
    ):
        raise DamagedRecordError(f"The ledger of {client.name} holds an id of another client.")
    if len(slots) and int(slots.max()) >= max(_SPARSE, 4 * len(slots)):
        raise DamagedRecordError(
            f"The ledger of {client.name} holds an id far beyond its number of requests."
        )
    return slots
