"""How a keeper is talked to: one packet a message, JSON, with open files beside it where they are needed."""

from __future__ import annotations

import json
import os
import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_SOCKET = "keeper"
_LARGEST = 1 << 20
_MOST_FILES = 3


def listen(directory: str) -> socket.socket:
    """Return the socket at which the keeper of this pod listens."""
    server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    folder = os.open(directory, os.O_PATH | os.O_DIRECTORY)
    try:
        # Through the descriptor: the path of a mirror's directory may be longer than a socket's address can be.
        server.bind(f"/proc/self/fd/{folder}/{_SOCKET}")
    finally:
        os.close(folder)
    server.listen(32)
    return server


def connect(directory: str) -> socket.socket:
    """Return a connection to the keeper of a pod; raises OSError when there is none."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    folder = os.open(directory, os.O_PATH | os.O_DIRECTORY)
    try:
        connection.connect(f"/proc/self/fd/{folder}/{_SOCKET}")
    except OSError:
        connection.close()
        raise
    finally:
        os.close(folder)
    return connection


def send(connection: socket.socket, message: dict[str, Any], files: Sequence[int] = ()) -> None:
    """Send one message with open files."""
    packet = json.dumps(message).encode()
    if files:
        socket.send_fds(connection, [packet], list(files))
    else:
        connection.send(packet)


def receive(connection: socket.socket) -> tuple[dict[str, Any] | None, list[int]]:
    """Return one message and the open files that came with it; None when the other side has closed."""
    packet, files, _, _ = socket.recv_fds(connection, _LARGEST, _MOST_FILES)
    for file in files:
        os.set_inheritable(file, False)
    return (json.loads(packet) if packet else None), files
