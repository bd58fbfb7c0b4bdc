"""Losing a whole zone over the control socket, and having it back: the one way in which a zone is broken.

::

    lose_zone     EC2 launches nothing there ─▶ every host of it is dark ─▶ what is made there stays dark
    return_zone   hosts have their power again ─▶ who keeps databases is told ─▶ EC2 launches there

In that order, so that nobody launches into a zone that is going dark, or is told that it may before there is power.
That somebody cannot start what he keeps is said, and keeps nobody else from starting; asked again, he is told again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from drdrill.core.errors import EnvironmentFailedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.mirror.network import Network


class Launches(Protocol):
    """Who launches instances for customers."""

    def stop_launches(self, zone: str, /) -> None:
        """Launch none in a zone from now on."""
        ...

    def resume_launches(self, zone: str, /) -> None:
        """Launch in a zone again, as far as nothing else forbids it."""
        ...


class ZoneOperations:
    """The operations, by name in `table`.

    `notice_power` is told the name of each host that has its power again, until it raises nothing.
    """

    def __init__(self, network: Network, launches: Launches, notice_power: Callable[[str], None]) -> None:
        self._network = network
        self._launches = launches
        self._notice_power = notice_power
        self._untold: dict[str, set[str]] = {}  # by zone: hosts with power of which nobody could be told yet

    def table(self) -> Mapping[str, Callable[..., Mapping[str, Any]]]:
        """Return the operations by name."""
        return {"lose_zone": self.lose_zone, "return_zone": self.return_zone}

    def lose_zone(self, zone: str) -> Mapping[str, Any]:
        """Cut the power of a zone; nothing runs there when this returns. Harmless when it is lost."""
        self._require(zone)
        if zone in self._customers_zones():
            self._launches.stop_launches(zone)
        lost = self._network.lose_zone(zone)
        for host in lost:
            host.await_end()
        return {"zone": zone, "hosts": [host.name for host in lost]}

    def return_zone(self, zone: str) -> Mapping[str, Any]:
        """Give a zone its power back; whoever keeps programs there starts them. Harmless when it is not lost.

        Raises `EnvironmentFailedError` when something of that failed, after everything else was done.
        """
        self._require(zone)
        dark = [host for host in self._network.hosts() if host.zone == zone and not host.powered]
        try:
            returned = self._network.return_zone(zone)
        finally:  # also those that came back before another one did not
            self._untold.setdefault(zone, set()).update(host.name for host in dark if host.powered)
            failures = self._tell_of_power(self._untold[zone])
        if zone in self._customers_zones():
            self._launches.resume_launches(zone)
        if failures:
            text = f"the zone {zone} has its power again, but not all that was there runs: {'; '.join(failures)}."
            raise EnvironmentFailedError(text)
        return {"zone": zone, "hosts": [host.name for host in returned]}

    def _tell_of_power(self, untold: set[str]) -> list[str]:
        """Tell of hosts that have their power again, and return what failed; that is left to be told."""
        failures = []
        for name in sorted(untold):
            try:
                self._notice_power(name)
            except Exception as error:  # noqa: BLE001  (collected: the others are told, too)
                failures.append(f"{name}: {type(error).__name__}: {error}")
            else:
                untold.discard(name)
        return failures

    def _customers_zones(self) -> set[str]:
        """Return the zones in which customers launch: not those of AWS's own machines."""
        return {name for layout in self._network.regions for name in layout.zones}

    def _require(self, zone: str) -> None:
        zones = [name for layout in self._network.regions for name in layout.networks]
        if zone not in zones:
            raise UsageError(f"there is no zone `{zone}` in this mirror: {', '.join(zones)}.")
