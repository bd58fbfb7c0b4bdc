"""Sets links down at once: a program that enters a namespace for it takes 10 ms, and a loss of power is sudden."""

from __future__ import annotations

import fcntl
import socket
import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from drdrill.core.errors import EnvironmentFailedError
from drdrill.mirror.kubernetes.runtime.pod.kernel import CLONE_NEWNET, enter_namespace

if TYPE_CHECKING:
    from drdrill.mirror.host import WorldHost

_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 0x1  # of the kernel's sockios.h and if.h
_REQUEST = "16sH14x"  # struct ifreq: name, flags


class LinkSwitch:
    """The links of one network namespace, through a socket that was opened in it. `where`: None for our own."""

    def __init__(self, where: WorldHost | None) -> None:
        if where is None:
            self._socket = _open_socket()
            return
        with ThreadPoolExecutor(1) as pool:  # a thread of its own enters, and ends there
            self._socket = pool.submit(_open_inside, where.init_pid).result()

    def set_down(self, device: str) -> None:
        """Take a link down: nothing passes it any more. Raises `EnvironmentFailedError` when there is none."""
        try:
            flags = self._ask(_SIOCGIFFLAGS, device, 0)
            self._ask(_SIOCSIFFLAGS, device, flags & ~_IFF_UP)
        except OSError as error:
            raise EnvironmentFailedError(f"the link {device} cannot be set down: {error}") from error

    def _ask(self, request: int, device: str, flags: int) -> int:
        answer = fcntl.ioctl(self._socket, request, struct.pack(_REQUEST, device.encode(), flags))
        return int(struct.unpack(_REQUEST, answer)[1])


def _open_socket() -> socket.socket:
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def _open_inside(pid: int | None) -> socket.socket:
    with Path(f"/proc/{pid}/ns/net").open("rb") as namespace:
        enter_namespace(namespace.fileno(), CLONE_NEWNET)
    return _open_socket()
