from __future__ import annotations

import pytest

from drdrill.load.answer import Answer, Notice, NotSentError, ServerError, WireError, judge, keeps_connection
from drdrill.record.ledger import Outcome

COMMITTED = Answer(1, "INSERT 0 2", (), idle=True)
PLAIN = Notice("NOTICE", "a trigger's remark", "pl_exec.c", "exec_stmt_raise")
LOCAL_ONLY = Notice(
    "WARNING", "Warten auf synchrone Replikation wird storniert", "syncrep.c", "SyncRepWaitForLSN"
)


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        (COMMITTED, Outcome.ACKNOWLEDGED),
        (Answer(1, "SELECT 1", (PLAIN,), idle=True), Outcome.ACKNOWLEDGED),
        (Answer(1, "INSERT 0 0", (), idle=True), Outcome.REJECTED),
        (Answer(1, "INSERT 0 2", (LOCAL_ONLY,), idle=True), Outcome.UNKNOWN),
        (Answer(1, "INSERT 0 2", (), idle=False), Outcome.UNKNOWN),
        (ServerError("ERROR", "25006", "read-only transaction", 1), Outcome.REJECTED),
        (ServerError("ERROR", "23505", "duplicate key", 1), Outcome.REJECTED),
        (ServerError("ERROR", "53100", "disk full", 1), Outcome.REJECTED),
        (ServerError("ERROR", "57014", "canceled", 1), Outcome.REJECTED),
        (ServerError("FATAL", "57P01", "terminating connection", 1), Outcome.UNKNOWN),
        (ServerError("ERROR", "57P02", "crash shutdown", 1), Outcome.UNKNOWN),
        (ServerError("PANIC", "53100", "disk full", 1), Outcome.UNKNOWN),
        (ServerError("ERROR", "58030", "io error", 1), Outcome.UNKNOWN),
        (ServerError("ERROR", "40003", "completion unknown", 1), Outcome.UNKNOWN),
        (WireError("the connection broke"), Outcome.UNKNOWN),
        (NotSentError("closed before"), Outcome.NOT_SENT),
    ],
)
def test_only_what_is_definite_is_believed(said: Answer | Exception, outcome: Outcome) -> None:
    """A commit is acknowledged, a definite refusal rejected, a write that never left not sent, all else unknown."""
    assert judge(said) is outcome


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (COMMITTED, True),
        (ServerError("ERROR", "23505", "duplicate key", 1), True),
        (ServerError("ERROR", "25006", "read-only transaction", 1), False),
        (ServerError("FATAL", "57P01", "terminating connection", 1), False),
        (WireError("no answer in time"), False),
    ],
)
def test_a_pool_leaves_a_server_that_takes_no_writes(said: Answer | Exception, kept: bool) -> None:
    """A connection serves on after an error about its write, and not after one about its server."""
    assert keeps_connection(said) is kept
