"""Actions and probes of the experiments of these tests: each does one thing that Chaos Toolkit is bad at."""

from __future__ import annotations

import signal
from typing import Any

from drdrill.faults import current_session


def work() -> str:
    """Succeed."""
    return "done"


def fail(words: str) -> None:
    """Fail with these words."""
    raise RuntimeError(words)


def echo(value: Any) -> Any:
    """Return the value."""
    return value


def name_environment() -> str:
    """Return the name of the session's environment."""
    return current_session().environment


def give_foreign() -> object:
    """Return what JSON cannot say, with a secret in it."""
    return {"password": "hunter2", "number": float("nan"), "thing": {1, 2}}


def be_signalled(number: int) -> None:
    """Receive a signal in the middle of an action."""
    signal.raise_signal(number)


def swallow_signal(number: int) -> str:
    """Receive a signal and swallow whatever comes of it."""
    try:
        signal.raise_signal(number)
    except BaseException:  # noqa: BLE001 - the bad habit that is tested
        return "swallowed"
    return "nothing came"


def leave() -> None:
    """End the process, or try to."""
    raise SystemExit(7)
