"""Signals wait until clean-up is done."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

import pytest

from drdrill.drill.shield import hold_signals

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def arrived() -> Iterator[list[int]]:
    """Have SIGTERM and SIGINT noted in a list, and restore what was before."""
    numbers: list[int] = []
    held = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda number, _: numbers.append(number)) for number in held}
    yield numbers
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_waits(arrived: list[int], number: int) -> None:
    """A signal that comes during clean-up is delivered once, after it."""
    with hold_signals():
        os.kill(os.getpid(), number)
        assert arrived == []
    assert arrived == [number]


def test_a_signal_waits_for_a_failing_block(arrived: list[int]) -> None:
    """Clean-up that fails does not lose the signal, nor the other way round."""

    def fail() -> None:
        with hold_signals():
            os.kill(os.getpid(), signal.SIGTERM)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert arrived == [signal.SIGTERM]


def test_what_was_before_is_restored(arrived: list[int]) -> None:
    """After clean-up signals go where they went before."""
    before = signal.getsignal(signal.SIGTERM)
    with hold_signals():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
    assert arrived == []


def test_what_is_ignored_stays_ignored(arrived: list[int]) -> None:
    """A signal that the program ignores is not delivered afterwards."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with hold_signals():
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    assert arrived == []


def test_other_threads_hold_nothing() -> None:
    """Outside the main thread the block runs, and no handler is touched."""
    before, seen = signal.getsignal(signal.SIGTERM), []

    def run() -> None:
        with hold_signals():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [before]
