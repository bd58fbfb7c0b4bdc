"""The lease to write: a region that nobody reaches any more, and nobody can fence, ceases to write by itself.

Who may write stands in a small object that everybody may read, in copies of which none is in the primary region. Every
service asks for it again and again; a lease counts from when the request was sent::

    a copy names this region ──────────────────▶ writes until sent + lease
    a copy names another region, or nobody ────▶ does not write, at once
    no copy says who, or there is none ────────▶ writes until the last lease has run out, and then no more: isolated

Whoever names another region writes every copy, and a lease needs the word of one. So a lease's length after the last
copy was written nobody in another region writes, whoever reaches what; and the loss of one copy's region stops no
service. A copy that is absent, or that nobody may read (S3 says 403 of both), says nothing: both stand from the start.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING

from meqenet.fetching import SilentError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from meqenet.logs import Log
    from meqenet.settings import LeaseSettings

_EVERY_SECONDS = 3.0  # with two copies, and silence of the first: renewed every 7 s at worst
_WITHIN_SECONDS = 2.0
_FOUND = 200
_ISOLATED = "nobody outside it says who does"


class NotWriterError(Exception):
    """This region does not write now; the text says why. Nothing was done."""


def read_boot_clock() -> float:
    """Return seconds of a clock that goes on while the machine is suspended."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Lease:
    """What this region may do, as far as it knows. `get`: returns status and body of what stands at an address."""

    def __init__(
        self,
        settings: LeaseSettings,
        region: str,
        log: Log,
        *,
        get: Callable[[str], Awaitable[tuple[int, bytes]]],
        clock: Callable[[], float] = read_boot_clock,
    ) -> None:
        self._settings = settings
        self._region = region
        self._log = log
        self.clock = clock
        self._get = get
        self._ends = float("-inf")
        self._why = self._told = "it has not asked yet who does"

    @property
    def held(self) -> bool:
        """Whether this region may write."""
        return self._ends > self.clock()

    def require(self) -> float:
        """Return for how many seconds this region may write; raises `NotWriterError` where it may not."""
        left = self._ends - self.clock()
        if left <= 0:
            raise NotWriterError(f"this region does not write: {self._why}")
        return left

    async def keep(self) -> None:
        """Ask again and again, until cancelled."""
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            await self.ask()

    async def ask(self) -> None:
        """Ask one copy after the other until one says who writes."""
        silent = []
        for url in self._settings.urls:
            sent = self.clock()
            try:
                async with asyncio.timeout(_WITHIN_SECONDS):
                    writer = await self._read_writer(url)
            except (SilentError, OSError) as error:
                silent.append(f"{url}: {type(error).__name__} {error}".strip())
                continue
            self._hear(writer, sent)
            return
        if not self.held:
            self._tell(self._why, *silent)

    def _hear(self, writer: str, sent: float) -> None:
        if writer == self._region:
            self._ends, self._why = sent + self._settings.seconds, _ISOLATED
            self._tell("")
        else:
            self._ends = float("-inf")
            self._why = f"{writer} does"
            self._tell(self._why)

    def _tell(self, why: str, *silent: str) -> None:
        """Log it when it is another than before."""
        if why == self._told:
            return
        self._told = why
        if why:
            self._log.warning("does not write", reason=why, silent=list(silent))
        else:
            self._log.info("writes", region=self._region)

    async def _read_writer(self, url: str) -> str:
        status, body = await self._get(url)
        if status != _FOUND:
            raise SilentError(f"status {status}")
        try:
            said = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise SilentError("it is no JSON") from error
        if not isinstance(said, dict) or not isinstance(said.get("region"), str) or not said["region"]:
            raise SilentError("it names no region")
        return str(said["region"])
