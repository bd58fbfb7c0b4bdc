"""A region that is isolated and connected in turns, until somebody has it connected for good.

::

    start ─▶ away ──(away_seconds)─▶ there ──(there_seconds)─▶ away ─▶ …
               └──────────────────stop─┴─▶ there
"""

from __future__ import annotations

import logging
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drdrill.core.errors import DrdrillError, EnvironmentFailedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.mirror.isolation import Isolation

_AMOUNT = re.compile(r"(?P<away>.+) away, (?P<there>.+) there")
_log = logging.getLogger("drdrill.mirror.flapping")


@dataclass(frozen=True, slots=True)
class Rhythm:
    """For how long a region is away each time, and for how long there."""

    away_seconds: float
    there_seconds: float


def read_rhythm(amount: str) -> Rhythm:
    """Read `20 s away, 8 s there`; raises `UsageError` for an amount that says nothing."""
    # 0.13 s that a mirror would come up later: what reads people's files brings their schemas along.
    from drdrill.plan.duration import parse_duration  # noqa: PLC0415

    said = _AMOUNT.fullmatch(amount)
    try:
        if said is None:
            raise ValueError("`TIME away, TIME there` was expected")  # noqa: TRY301 (said below)
        rhythm = Rhythm(*(parse_duration(said[name]).total_seconds() for name in ("away", "there")))
        if min(rhythm.away_seconds, rhythm.there_seconds) <= 0:
            raise ValueError("times above zero were expected")  # noqa: TRY301 (likewise)
    except ValueError as error:
        text = f"`{amount}` does not say how a region is to come and go: {error}."
        raise UsageError(text) from error
    return rhythm


class Flapping:
    """One region that comes and goes; it is away when this is made. `wait` is a clock's, for an event and seconds."""

    def __init__(
        self,
        isolation: Isolation,
        region: str,
        rhythm: Rhythm,
        wait: Callable[[threading.Event, float], bool] = threading.Event.wait,
    ) -> None:
        self.rhythm = rhythm
        self._isolation, self._region, self._wait = isolation, region, wait
        self._stopped = threading.Event()
        self._failure: Exception | None = None
        isolation.isolate(region)
        self._thread = threading.Thread(target=self._go_on, name=f"flapping-{region}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Have the region be there for good. Raises `EnvironmentFailedError` when it had stopped to come and go."""
        self._stopped.set()
        self._thread.join()
        self._isolation.connect(self._region)
        if self._failure is not None:
            text = f"{self._region} did not come and go until the end: {self._failure}"
            raise EnvironmentFailedError(text) from self._failure

    def _go_on(self) -> None:
        turns = (
            (self.rhythm.away_seconds, self._isolation.connect),
            (self.rhythm.there_seconds, self._isolation.isolate),
        )
        while True:
            for seconds, turn in turns:
                if self._wait(self._stopped, seconds):
                    return
                try:
                    turn(self._region)
                except (
                    DrdrillError,
                    OSError,
                    ValueError,
                ) as error:  # `ip` failed, could not start, or said nonsense
                    _log.warning("%s does not come and go any more: %s", self._region, error)
                    self._failure = error
                    return
