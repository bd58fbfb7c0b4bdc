"""Double entry: every posting moves an amount from one account to another, so a payment's entries sum to zero."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meqenet.database import Connection


class Posting(StrEnum):
    """Why money moves: a payment is accepted, then either settled or reversed."""

    ACCEPT = "accept"
    SETTLE = "settle"
    REVERSE = "reverse"


_MOVES = {
    Posting.ACCEPT: ("customer", "clearing"),
    Posting.SETTLE: ("clearing", "merchant"),
    Posting.REVERSE: ("clearing", "customer"),
}
_BOOK = """
    insert into ledger_entries (payment_id, posting, account, amount_minor)
    values (%(payment)s, %(posting)s, %(source)s, -%(amount)s::bigint),
           (%(payment)s, %(posting)s, %(target)s, %(amount)s::bigint)
"""


async def book(connection: Connection, payment: int, posting: Posting, amount_minor: int) -> None:
    """Book a posting of a payment; raises `UniqueViolation` when it is booked already."""
    source, target = _MOVES[posting]
    await connection.execute(
        _BOOK,
        {"payment": payment, "posting": posting, "source": source, "target": target, "amount": amount_minor},
    )
