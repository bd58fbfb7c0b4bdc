"""Leases to write under any answers, delays and silences: never two regions that write, and nobody stopped for nothing.

Whatever a service in one region reads of the copies, and however late it hears it: a lease after the last copy named
the other region it does not write, which is what a failover waits for.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from meqenet.fetching import SilentError
from meqenet.lease import Lease
from meqenet.logs import Log
from meqenet.settings import LeaseSettings

HERE, THERE, LEASE_SECONDS = "eu-west-1", "eu-central-1", 10
FIRST, SECOND = "first", "second"
_SECONDS = st.integers(0, 8)


@dataclass(frozen=True, slots=True)
class Asking:
    """How a copy answers: after how long it is read, and how long its answer takes then; or not at all."""

    before: int
    after: int
    silent: bool


@dataclass
class World:
    """A clock, and since when each copy names the other region: before, it is absent, or names this one."""

    named_at: dict[str, int]
    empty: bool
    script: list[dict[str, Asking]]
    now: float = 0
    round: int = 0
    heard_there: int = 0
    good: list[float] = field(default_factory=list)  # when what let this region write was sent

    async def get(self, url: str) -> tuple[int, bytes]:
        """Answer as a copy does."""
        asking, sent = self.script[self.round][url], self.now
        self.now += asking.before
        there = self.now >= self.named_at[url]
        self.now += asking.after
        if asking.silent:
            raise SilentError
        if there:
            self.heard_there += 1
            return 200, json.dumps({"region": THERE}).encode()
        if self.empty:
            return 404, b""
        self.good.append(sent)
        return 200, json.dumps({"region": HERE}).encode()


_ASKING = st.builds(Asking, before=_SECONDS, after=_SECONDS, silent=st.booleans())
_ROUND = st.tuples(_SECONDS, st.fixed_dictionaries({FIRST: _ASKING, SECOND: _ASKING}))


@given(
    rounds=st.lists(_ROUND, min_size=1, max_size=12),
    named_at=st.fixed_dictionaries({FIRST: st.integers(0, 60), SECOND: st.integers(0, 60)}),
    empty=st.booleans(),
)
def test_never_after_a_lease(
    rounds: list[tuple[int, dict[str, Asking]]], named_at: dict[str, int], *, empty: bool
) -> None:
    """Nobody writes a lease after the last copy names another region, and everybody within one of a good answer."""
    world = World(named_at, empty, [script for _, script in rounds])
    settings = LeaseSettings((FIRST, SECOND), LEASE_SECONDS)
    lease = Lease(settings, HERE, Log(service="test"), get=world.get, clock=lambda: world.now)

    def look(*, heard_there: bool) -> None:
        if world.now >= max(named_at.values()) + LEASE_SECONDS:
            assert not lease.held
        last = world.good[-1] if world.good else float("-inf")
        assert lease.held == (not heard_there and world.now < last + LEASE_SECONDS)

    async def run() -> None:
        heard_there = False
        for number, (pause, _) in enumerate(rounds):
            world.round, before, heard = number, len(world.good), world.heard_there
            await lease.ask()
            if len(world.good) > before:
                heard_there = False
            elif world.heard_there > heard:
                heard_there = True
            look(heard_there=heard_there)
            world.now += pause
            look(heard_there=heard_there)

    asyncio.run(run())
