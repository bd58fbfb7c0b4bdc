"""A server that takes connections and questions, and never answers, holds nobody up for ever."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from drdrill.dataplane.postgresql_connection import UnansweredError, end_within
from tests.faults.fakes import ManualClock

if TYPE_CHECKING:
    from collections.abc import Generator

WITHIN = timedelta(seconds=10)


def _ask() -> Generator[str, int, str]:
    """Wait for a server as psycopg's generators do: for two events."""
    events = 0
    while events < 2:
        events += yield "readable"
    return "the answer"


def test_an_answer_passes() -> None:
    """What a server answers in time comes through, however often nothing was heard in between."""
    clock = ManualClock()
    waiting = end_within(_ask(), WITHIN, clock)
    assert next(waiting) == "readable"
    for ready in (0, 1, 0):
        clock.sleep(3)
        assert waiting.send(ready) == "readable"
    with pytest.raises(StopIteration) as ended:
        waiting.send(1)
    assert ended.value.value == "the answer"


def test_silence_ends() -> None:
    """A server that is silent for too long is given up; one that is slow, but speaks, is listened to."""
    clock = ManualClock()
    waiting = end_within(_ask(), WITHIN, clock)
    next(waiting)
    clock.sleep(11)
    assert waiting.send(1) == "readable"
    with pytest.raises(UnansweredError, match="did not answer within 10 s"):
        waiting.send(0)
