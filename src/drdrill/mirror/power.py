"""Cutting any host's power over the control socket, and giving it back: nodes, the machine that deploys, any other.

A database's hosts are broken by faults, which notice what became of the database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.mirror.host import WorldHost
    from drdrill.mirror.network import Network


class PowerOperations:
    """The operations, by name in `table`. Each is called from a thread of the control server."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def table(self) -> Mapping[str, Callable[..., Mapping[str, Any]]]:
        """Return the operations by name."""
        return {"power_off": self.power_off, "power_on": self.power_on}

    def power_off(self, host: str) -> Mapping[str, Any]:
        """Cut a host's power; nothing runs on it when this returns. Harmless when it is off."""
        found = self._find(host)
        self._network.power_off(found)
        found.await_end()
        return {"host": found.name, "powered": found.powered}

    def power_on(self, host: str) -> Mapping[str, Any]:
        """Give a host its power back; whoever keeps programs on it starts them. Harmless when it has power."""
        found = self._find(host)
        self._network.power_on(found)
        return {"host": found.name, "powered": found.powered}

    def _find(self, name: str) -> WorldHost:
        try:
            return self._network.find_host(name)
        except KeyError:
            from drdrill.plan.nearest import suggest  # noqa: PLC0415  (as in `link_faults.read_condition`)

            there = [host.name for host in self._network.hosts()]
            hint = suggest(name, there, what="Hosts")
            raise UsageError(f"there is no host `{name}` in this mirror. {hint}") from None
