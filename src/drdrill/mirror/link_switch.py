"""Sets links down without a program that has to start for it first: a loss of power is sudden."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from drdrill.core.errors import EnvironmentFailedError
from drdrill.mirror import kernel

if TYPE_CHECKING:
    import socket

    from drdrill.mirror.host import WorldHost


class LinkSwitch:
    """The links of one network namespace, through a socket that was opened in it. `where`: None for our own.

    Raises OSError when `where` has no power.
    """

    def __init__(self, where: WorldHost | None) -> None:
        if where is None:
            self._socket = kernel.open_network_socket()
            return
        with ThreadPoolExecutor(1) as pool:  # a thread of its own enters, and ends there
            self._socket = pool.submit(_open_inside, where.init_pid).result()

    def set_down(self, device: str) -> None:
        """Take a link down: nothing passes it any more. Raises `EnvironmentFailedError` when there is none."""
        try:
            kernel.set_link(self._socket, device, up=False)
        except OSError as error:
            raise EnvironmentFailedError(f"the link {device} cannot be set down: {error}") from error


def _open_inside(pid: int | None) -> socket.socket:
    with Path(f"/proc/{pid}/ns/net").open("rb") as namespace:
        kernel.enter_namespace(namespace.fileno(), kernel.CLONE_NEWNET)
    return kernel.open_network_socket()
