"""An HTTP server that answers every request with the same few bytes, at once. Ends with its standard input."""

from __future__ import annotations

import asyncio
import sys
from typing import cast

BODY = b"answered\n"
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)


class _Protocol(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        # One request at a time on a connection, in one piece: nobody here sends others.
        if data.endswith(b"\r\n\r\n"):
            self._transport.write(_ANSWER)


async def _serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    await loop.create_server(_Protocol, "0.0.0.0", port)  # noqa: S104  (inside a host of the mirror)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
