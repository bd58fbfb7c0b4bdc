"""One of Route 53's health checkers: a process of its own on a host of the internet, which looks at endpoints.

    python -m drdrill.dataplane.health_checker SEED

What it is to watch arrives as JSON lines on its standard input, with what it is to hold of it until it knows better;
every look is a JSON line on standard output. Checkers do not agree on when they look, as AWS's do not: each begins at a
moment of its own within the interval.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING

from drdrill.dataplane.health_probe import Look, Opinion, Probe, look

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_log = logging.getLogger(__name__)


class Checker:
    """Keeps a loop for each endpoint that it watches. `look`: looks at one once."""

    def __init__(self, chance: Random, look: Callable[[Probe], Awaitable[Look]] = look) -> None:
        self._chance = chance
        self._look = look
        self._loops: dict[str, asyncio.Task[None]] = {}

    def take(self, line: str) -> None:
        """Do what one line says: watch an endpoint, or no longer; one that is watched already is begun anew."""
        said = json.loads(line)
        loop = self._loops.pop(said["forget"] if "forget" in said else said["watch"]["identifier"], None)
        if loop is not None:
            loop.cancel()
        if "watch" in said:
            probe = Probe(**said["watch"])
            self._loops[probe.identifier] = asyncio.get_running_loop().create_task(
                self._watch(probe, healthy=said.get("healthy", True))
            )

    async def _watch(self, probe: Probe, *, healthy: bool) -> None:
        loop, opinion = asyncio.get_running_loop(), Opinion(probe.failure_threshold, healthy)
        due = loop.time() + self._chance.random() * probe.interval_seconds
        while True:
            await asyncio.sleep(max(0.0, due - loop.time()))
            due += probe.interval_seconds
            at = datetime.now(UTC)
            found = await self._see(probe)
            healthy = opinion.take(good=found.good)
            said = {
                "id": probe.identifier,
                "good": found.good,
                "healthy": healthy,
                "status": found.status,
                "at": at.isoformat(),
            }
            sys.stdout.write(json.dumps(said) + "\n")
            sys.stdout.flush()

    async def _see(self, probe: Probe) -> Look:
        """Look once; a look that breaks is a bad one: a loop that ended would count as healthy for ever."""
        try:
            return await self._look(probe)
        except Exception as error:  # noqa: BLE001  (whatever it was: somebody has to say so)
            _log.exception("a look at %s broke", probe.address)
            return Look(good=False, status=f"Failure: The endpoint could not be looked at: {error}.")


async def _serve(seed: int) -> None:
    checker = Checker(Random(seed))  # noqa: S311 (when to look first)
    commands = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(commands), sys.stdin
    )
    while line := await commands.readline():
        checker.take(line.decode())


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
