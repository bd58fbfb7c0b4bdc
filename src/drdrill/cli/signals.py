"""Ctrl-C and SIGTERM for commands that have something to take down: the first one ends them, later ones wait."""

from __future__ import annotations

import contextlib
import signal
import sys
from typing import TYPE_CHECKING

from drdrill.core.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


class Signals:
    """`arrived` is the interruption that the first signal raised, None without any."""

    def __init__(self) -> None:
        self.arrived: Interrupted | None = None

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Raise for the first signal; of a later one only say that it was heard."""
        del frame
        if self.arrived is not None:
            sys.stderr.write("drdrill: still healing and taking down; this takes a few seconds.\n")
            return
        self.arrived = Interrupted(number)
        raise self.arrived


@contextlib.contextmanager
def interruptible() -> Iterator[Signals]:
    """Turn SIGINT and SIGTERM into `Interrupted` while the block runs."""
    signals = Signals()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, signals.handle)
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
