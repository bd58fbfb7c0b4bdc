"""What a server says to a write, and what a client may believe: the rules between its word and the outcome.

Definite means that nothing else can come true later. Where that is in doubt the outcome is UNKNOWN: a wrong
*unknown* costs knowledge, a wrong *acknowledged* or *rejected* makes the measured loss wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from drdrill.record.ledger import Outcome

_FATAL = frozenset({"FATAL", "PANIC"})
# Connection exceptions, operator intervention, system errors, internal errors, and the SQLSTATE that says so
# itself: the server speaks of its own trouble and not of this statement.
_INDEFINITE_CLASSES = ("08", "57P", "58", "XX", "40003")
# About the statement and its data only: data exceptions, constraints, rolled back by concurrency.
_ABOUT_THE_WRITE = ("22", "23", "40")


class WireError(Exception):
    """The connection cannot be used (any more): refused, broken, or not speaking the protocol."""


class NotSentError(WireError):
    """The connection was closed before the write: it never left."""


class ServerError(Exception):
    """The server said no: its severity and SQLSTATE as it gave them, its IPv4 address as an integer."""

    def __init__(self, severity: str, sqlstate: str, message: str, server: int) -> None:
        super().__init__(f"{severity} {sqlstate}: {message}")
        self.server = server
        self.sqlstate = sqlstate
        self.fatal = severity in _FATAL


@dataclass(frozen=True, slots=True)
class Notice:
    """A remark of the server beside its answer; `file` and `routine` are its own source's, in no language."""

    severity: str
    message: str
    file: str
    routine: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The server finished the transaction: its address, its tag, its remarks, whether it is idle.

    `outcome` is what that means; worked out once, for an answer like the last one is not made anew.
    """

    server: int
    tag: str
    notices: tuple[Notice, ...]
    idle: bool
    outcome: Outcome = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "outcome", self._judge())

    def _judge(self) -> Outcome:
        if not self.idle or any(map(_is_local_only, self.notices)):
            return Outcome.UNKNOWN
        return Outcome.REJECTED if self.tag.endswith(" 0") else Outcome.ACKNOWLEDGED


def judge(said: Answer | Exception) -> Outcome:
    """Return the outcome of a write, from the answer or the error that came back after connecting."""
    if isinstance(said, Answer):
        return said.outcome
    if isinstance(said, NotSentError):
        return Outcome.NOT_SENT
    if isinstance(said, ServerError) and not said.fatal and not said.sqlstate.startswith(_INDEFINITE_CLASSES):
        return Outcome.REJECTED
    return Outcome.UNKNOWN


def keeps_connection(said: Answer | Exception) -> bool:
    """Tell whether a pool keeps the connection; services leave a server that turned read-only."""
    if isinstance(said, Answer):
        return said.idle
    return isinstance(said, ServerError) and not said.fatal and said.sqlstate.startswith(_ABOUT_THE_WRITE)


def _is_local_only(notice: Notice) -> bool:
    """Tell a cancelled wait for the standby: the server reports success, yet only its own disk has the row.

    `SyncRepWaitForLSN` in PostgreSQL's syncrep.c; its text is translated, its routine is not.
    """
    return notice.routine == "SyncRepWaitForLSN" or "wait for synchronous replication" in notice.message
