"""A relay outside the world: from a Unix socket in the mirror's directory to a server of this machine.

Nothing in the world reaches the machine's network, and should not; this is the one door, and it leads to one server.
It ends with the world, however that ends: it holds a descriptor of the world's first process.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys

_CHUNK = 1 << 16


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry what is said to its end, which the other side hears, and may still answer."""
    while chunk := await reader.read(_CHUNK):
        writer.write(chunk)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


async def _serve(listening: socket.socket, host: str, port: int, world: int) -> None:
    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection(host, port)
        except OSError as error:
            sys.stderr.write(f"{host}:{port} does not answer: {error}\n")
            writer.close()
            return
        try:
            async with asyncio.TaskGroup() as pumps:  # a side that breaks off ends both ways
                pumps.create_task(_pump(reader, back))
                pumps.create_task(_pump(there, writer))
        except* OSError:
            pass
        finally:
            back.close()
            writer.close()

    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(os.pidfd_open(world), ended.set)
    server = await asyncio.start_unix_server(connect, sock=listening)
    await ended.wait()
    server.close()
    # From Python 3.12 on a server waits at its end for connections, which those who are left need not end.
    os._exit(0)


def main() -> None:
    """Relay until the world ends."""
    descriptor, host, port, world = sys.argv[1:]
    with contextlib.suppress(ProcessLookupError):  # it has ended already
        asyncio.run(_serve(socket.socket(fileno=int(descriptor)), host, int(port), int(world)))


if __name__ == "__main__":
    main()
