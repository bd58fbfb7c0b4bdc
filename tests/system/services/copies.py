"""A copy of who writes, as a small HTTP server that tests make answer as they want."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    Answering = Callable[[asyncio.StreamWriter], Awaitable[None]]

HERE, THERE = "eu-west-1", "eu-central-1"
ISOLATED = "this region does not write: nobody outside it says who does"


def answer(status: int, body: bytes = b"") -> Answering:
    """Return what answers so."""

    async def say(writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 {status} So\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)

    return say


def name(region: str) -> Answering:
    """Return what names a region."""
    return answer(200, json.dumps({"region": region, "since": "2026-11-29T20:00:00+00:00"}).encode())


def send(raw: bytes) -> Answering:
    """Return what sends these bytes and closes the connection."""

    async def say(writer: asyncio.StreamWriter) -> None:
        writer.write(raw)

    return say


def hang(*first: bytes) -> Answering:
    """Return what sends something now and then, and never comes to an end."""

    async def say(writer: asyncio.StreamWriter) -> None:
        for part in first:
            writer.write(part)
            await asyncio.sleep(0.1)
        await asyncio.Event().wait()

    return say


def late(answering: Answering) -> Answering:
    """Return what answers after a while."""

    async def say(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.3)
        await answering(writer)

    return say


def after(first: bytes, answering: Answering) -> Answering:
    """Return what sends something before it answers."""

    async def say(writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        await answering(writer)

    return say


def twice(answering: Answering, pause_seconds: float) -> Answering:
    """Return what answers, and then once more without having been asked."""

    async def say(writer: asyncio.StreamWriter) -> None:
        await answering(writer)
        if pause_seconds:
            await asyncio.sleep(pause_seconds)
        await answering(writer)

    return say


class HttpCopy:
    """One copy: how often it was asked, over how many connections in all, and how many are open.

    `keeps`: whether a connection stays open after an answer.
    """

    def __init__(self, *, keeps: bool = False) -> None:
        self.answering = name(HERE)
        self.keeps = keeps
        self.asked = 0
        self.connections = 0
        self.open = 0
        self.url = ""

    @contextlib.asynccontextmanager
    async def serve(self) -> AsyncIterator[HttpCopy]:
        """Serve on the loopback device."""
        server = await asyncio.start_server(self._serve_one, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/writer"
        try:
            yield self
        finally:
            server.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        self.connections += 1
        try:
            with contextlib.suppress(asyncio.IncompleteReadError):
                await self._answer_one(reader, writer)
                while self.keeps:
                    await self._answer_one(reader, writer)
        finally:
            writer.close()
            self.open -= 1

    async def _answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"GET /writer HTTP/1.1\r\n")
        self.asked += 1
        saying = asyncio.ensure_future(self.answering(writer))
        gone = asyncio.ensure_future(reader.read(1))  # whoever asks says nothing more before it was answered
        try:
            await asyncio.wait([saying, gone], return_when=asyncio.FIRST_COMPLETED)
            with contextlib.suppress(ConnectionError):
                await writer.drain()
        finally:
            saying.cancel()
            gone.cancel()
            await asyncio.sleep(0)  # until then nobody else may read


@contextlib.contextmanager
def serve_beside(*copies: HttpCopy) -> Iterator[None]:
    """Serve copies in a thread of their own, for those who ask from other processes."""
    served, over, loop = threading.Event(), asyncio.Event(), asyncio.new_event_loop()

    async def serve() -> None:
        async with AsyncExitStack() as stack:
            for one in copies:
                await stack.enter_async_context(one.serve())
            served.set()
            await over.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    try:
        assert served.wait(10)
        yield
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()
