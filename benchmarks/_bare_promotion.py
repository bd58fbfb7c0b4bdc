"""The least that any promotion can take: PostgreSQL's own, without a control plane."""

from __future__ import annotations

import re
from contextlib import closing, suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg

from _bare import BareServer
from drdrill.core.clock import NANOSECONDS, SystemClock
from drdrill.core.waiting import wait_until

if TYPE_CHECKING:
    from drdrill.load.workload import Workload

_WITHIN = timedelta(seconds=60)  # measured 0.05 s
_POLL = timedelta(milliseconds=1)
_SETTLED_SECONDS = 1.0
_CLOCK = SystemClock()


def promote_bare(workload: Workload, *, synchronous: bool) -> float:
    """Kill a bare primary and promote its standby; return the seconds from promoting to the first accepted write."""
    write = re.sub(r"\$[12]", "%s", workload.write).encode()
    with BareServer("primary") as primary, BareServer("standby", upstream=primary) as standby:
        with closing(primary.connect()) as connection:
            connection.execute(workload.schema_.encode())
        if synchronous:
            primary.require_synchronous(standby)
        _CLOCK.sleep(_SETTLED_SECONDS)
        with closing(standby.connect()) as promoting, closing(standby.connect()) as writing:

            def accepts() -> bool:
                with suppress(psycopg.errors.ReadOnlySqlTransaction):
                    writing.execute(write, (1, 100))
                    return True
                return False

            accepts()  # prepared, as a client is that has written before
            primary.kill()
            promoted_ns = _CLOCK.now_ns()
            promoting.execute("select pg_promote(false)")
            wait_until(accepts, what="a write to the promoted server", within=_WITHIN, every=_POLL)
            return (_CLOCK.now_ns() - promoted_ns) / NANOSECONDS
