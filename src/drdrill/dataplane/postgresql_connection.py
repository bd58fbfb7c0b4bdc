"""A connection of the control plane that does not wait for ever: a server that hangs takes a question, and is silent.

The kernel of a host whose programs are stopped still takes data in, so no timeout of TCP ends such a wait.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg

from drdrill.core.clock import NANOSECONDS, SystemClock

if TYPE_CHECKING:
    from collections.abc import Generator

    from drdrill.core.clock import Clock

ANSWER_WITHIN = timedelta(seconds=10)  # measured 1 ms, 1 s on a loaded machine
_Result = TypeVar("_Result")


class ControlConnection(psycopg.Connection[Any]):
    """Raises `psycopg.OperationalError` where an answer takes longer than `answer_within`, and is closed then."""

    answer_within = ANSWER_WITHIN

    def wait(self, gen: Generator[Any, Any, _Result], *arguments: Any, **named: Any) -> _Result:
        """Wait as psycopg does, but not for ever."""
        try:
            return super().wait(end_within(gen, self.answer_within, SystemClock()), *arguments, **named)
        except UnansweredError:
            self.close()
            raise


class UnansweredError(psycopg.OperationalError):
    """The server did not answer in time; whether it did what it was asked, nobody knows."""


def end_within(
    waiting: Generator[Any, Any, _Result], within: timedelta, clock: Clock
) -> Generator[Any, Any, _Result]:
    """Pass on what psycopg waits for, until that takes too long: its loop asks again every 0.1 s without news."""
    deadline_ns = clock.now_ns() + int(within.total_seconds() * NANOSECONDS)
    try:
        wanted = next(waiting)
        while True:
            ready = yield wanted
            if not ready and clock.now_ns() > deadline_ns:
                raise UnansweredError(f"the server did not answer within {within.total_seconds():g} s")
            wanted = waiting.send(ready)
    except StopIteration as ended:
        result: _Result = ended.value
        return result
