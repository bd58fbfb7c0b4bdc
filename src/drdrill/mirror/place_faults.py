"""A whole zone, or a whole region with its APIs, without power: broken and mended in the supervisor, seen from outside.

What is looked at are the addresses of all hosts that had power, and of the region's APIs: whoever lives there at least
refuses a connection, and what has no power says nothing.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from drdrill.core.errors import DrdrillError, EnvironmentFailedError, UsageError
from drdrill.mirror.fault_observers import Silence
from drdrill.mirror.network import managed_zone

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from drdrill.core.clock import Clock
    from drdrill.mirror.fault_observers import Eyes, Host
    from drdrill.mirror.network import Network, RegionLayout
    from drdrill.mirror.zones import ZoneOperations

    Answer = Mapping[str, Any]

KINDS = frozenset({"zone_power_loss", "region_power_loss"})
_LOOKS_AT_ONCE = 8


class PlaceFaults:
    """The operations, by name in `table`. Each is called from a thread of the control server."""

    def __init__(self, network: Network, zones: ZoneOperations, clock: Clock) -> None:
        self._network, self._zones, self._clock = network, zones, clock

    def table(self) -> Mapping[str, Callable[..., Answer]]:
        """Return the operations by name."""
        return {
            "inject_place": self.inject,
            "heal_place": self.heal,
            "hosts_in_place": self.hosts_in_place,
        }

    def inject(self, kind: str, resource: str) -> Answer:
        """Cut the power of a zone or a region; raises `UsageError` when there is none of that name."""
        region, zones = self._find(kind, resource)
        hosts = self.hosts_in_place(kind, resource)["hosts"]
        before_ns = self._clock.now_ns()
        if kind == "region_power_loss":
            self._network.silence_endpoints(region.name)  # first: nobody may order anything there any more
        # At once: a region that goes dark zone after zone would fail over within itself meanwhile.
        with ThreadPoolExecutor(len(zones)) as pool:
            list(pool.map(self._zones.lose_zone, zones))
        return {
            "resource": resource,
            "before_ns": before_ns,
            "after_ns": self._clock.now_ns(),
            "details": {"place": resource, "hosts": [host for host in hosts if host["powered"]]},
        }

    def heal(self, kind: str, resource: str) -> Answer:
        """Give a zone or a region its power back; harmless when it has it.

        Raises `EnvironmentFailedError` when something of that failed, after every zone has its power.
        """
        region, zones = self._find(kind, resource)
        returned: list[str] = []
        failures: list[str] = []
        for zone in zones:  # one that does not return in full keeps the others from nothing
            try:
                returned += self._zones.return_zone(zone)["hosts"]
            except DrdrillError as error:
                failures.append(str(error))
        if kind == "region_power_loss":
            self._network.restore_endpoints(region.name)
        if failures:
            raise EnvironmentFailedError(" ".join(failures))
        return {"place": resource, "hosts": returned}

    def hosts_in_place(self, kind: str, resource: str) -> Answer:
        """List everything with an address there: hosts, and the APIs of a region."""
        region, zones = self._find(kind, resource)
        hosts = list_hosts(self._network, zones)
        if kind == "region_power_loss":
            hosts.append(describe_apis(self._network, region.name))
        return {"hosts": hosts}

    def _find(self, kind: str, name: str) -> tuple[RegionLayout, tuple[str, ...]]:
        """Return the region that a place is, or lies in, and its zones: with those of AWS's own machines."""
        for layout in self._network.regions:
            if kind == "region_power_loss" and layout.name == name:
                return layout, (*layout.zones, managed_zone(name))
            if kind == "zone_power_loss" and name in layout.zones:
                return layout, (name,)
        what = "region" if kind == "region_power_loss" else "zone"
        names = [layout.name for layout in self._network.regions]
        if kind == "zone_power_loss":
            names = [zone for layout in self._network.regions for zone in layout.zones]
        raise UsageError(f"there is no {what} `{name}` in this mirror: {', '.join(names)}.")


def list_hosts(network: Network, zones: Collection[str]) -> list[Host]:
    """List the hosts that stand in these zones."""
    return [
        {"host": one.name, "zone": one.zone, "address": one.address, "powered": one.powered}
        for one in network.hosts()
        if one.zone in zones
    ]


def describe_apis(network: Network, region: str) -> Host:
    """Return a region's APIs, as if they were a host."""
    return {
        "host": f"the APIs of {region}",
        "zone": region,
        "address": network.endpoints()[region],
        "powered": not network.is_silent(region),
    }


def observe_dark(eyes: Eyes, hosts: Sequence[Host]) -> dict[str, Any]:
    """Look at everything that had power there: whether all of it is silent."""
    return _look_at_all(eyes, hosts, Silence().observe_effect, "effective")


def observe_lit(eyes: Eyes, hosts: Sequence[Host]) -> dict[str, Any]:
    """Look at everything that lost its power: whether all of it says something again."""
    return _look_at_all(eyes, hosts, Silence().observe_healed, "healed")


def _look_at_all(
    eyes: Eyes,
    hosts: Sequence[Host],
    look: Callable[[Eyes, Sequence[Host]], dict[str, Any]],
    what: str,
) -> dict[str, Any]:
    """Look at many hosts, several at once: a silent one takes as long as is waited for it."""
    with ThreadPoolExecutor(_LOOKS_AT_ONCE) as pool:
        readings = list(pool.map(lambda host: look(eyes, [host]), hosts))
    looks = [
        {"host": host["host"], **reading["looks"][0]} for host, reading in zip(hosts, readings, strict=True)
    ]
    return {
        what: bool(readings) and all(reading[what] for reading in readings),
        "observer": readings[0]["observer"] if readings else "nobody: there is nothing",
        "looks": looks,
    }
