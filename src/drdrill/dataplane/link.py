"""A slow link before a server: a TCP proxy that delays, throttles or cuts, and loses what it holds when it dies.

It runs on the host whose power is going to be cut (`python -m drdrill.dataplane.link LISTEN_PORT TARGET_PORT
DELAY_SECONDS`), so that the bytes under way are lost with it: this is how a region loss loses data. A standby's
`recovery_min_apply_delay` would lose nothing, and without a link model localhost loses nothing at all.

With `obey` as a fourth argument it takes conditions as JSON lines on its standard input, and acknowledges each on
standard output once it is in force: `Link` is the driver.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
import sys
import threading
from collections import deque
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from drdrill.core.errors import EnvironmentFailedError

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path

    from drdrill.dataplane.host import Host

_READ = 65536
_ANSWER_WITHIN_SECONDS = 10.0  # measured 0.1 s, 1 s on a loaded machine; never, if its host hangs
_MOST_HELD = 64 << 20  # bytes of one connection: a sender waits then, as it does for a full window
OBEY = "obey"


@dataclass(frozen=True, slots=True)
class LinkCondition:
    """How a link is. `cut`: nothing passes, in either direction, and nobody is told; what it holds stays held."""

    delay_seconds: float = 0.0
    bytes_per_second: int | None = None  # None: as many as come
    cut: bool = False


class Link:
    """The driver of a link on a host, before a port of that host. Thread-safe."""

    def __init__(self, host: Host, listen_port: int, target_port: int, *, log: Path) -> None:
        self.host = host
        self.port = listen_port
        arguments = [str(listen_port), str(target_port), "0", OBEY]
        self._process = host.spawn_piped([sys.executable, "-m", __name__, *arguments], log=log)
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Link({self.host.name}:{self.port})"

    @property
    def lives(self) -> bool:
        """Whether it runs: it ends with its host's power."""
        return self._process.poll() is None

    def shape(self, condition: LinkCondition) -> None:
        """Put a condition in force; raises `EnvironmentFailedError` when the link is gone, or its host hangs."""
        with self._lock:
            assert self._process.stdin is not None  # noqa: S101  (started with pipes)
            assert self._process.stdout is not None  # noqa: S101  (likewise)
            try:
                self._process.stdin.write(json.dumps(asdict(condition)) + "\n")
                self._process.stdin.flush()
            except OSError as error:
                raise EnvironmentFailedError(f"the link on {self.host.name} is gone.") from error
            answered, _, _ = select.select([self._process.stdout], [], [], _ANSWER_WITHIN_SECONDS)
            if not answered or self._process.stdout.readline() != "ok\n":
                raise EnvironmentFailedError(
                    f"the link on {self.host.name} does not answer; its log may say why."
                )


class _Shape:
    """The condition in force, shared by all connections: their bytes share the link's capacity."""

    def __init__(self, condition: LinkCondition) -> None:
        self.condition = condition
        self.passable = asyncio.Event()
        self._changed = asyncio.Event()
        self._free_at = 0.0
        self.take(condition)

    def take(self, condition: LinkCondition) -> None:
        """Put a condition in force, also for what is under way: a queue drains at the new rate."""
        self.condition = condition
        self._free_at = asyncio.get_running_loop().time() if self._free_at else 0.0
        self._changed.set()
        self._changed = asyncio.Event()
        if condition.cut:
            self.passable.clear()
        else:
            self.passable.set()

    async def carry(self, size: int, arrived: float) -> None:
        """Return when a block that came at a moment has arrived at the other end."""
        while True:
            changed = self._changed
            left = self._due(size, arrived) - asyncio.get_running_loop().time()
            if left <= 0:
                break
            try:
                await asyncio.wait_for(changed.wait(), left)
            except TimeoutError:
                break
        await self.passable.wait()

    def _due(self, size: int, arrived: float) -> float:
        rate = self.condition.bytes_per_second
        if not rate:
            return arrived + self.condition.delay_seconds
        self._free_at = max(self._free_at, arrived) + size / rate
        return self._free_at + self.condition.delay_seconds


async def _forward(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, shape: _Shape, *, slow: bool
) -> None:
    """Pass bytes on, each block when it is due; as many blocks as come may be under way."""
    loop = asyncio.get_running_loop()
    held: deque[tuple[float, bytes]] = deque()
    held_bytes = 0
    arrived, room = asyncio.Event(), asyncio.Event()
    room.set()

    async def read() -> None:
        nonlocal held_bytes
        with contextlib.suppress(OSError):  # a broken connection ends here as a closed one does
            while block := await reader.read(_READ):
                held.append((loop.time(), block))
                held_bytes += len(block)
                arrived.set()
                if held_bytes > _MOST_HELD:
                    room.clear()
                await room.wait()
                await shape.passable.wait()
        held.append((loop.time(), b""))
        arrived.set()

    reading = asyncio.create_task(read())
    try:
        while True:
            while not held:
                arrived.clear()
                await arrived.wait()
            came, block = held.popleft()
            if slow and block:
                await shape.carry(len(block), came)
            await shape.passable.wait()
            if not block:
                return
            writer.write(block)
            await writer.drain()
            held_bytes -= len(block)
            if held_bytes <= _MOST_HELD:
                room.set()
    finally:
        reading.cancel()
        writer.close()


async def _await_passable(reader: asyncio.StreamReader, shape: _Shape) -> bool:
    """Hold a connection that comes while the link is cut, until its maker gives up; false: it is of no use.

    What it said meanwhile is thrown away, as nothing of it came through.
    """
    if shape.passable.is_set():
        return True
    passable = asyncio.create_task(_ignore(shape.passable.wait()))
    while not shape.passable.is_set():
        reading = asyncio.create_task(reader.read(_READ))
        await asyncio.wait({reading, passable}, return_when=asyncio.FIRST_COMPLETED)
        if not reading.done():
            reading.cancel()
        elif reading.exception() is not None or not reading.result():
            break
    passable.cancel()
    return False


async def _ignore(awaited: Coroutine[object, object, object]) -> None:
    await awaited


async def _serve(listen_port: int, target_port: int, shape: _Shape, *, obey: bool) -> None:
    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not await _await_passable(reader, shape):
            writer.close()
            return
        try:
            upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", target_port)
        except OSError:
            writer.close()
            return
        # Only the way out is slow: acknowledgements come back at once, or flow control would stop the sender.
        results = await asyncio.gather(
            _forward(reader, upstream_writer, shape, slow=False),
            _forward(upstream_reader, writer, shape, slow=True),
            return_exceptions=True,
        )
        for result in results:
            if isinstance(result, Exception) and not isinstance(result, OSError):
                raise result

    server = await asyncio.start_server(accept, "0.0.0.0", listen_port)  # noqa: S104  (inside a host of the mirror)
    if obey:
        await _obey(shape)
        os._exit(0)  # with what is held: whoever drives it is gone
    async with server:
        await server.serve_forever()


async def _obey(shape: _Shape) -> None:
    """Take conditions until nobody is there any more to give them."""
    commands = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(commands), sys.stdin
    )
    while line := await commands.readline():
        shape.take(LinkCondition(**json.loads(line)))
        sys.stdout.write("ok\n")
        sys.stdout.flush()


async def _main(listen_port: int, target_port: int, delay_seconds: float, *, obey: bool) -> None:
    await _serve(listen_port, target_port, _Shape(LinkCondition(delay_seconds)), obey=obey)


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), obey=sys.argv[4:] == [OBEY]))
