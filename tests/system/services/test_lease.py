"""The lease to write: who may write when, whatever the copies of who does answer."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest
import uvloop

from failover._writer import NOBODY
from meqenet.fetching import Fetcher, SilentError
from meqenet.lease import Lease, NotWriterError
from meqenet.logs import Log
from meqenet.settings import LeaseSettings
from tests.system.services.copies import (
    HERE,
    ISOLATED,
    THERE,
    HttpCopy,
    after,
    answer,
    hang,
    late,
    name,
    send,
    twice,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from tests.system.services.copies import Answering

    Play = Callable[[Fetcher, HttpCopy], Coroutine[None, None, None]]

LEASE_SECONDS = 10


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


class Stage:
    """A lease, its clock, and both copies that it reads."""

    def __init__(self, *copies: HttpCopy, region: str = HERE) -> None:
        self.first, self.second = copies
        self.clock = Clock()
        settings = LeaseSettings((self.first.url, self.second.url), LEASE_SECONDS)
        self.fetcher = Fetcher()
        self.lease = Lease(settings, region, Log(service="test"), get=self.fetcher.get, clock=self.clock)

    async def ask(self, *, after: float = 3) -> bool:
        """Let time pass, have the lease ask, and return whether this region may write then."""
        self.clock.now += after
        await self.lease.ask()
        return self.lease.held

    def refusal(self) -> str:
        """Return why it may not write."""
        with pytest.raises(NotWriterError) as caught:
            self.lease.require()
        return str(caught.value)


def on_stage(play: Callable[[Stage], Coroutine[None, None, None]], *, region: str = HERE) -> None:
    """Run a play with a lease of a region."""

    async def run() -> None:
        async with AsyncExitStack() as stack:
            copies = [await stack.enter_async_context(HttpCopy().serve()) for _ in range(2)]
            stage = Stage(*copies, region=region)
            stack.callback(stage.fetcher.close)
            await play(stage)

    asyncio.run(run())


def test_nobody_writes_before_the_first_answer() -> None:
    """A service that starts and can ask nobody does not write."""

    async def play(stage: Stage) -> None:
        assert stage.refusal() == "this region does not write: it has not asked yet who does"
        stage.first.answering = stage.second.answering = answer(500)
        assert not await stage.ask()
        stage.second.answering = name(HERE)
        assert await stage.ask()

    on_stage(play)


def test_the_region_that_is_named_writes() -> None:
    """Named, the recovery region writes at once and the primary region ceases at once; given back, the other way."""

    async def play(stage: Stage) -> None:
        elsewhere = Stage(stage.first, stage.second, region=THERE)
        for named in (HERE, THERE, HERE):
            stage.first.answering = name(named)
            assert await stage.ask() == (named == HERE)
            assert await elsewhere.ask() == (named == THERE)
            assert stage.second.asked == 0  # one copy's word is enough
        stage.first.answering = name(THERE)
        await stage.ask()
        assert stage.refusal() == "this region does not write: eu-central-1 does"
        for one in (stage, elsewhere):
            one.first.answering = name(NOBODY)
            assert not await one.ask()
            assert one.refusal() == "this region does not write: nobody does"
        elsewhere.fetcher.close()

    on_stage(play)


def test_a_lease_counts_from_when_it_was_asked_for() -> None:
    """An answer that took its time gives the rest of the lease."""

    async def play(stage: Stage) -> None:
        async def take_time(writer: asyncio.StreamWriter) -> None:
            stage.clock.now += 4
            await name(HERE)(writer)

        stage.first.answering = take_time
        assert await stage.ask()
        assert stage.lease.require() == pytest.approx(LEASE_SECONDS - 4)
        stage.clock.now += LEASE_SECONDS - 4
        assert stage.refusal() == ISOLATED

    on_stage(play)


SILENCES: dict[str, Answering] = {
    "nothing to read": answer(404),
    "not to be read": answer(403),
    "an error": answer(500),
    "elsewhere": answer(301),
    "no JSON": answer(200, b"<html>sign in to this network</html>"),
    "no text": answer(200, b"\xff\xfe"),
    "a list": answer(200, b"[]"),
    "too deep": answer(200, b"[" * 4000),
    "no region": answer(200, b'{"region": ""}'),
    "another kind of region": answer(200, b'{"region": 1}'),
    "too much": answer(200, b" " * 5000),
    "no HTTP": send(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "another protocol": send(b"HTTP/1.1 101 So\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nx"),
    "nothing": send(b""),
    "half": send(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"region": "eu-west-1"}'),
    "never": hang(),
    "drop by drop": hang(*(bytes((one,)) for one in b"HTTP/1.1 200 OK\r\n")),
}


@pytest.mark.parametrize("silence", SILENCES.values(), ids=SILENCES)
def test_what_says_nothing(silence: Answering) -> None:
    """It counts as silence: the other copy is believed; where that is silent, too, the lease runs out and no sooner.

    Each copy is given up in time, and its connection with it.
    """

    async def play(stage: Stage) -> None:
        stage.first.answering = name(HERE)
        assert await stage.ask()
        stage.first.answering, stage.second.answering = silence, name(THERE)
        assert not await stage.ask()
        stage.second.answering = name(HERE)
        assert await stage.ask()
        began = time.monotonic()
        stage.second.answering = silence
        assert await stage.ask(after=LEASE_SECONDS - 1)
        assert time.monotonic() - began < 4.5
        assert not await stage.ask(after=1)
        assert stage.refusal() == ISOLATED
        stage.first.answering = name(HERE)
        assert await stage.ask()
        await asyncio.sleep(0.05)
        assert stage.first.open == stage.second.open == 0

    on_stage(play)


def test_the_recovery_region_alone_is_gone() -> None:
    """The primary region writes on, for as long as it likes."""

    async def play(stage: Stage) -> None:
        stage.first.answering = answer(503)
        for _ in range(10):
            assert await stage.ask(after=LEASE_SECONDS)

    on_stage(play)


def test_copies_that_come_and_go() -> None:
    """A copy that flaps stops nobody as long as one answers within a lease; what names another region stops at once."""

    async def play(stage: Stage) -> None:
        stage.first.answering = stage.second.answering = name(HERE)
        assert await stage.ask()
        for flapping in (stage.first, stage.second, stage.first):
            stage.first.answering = stage.second.answering = answer(500)
            assert [await stage.ask(), await stage.ask()] == [True, True]
            flapping.answering = name(HERE)
            assert await stage.ask()
        stage.first.answering, stage.second.answering = answer(500), name(THERE)
        assert not await stage.ask()
        stage.second.answering = answer(500)
        assert not await stage.ask()

    on_stage(play)


def test_a_name_that_nobody_resolves() -> None:
    """There is one look-up of a name at a time, however often it was given up: look-ups cannot be ended."""

    async def play() -> None:
        loop = asyncio.get_running_loop()
        begun, let_go = 0, asyncio.Event()

        async def getaddrinfo(*_: object, **__: object) -> list[object]:
            nonlocal begun
            begun += 1
            await let_go.wait()
            raise OSError("no such name")

        loop.getaddrinfo = getaddrinfo  # type: ignore[assignment]  # a resolver that hangs
        fetcher = Fetcher()
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await fetcher.get("http://somewhere.invalid/writer")
        assert begun == 1
        let_go.set()
        await asyncio.sleep(0)
        with pytest.raises(OSError, match="no such name"):
            await fetcher.get("http://somewhere.invalid/writer")

    asyncio.run(play())


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def play_with_copy(request: pytest.FixtureRequest) -> Callable[[Play], None]:
    """Return what runs a play with a fetcher and a copy that keeps connections, with the services' loop as well."""

    async def run(play: Play) -> None:
        async with HttpCopy(keeps=True).serve() as copy:
            fetcher = Fetcher()
            try:
                await play(fetcher, copy)
            finally:
                fetcher.close()
                await asyncio.sleep(0.05)
                assert copy.open == 0

    def run_all(play: Play) -> None:
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(run(play))

    return run_all


