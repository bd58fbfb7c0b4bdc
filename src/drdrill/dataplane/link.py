"""A slow link before a server: a TCP proxy that delays what it forwards, and loses what it holds when it dies.

It runs on the host whose power is going to be cut (`python -m drdrill.dataplane.link LISTEN_PORT TARGET_PORT
DELAY_SECONDS`), so that the bytes under way are lost with it: this is how a region loss loses data. A standby's
`recovery_min_apply_delay` would lose nothing, and without a link model localhost loses nothing at all.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections import deque

_READ = 65536


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_seconds: float) -> None:
    """Pass bytes on, each block `delay_seconds` after it came; as many blocks as come may be under way."""
    loop = asyncio.get_running_loop()
    held: deque[tuple[float, bytes]] = deque()
    arrived = asyncio.Event()

    async def read() -> None:
        with contextlib.suppress(OSError):  # a broken connection ends here as a closed one does
            while block := await reader.read(_READ):
                held.append((loop.time() + delay_seconds, block))
                arrived.set()
        held.append((loop.time(), b""))
        arrived.set()

    reading = asyncio.create_task(read())
    try:
        while True:
            while not held:
                arrived.clear()
                await arrived.wait()
            due, block = held.popleft()
            await asyncio.sleep(max(0.0, due - loop.time()))
            if not block:
                return
            writer.write(block)
            await writer.drain()
    finally:
        reading.cancel()
        writer.close()


async def _serve(listen_port: int, target_port: int, delay_seconds: float) -> None:
    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", target_port)
        except OSError:
            writer.close()
            return
        # Only the way out is slow: acknowledgements come back at once, or flow control would stop the sender.
        results = await asyncio.gather(
            _forward(reader, upstream_writer, 0.0),
            _forward(upstream_reader, writer, delay_seconds),
            return_exceptions=True,
        )
        for result in results:
            if isinstance(result, Exception) and not isinstance(result, OSError):
                raise result

    server = await asyncio.start_server(accept, "0.0.0.0", listen_port)  # noqa: S104  (inside a host of the mirror)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
