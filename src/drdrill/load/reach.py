"""An independent look at a server: does it take a TCP connection, and does it say a word? One JSON line of output.

The word is asked for as every PostgreSQL client may begin: whether the server speaks TLS. It needs no login.

`python -m drdrill.load.reach ADDRESS PORT TIMEOUT_SECONDS`. Standard library only, so that it starts at once.
Exit status 0 whenever it could look, whatever it saw; 2 for wrong arguments.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
import time

_ARGUMENTS = 3
_LONGEST_SECONDS = 3600
_EXIT_USAGE = 2
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)  # PostgreSQL's protocol, "SSLRequest": answered by one byte


def look(address: str, port: int, timeout_seconds: float) -> dict[str, bool | str | int | float | None]:
    """Connect once and ask for a word, each for up to `timeout_seconds`.

    Returns `reachable`, `answered`, `error`, `at_ns` (boot-time clock, begin), `took_seconds`.
    """
    at_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    reachable, answered, error = False, False, None
    try:
        with socket.create_connection((address, port), timeout=timeout_seconds) as connection:
            reachable, answered = True, _says_a_word(connection)
    except OSError as problem:
        error = str(problem) or type(problem).__name__
    took = (time.clock_gettime_ns(time.CLOCK_BOOTTIME) - at_ns) / 1e9
    return {
        "reachable": reachable,
        "answered": answered,
        "error": error,
        "at_ns": at_ns,
        "took_seconds": took,
    }


def _says_a_word(connection: socket.socket) -> bool:
    try:
        connection.sendall(_SSL_REQUEST)
        return bool(connection.recv(1))
    except OSError:  # silence, or the connection broke
        return False


def _parse(arguments: list[str]) -> tuple[str, int, float]:
    if len(arguments) != _ARGUMENTS:
        raise ValueError(f"{_ARGUMENTS} arguments were expected, not {len(arguments)}")
    address, port, timeout_seconds = arguments[0], int(arguments[1]), float(arguments[2])
    try:
        socket.inet_pton(socket.AF_INET, address)
    except OSError as error:  # a name that does not resolve must not pass for a server that is down
        raise ValueError(f"an IPv4 address was expected, not {address}") from error
    if not 0 < port < 2**16 or not 0 < timeout_seconds <= _LONGEST_SECONDS:
        raise ValueError("a port from 1 to 65535 and a time above zero were expected")
    return address, port, timeout_seconds


def main(arguments: list[str]) -> int:
    """Look and print; return the exit status."""
    try:
        address, port, timeout_seconds = _parse(arguments)
    except ValueError as error:
        sys.stderr.write(f"usage: python -m drdrill.load.reach ADDRESS PORT TIMEOUT_SECONDS: {error}\n")
        return _EXIT_USAGE
    sys.stdout.write(json.dumps(look(address, port, timeout_seconds)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