def test_a_connection_is_kept_for_the_next_question(play_with_copy: Callable[[Play], None]) -> None:
    """As long as whoever answers keeps it."""

    async def play(fetcher: Fetcher, copy: HttpCopy) -> None:
        for _ in range(3):
            assert (await fetcher.get(copy.url))[0] == 200
        assert (copy.asked, copy.connections) == (3, 1)
        await asyncio.sleep(0.05)  # it waits for the next question by then
        copy.keeps = False
        await fetcher.get(copy.url)
        await asyncio.sleep(0.05)
        assert copy.open == 0
        assert (await fetcher.get(copy.url))[0] == 200
        assert copy.connections == 2

    play_with_copy(play)


def test_a_question_that_was_given_up(play_with_copy: Callable[[Play], None]) -> None:
    """Its connection is ended: its answer, when it comes at last, is none to the next question."""

    async def play(fetcher: Fetcher, copy: HttpCopy) -> None:
        assert (await fetcher.get(copy.url))[0] == 200
        copy.answering = late(name(HERE))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await fetcher.get(copy.url)
        copy.answering = name(THERE)
        await asyncio.sleep(0.4)
        assert THERE.encode() in (await fetcher.get(copy.url))[1]
        assert copy.connections == 2

    play_with_copy(play)


@pytest.mark.parametrize("status", [100, 103])
def test_an_answer_before_the_answer(play_with_copy: Callable[[Play], None], status: int) -> None:
    """It is not taken for the answer, and every question gets its own."""

    async def play(fetcher: Fetcher, copy: HttpCopy) -> None:
        first = f"HTTP/1.1 {status} So\r\n\r\n".encode()
        for named in (HERE, THERE, HERE):
            copy.answering = after(first, name(named))
            status_said, body = await fetcher.get(copy.url)
            assert (status_said, named.encode() in body) == (200, True)

    play_with_copy(play)


@pytest.mark.parametrize("pause_seconds", [0, 0.1], ids=["with it", "later"])
def test_an_answer_that_nobody_asked_for(
    play_with_copy: Callable[[Play], None], pause_seconds: float
) -> None:
    """It ends the connection, and is no answer to the next question."""

    async def play(fetcher: Fetcher, copy: HttpCopy) -> None:
        copy.answering = twice(name(HERE), pause_seconds)
        assert HERE.encode() in (await fetcher.get(copy.url))[1]
        await asyncio.sleep(0.3)
        copy.answering = name(THERE)
        assert THERE.encode() in (await fetcher.get(copy.url))[1]
        assert copy.connections == 2

    play_with_copy(play)


def test_a_connection_that_nobody_used(
    play_with_copy: Callable[[Play], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """For longer than a few questions take: it is not believed to live."""
    monkeypatch.setattr("meqenet.fetching._KEPT_SECONDS", 0.05)

    async def play(fetcher: Fetcher, copy: HttpCopy) -> None:
        await fetcher.get(copy.url)
        await asyncio.sleep(0.1)
        await fetcher.get(copy.url)
        assert copy.connections == 2

    play_with_copy(play)


def test_a_new_connection_that_ends_at_once(play_with_copy: Callable[[Play], None]) -> None:
    """Whoever is asked is silent then."""

    async def play(fetcher: Fetcher, copy: HttpCopy) -> None:
        copy.answering, copy.keeps = send(b""), False
        with pytest.raises(SilentError, match="without an answer"):
            await fetcher.get(copy.url)

    play_with_copy(play)
