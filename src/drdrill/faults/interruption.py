"""Keeps Ctrl-C and SIGTERM from getting lost inside Chaos Toolkit.

Seen in chaoslib 1.44: its own SIGTERM handler raises an `Exception` that the Python provider turns into a
failed activity, after which the experiment goes on; Ctrl-C and SystemExit end it, but are swallowed into
`status: interrupted`. So both signals are taken while an experiment runs, end it by SystemExit, and are
handed to whoever had them before once it is over.
"""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, NoReturn, Self

from drdrill.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, TracebackType

    Handler = Callable[[int, FrameType | None], object] | int | signal.Handlers | None

_TAKEN = (signal.SIGINT, signal.SIGTERM)
_WITHOUT_ROLLBACKS = 30  # chaoslib's code for an exit that does not even wait for background activities


class Interruption:
    """Holds the two signals while its block runs; while it is armed, the first signal raises SystemExit."""

    def __init__(self) -> None:
        self.arrived: list[int] = []
        self.armed = False
        self._before: dict[int, Handler] = {}

    def __enter__(self) -> Self:
        """Take the signals. Raises `UsageError` outside the main thread, where Python has none to take."""
        if threading.current_thread() is not threading.main_thread():
            raise UsageError(
                "An experiment runs in the main thread only: Chaos Toolkit handles signals there."
            )
        self._before = {number: signal.getsignal(number) for number in _TAKEN}
        self.take()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Give the signals back."""
        for number, handler in self._before.items():
            if handler is not None:
                signal.signal(number, handler)

    def take(self) -> None:
        """Take the signals, again if somebody took them over; a signal that was ignored stays so."""
        for number, handler in self._before.items():
            if handler not in {signal.SIG_IGN, None}:
                signal.signal(number, self._on_signal)

    def end_if_arrived(self) -> None:
        """End the block if an earlier end was swallowed by what ran in it."""
        if self.arrived:
            raise SystemExit(_WITHOUT_ROLLBACKS)

    def deliver(self) -> NoReturn:
        """Hand the first signal to whoever had it before this block; raise for it if that does not.

        Call it after the block. Without any signal something else interrupted the experiment:
        KeyboardInterrupt.
        """
        number = self.arrived[0] if self.arrived else signal.SIGINT
        before = self._before.get(number)
        if self.arrived and callable(before):
            signal.raise_signal(number)
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + number)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        del frame
        self.arrived.append(number)
        if self.armed and len(self.arrived) == 1:
            self.end_if_arrived()
