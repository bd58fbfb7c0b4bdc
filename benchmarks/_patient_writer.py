"""A client of a replica that wants to write: over one open connection it tries every 1 ms until it is let.

Says `trying`, and then the moment of the first accepted write on the boot-time clock. Arguments: host, user, database,
the statement with its parameters as `%s`. Ends by the write, or when its standard input does.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import closing, suppress
from datetime import timedelta

import psycopg

from drdrill.core.clock import SystemClock
from drdrill.core.waiting import wait_until

_WITHIN = timedelta(seconds=60)  # measured 2 s
_EVERY = timedelta(milliseconds=1)


def main() -> None:
    """Try until a write is accepted."""
    host, user, database, statement = sys.argv[1:]
    write, clock = statement.encode(), SystemClock()
    threading.Thread(target=_end_with_owner, daemon=True).start()
    with closing(psycopg.connect(host=host, user=user, dbname=database, autocommit=True)) as connection:

        def accepts() -> bool:
            with suppress(psycopg.errors.ReadOnlySqlTransaction):
                connection.execute(write, (1, 100))
                return True
            return False

        accepts()
        sys.stdout.write("trying\n")
        sys.stdout.flush()
        wait_until(accepts, what="an accepted write", within=_WITHIN, every=_EVERY, clock=clock)
        sys.stdout.write(f"{clock.now_ns()}\n")


def _end_with_owner() -> None:
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    main()
