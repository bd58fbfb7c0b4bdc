"""A zone's place in the network: its bridge, what leads out of it, and the addresses that its hosts get."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from drdrill.core.errors import EnvironmentFailedError

if TYPE_CHECKING:
    from collections.abc import Container

    from drdrill.mirror.host import WorldHost

_FIRST_HOST, _LAST_HOST = 10, 249


@dataclass(slots=True)
class ZoneBridge:
    """A bridge: in which network namespace, its gateway's device and address, and the next free host address."""

    router: WorldHost | None  # None: the core
    bridge: str
    gateway_device: str
    uplink: str  # the bridge's port to the gateway; `` where the bridge itself is the gateway
    prefix: str
    length: int
    next_host: int = _FIRST_HOST

    @property
    def gateway(self) -> str:
        """Its gateway's address."""
        return f"{self.prefix}.1"

    def choose_address(self, used: Container[str]) -> str:
        """Return an address that no host has: the next one in turn, so that one that was given back rests a while."""
        numbers = [*range(self.next_host, _LAST_HOST + 1), *range(_FIRST_HOST, self.next_host)]
        number = next((one for one in numbers if f"{self.prefix}.{one}" not in used), None)
        if number is None:
            raise EnvironmentFailedError(
                f"all {len(numbers)} addresses of {self.prefix}.0 are taken by hosts."
            )
        self.next_host = number + 1
        return f"{self.prefix}.{number}"
