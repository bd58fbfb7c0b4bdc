"""Where a name leads now, and whether anybody answers there: one JSON line of output.

`python -m drdrill.load.lead NAME PORT TIMEOUT_SECONDS`. Standard library only, so that it starts at once.
Exit status 0 whenever it could look, whatever it saw; 2 for wrong arguments.
"""

from __future__ import annotations

import json
import socket
import sys

_EXIT_USAGE = 2


def look(name: str, port: int, timeout_seconds: float) -> dict[str, bool]:
    """Return every IPv4 address of a name, and whether it takes a connection; none where nobody knows the name."""
    try:
        found = socket.getaddrinfo(name, port, socket.AF_INET, socket.SOCK_STREAM)
    except OSError:
        return {}
    addresses = [str(address) for _, _, _, _, (address, *_) in found]
    return {address: _answers(address, port, timeout_seconds) for address in addresses}


def _answers(address: str, port: int, timeout_seconds: float) -> bool:
    try:
        socket.create_connection((address, port), timeout=timeout_seconds).close()
    except OSError:
        return False
    return True


def main(arguments: list[str]) -> int:
    """Look and print; return the exit status."""
    try:
        name, port, timeout_seconds = arguments
        addresses = look(name, int(port), float(timeout_seconds))
    except ValueError as error:
        sys.stderr.write(f"usage: python -m drdrill.load.lead NAME PORT TIMEOUT_SECONDS ({error})\n")
        return _EXIT_USAGE
    sys.stdout.write(f"{json.dumps({'addresses': addresses})}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
