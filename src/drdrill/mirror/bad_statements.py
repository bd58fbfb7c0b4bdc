"""Statements that destroy rows: what runs one on a database, and what looks whether rows are gone, or back.

A statement destroys its rows on every member of a store, and it leaves nothing behind that could be taken away again:
healing mends nothing. The rows come back by a restore from backups, which is recovery's work; then they are seen.

Running it is the supervisor's, over the control plane's own connection. Looking is another program's, on the
operators' host, as a user of the database and through its endpoint's name: so it sees whichever database has that name.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from psycopg import sql

from drdrill.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drdrill.aws.rds.reconciler import Reconciler
    from drdrill.core.clock import Clock

    Answer = Mapping[str, Any]
    Ask = Callable[[Mapping[str, Any], str], tuple[int, str]]

KINDS = frozenset({"bad_delete", "drop_table"})
_SAMPLE = 20
_OBSERVER = "psql on the operators' host, through the endpoint's name"
_NO_TABLE = "does not exist"


class BadStatements:
    """The operation, by name in `table`; called from a thread of the control server. `find` returns an instance's."""

    def __init__(self, clock: Clock, *, find: Callable[[str], Reconciler]) -> None:
        self._clock = clock
        self._find = find

    def table(self) -> Mapping[str, Callable[..., Answer]]:
        """Return the operation by name."""
        return {"inject_statement": self.inject_statement}

    def inject_statement(self, resource: str, statement: str, doomed: str) -> Answer:
        """Run a statement on the primary, as the database's own user, and say which rows it destroyed.

        Query and statement see one snapshot, so these are the rows. Raises `UsageError` when there are none.
        """
        reconciler = self._find(resource)
        primary, record = reconciler.primary, reconciler.record
        if not statement.strip() or not doomed.strip():
            raise UsageError("the experiment gives no `statement`, or no query of what it has `doomed`.")
        if primary is None or not primary.host.powered:
            raise UsageError(f"{record.identifier} has no primary now.")
        with closing(primary.connect(record.database or "postgres")) as connection:
            connection.execute(sql.SQL("set role {}").format(sql.Identifier(record.master_username)))
            connection.execute("set lock_timeout = '10s'")
            connection.execute("begin isolation level repeatable read")
            keys = sorted(int(row[0]) for row in connection.execute(doomed.encode()))
            if not keys:
                raise UsageError(f"the statement would destroy no row of {record.identifier}.")
            before_ns = self._clock.now_ns()
            connection.execute(statement.encode())
            connection.execute("commit")
            after_ns = self._clock.now_ns()
        host = primary.host
        return {
            "resource": host.name,
            "before_ns": before_ns,
            "after_ns": after_ns,
            "details": {
                "rows": len(keys),
                "sample": keys[:_SAMPLE],  # the lowest ones are old: a restore to just before has them, too
                "doomed": doomed,
                "endpoint": record.endpoint,
                "database": record.database or "postgres",
                "user": record.master_username,
            },
        }


def observe_destroyed(ask: Ask, details: Answer) -> dict[str, Any]:
    """Look whether a sample of the destroyed rows is gone: `effective` when not one of them is found."""
    sample: Sequence[int] = details["sample"]
    status, said = ask(details, count_rows(details["doomed"], sample))
    gone = said == "0" if status == 0 else _NO_TABLE in said
    return {"effective": gone, "observer": _OBSERVER, "looked_for": len(sample), "said": said}


def observe_back(ask: Ask, details: Answer) -> dict[str, Any]:
    """Look whether the sample is back: `healed` when all of it is. Where nobody knows what was destroyed: never."""
    if "sample" not in details:
        return {
            "healed": False,
            "observer": _OBSERVER,
            "said": "nobody knows which rows the statement destroyed",
        }
    sample: Sequence[int] = details["sample"]
    status, said = ask(details, count_rows(details["doomed"], sample))
    back = status == 0 and said == str(len(sample))
    return {"healed": back, "observer": _OBSERVER, "looked_for": len(sample), "said": said}


def count_rows(doomed: str, sample: Sequence[int]) -> str:
    """Return the query that counts the rows of a sample of keys among those that another query finds."""
    keys = ", ".join(str(int(key)) for key in sample)
    return f"select count(*) from ({doomed}) as found (key) where key in ({keys})"  # noqa: S608 (of our experiment)
