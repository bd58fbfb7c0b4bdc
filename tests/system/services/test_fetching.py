"""Small things are read at public addresses, over a connection that is kept while all is well with it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from meqenet.fetching import Fetcher, SilentError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

BODY = b"it is me"
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n" + BODY
LAST = GOOD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")


class Server:
    """Answers requests one after the other, and counts connections."""

    def __init__(self) -> None:
        self.connections = self.asked = 0
        self.answers: Callable[[int], bytes | None] = lambda _: GOOD  # None: it closes the connection

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.connections += 1
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                self.asked += 1
                said = self.answers(self.asked)
                if said is None:
                    return
                writer.write(said)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def fetching(server: Server) -> AsyncIterator[Callable[[], asyncio.Task[tuple[int, bytes]]]]:
    """Return what asks a server once."""
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/x"
    fetcher = Fetcher()
    try:
        yield lambda: asyncio.ensure_future(fetcher.get(url))
    finally:
        fetcher.close()
        listening.close()
        await asyncio.sleep(0)


def test_a_connection_is_kept() -> None:
    """One after the other is asked by the same one; two at once need two."""

    async def play() -> None:
        server = Server()
        async with fetching(server) as get:
            assert [await get() for _ in range(3)] == [(200, BODY)] * 3
            assert (server.connections, server.asked) == (1, 3)
            assert [*await asyncio.gather(get(), get())] == [(200, BODY)] * 2
            assert server.connections == 2

    asyncio.run(play())


def test_a_connection_grows_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """After half a minute the name is resolved again."""
    monkeypatch.setattr("meqenet.fetching._KEPT_SECONDS", 0.0)

    async def play() -> None:
        server = Server()
        async with fetching(server) as get:
            assert [await get() for _ in range(2)] == [(200, BODY)] * 2
            assert server.connections == 2

    asyncio.run(play())


def test_a_server_that_keeps_none() -> None:
    """Whether it says that it closes the connection, or only does, the next request is answered over a new one."""

    async def play() -> None:
        server = Server()
        server.answers = lambda number: LAST if number == 1 else None if number == 3 else GOOD
        async with fetching(server) as get:
            assert await get() == (200, BODY)
            assert await get() == (200, BODY)
            assert server.connections == 2
            assert await get() == (200, BODY)  # the third was asked in vain over the kept one
            assert (server.connections, server.asked) == (3, 4)

    asyncio.run(play())


def test_an_answer_that_came_too_late() -> None:
    """Whoever gave a request up does not get its answer for the next one."""

    async def play() -> None:
        server = Server()
        server.answers = lambda number: b"" if number == 2 else GOOD
        async with fetching(server) as get:
            assert await get() == (200, BODY)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(get(), 0.1)
            assert await get() == (200, BODY)
            assert server.connections == 2

    asyncio.run(play())


@pytest.mark.parametrize("said", [b"", b"no HTTP at all\r\n\r\n", GOOD[:-1], None])
def test_a_server_that_says_nothing(said: bytes | None) -> None:
    """What says nothing over a new connection, too, is silent."""

    async def play() -> None:
        server = Server()
        server.answers = lambda number: GOOD if number == 1 else said
        async with fetching(server) as get:
            assert await get() == (200, BODY)
            with pytest.raises((SilentError, TimeoutError)):
                await asyncio.wait_for(get(), 0.2)

    asyncio.run(play())
