from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from drdrill.load.dns import Resolution
from drdrill.load.resolver import ResolutionError, StubResolver, is_literal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

NAME = "db.example"
SECOND = 1_000_000_000


class ManualClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at_ns = 0

    def now_ns(self) -> int:
        """Return the time."""
        return self.at_ns

    def utc(self) -> datetime:
        """Refuse: nobody asks."""
        raise NotImplementedError

    def sleep(self, seconds: float) -> None:
        """Refuse: nobody asks."""
        raise NotImplementedError


class Record:
    """A name server whose answer a test changes; counts how often it is asked."""

    def __init__(self, address: str | None = "10.0.0.1", ttl_seconds: float = 5, reason: str = "") -> None:
        self.answer = Resolution(address, ttl_seconds, reason)
        self.asked = 0

    async def __call__(self, name: str) -> Resolution:
        """Answer one question."""
        assert name == NAME
        self.asked += 1
        await asyncio.sleep(0)
        return self.answer


def changes_seen(
    clock: ManualClock, ask: Callable[[str], Awaitable[Resolution]], record: Record, cohort: int, cohorts: int
) -> list[float]:
    """Resolve every 10 ms for 20.3 s and return at which seconds the name server was asked.

    The end lies between two multiples of an eighth of the TTL, so that no expiry falls on it.
    """

    async def watch() -> list[float]:
        resolver = StubResolver(ask, clock=clock, cohort=cohort, cohorts=cohorts)
        seen = []
        for step in range(2030):
            clock.at_ns = step * SECOND // 100
            before = record.asked
            await resolver.resolve(NAME)
            if record.asked > before:
                seen.append(step / 100)
        return seen

    return asyncio.run(watch())


@pytest.mark.parametrize("cohort", range(8))
def test_cohorts_stand_at_evenly_spread_points_of_the_ttl(cohort: int) -> None:
    """Only the first answer expires early, at (cohort + 1) / cohorts of its TTL; later ones live all of it."""
    record = Record(ttl_seconds=5)

    seen = changes_seen(ManualClock(), record, record, cohort, 8)

    first = (cohort + 1) * 0.625
    expected = [0.0, *(first + cycle * 5 for cycle in range(4))]
    assert seen == pytest.approx([at for at in expected if at < 20.3], abs=0.05)


def test_an_address_is_kept_for_its_ttl_and_not_longer() -> None:
    """A changed record is seen when the TTL is over, and not before."""

    async def scenario() -> None:
        clock, record = ManualClock(), Record("10.0.0.1", 5)
        resolver = StubResolver(record, clock=clock)
        await resolver.resolve(NAME)
        record.answer = Resolution("10.0.0.2", 5)
        resolver.report_failure(NAME)
        clock.at_ns = 5 * SECOND - 1
        assert await resolver.resolve(NAME) == "10.0.0.1"
        clock.at_ns = 5 * SECOND
        assert await resolver.resolve(NAME) == "10.0.0.2"

    asyncio.run(scenario())


def test_a_client_that_ignores_ttl_keeps_its_address_until_no_connection_can_be_had() -> None:
    """Without honouring TTL the first address stays for ever, until a connection to it fails."""

    async def scenario() -> None:
        clock, record = ManualClock(), Record("10.0.0.1", 5)
        resolver = StubResolver(record, clock=clock, honours_ttl=False)
        await resolver.resolve(NAME)
        record.answer = Resolution("10.0.0.2", 5)
        clock.at_ns = 86400 * SECOND
        assert await resolver.resolve(NAME) == "10.0.0.1"
        resolver.report_failure(NAME)
        assert await resolver.resolve(NAME) == "10.0.0.2"

    asyncio.run(scenario())


@pytest.mark.parametrize("honours_ttl", [True, False])
def test_a_refusal_is_kept_as_long_as_it_says(honours_ttl: bool) -> None:
    """A name that does not exist is not asked for again before its negative TTL is over, by anyone."""

    async def scenario() -> None:
        clock, record = ManualClock(), Record(None, 3, "there is no such name")
        resolver = StubResolver(record, clock=clock, honours_ttl=honours_ttl)
        for at_ns in (0, 3 * SECOND - 1):
            clock.at_ns = at_ns
            with pytest.raises(ResolutionError, match="no such name"):
                await resolver.resolve(NAME)
        assert record.asked == 1
        record.answer = Resolution("10.0.0.1", 5)
        clock.at_ns = 3 * SECOND
        assert await resolver.resolve(NAME) == "10.0.0.1"

    asyncio.run(scenario())


def test_requests_that_come_together_share_one_question() -> None:
    """While a question is open, others wait for its answer, also when the one who asked first gives up."""

    async def scenario() -> None:
        record = Record()
        resolver = StubResolver(record, clock=ManualClock())
        requests = [asyncio.create_task(resolver.resolve(NAME)) for _ in range(5)]
        await asyncio.sleep(0)
        requests[0].cancel()
        answers = await asyncio.gather(*requests, return_exceptions=True)
        assert isinstance(answers[0], asyncio.CancelledError)
        assert answers[1:] == ["10.0.0.1"] * 4
        assert record.asked == 1

    asyncio.run(scenario())


def test_only_an_ipv4_address_is_literal() -> None:
    """Names, and what merely looks like an address, go to the resolver."""
    assert is_literal("10.0.0.1")
    assert not any(map(is_literal, ("db.example", "10.1", "10.0.0.256", "::1", "")))
