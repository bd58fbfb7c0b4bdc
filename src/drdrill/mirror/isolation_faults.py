"""A region cut off from everybody outside, all the time or in turns: broken and mended in the supervisor.

Who looks whether that shows is in `isolation_observers`.
"""

from __future__ import annotations

import threading
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from drdrill.core.errors import UsageError
from drdrill.mirror.flapping import Flapping, read_rhythm
from drdrill.mirror.place_faults import describe_apis, list_hosts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.core.clock import Clock
    from drdrill.mirror.isolation import Isolation
    from drdrill.mirror.network import Network, RegionLayout

    Answer = Mapping[str, Any]

KINDS = frozenset({"region_isolation", "region_flapping"})


class IsolationFaults:
    """The operations, by name in `table`. Each is called from a thread of the control server."""

    def __init__(self, network: Network, isolation: Isolation, clock: Clock) -> None:
        self._network, self._isolation, self._clock = network, isolation, clock
        self._lock = threading.Lock()
        self._flapping: dict[str, Flapping] = {}

    def table(self) -> Mapping[str, Callable[..., Answer]]:
        """Return the operations by name."""
        return {
            "inject_isolation": self.inject,
            "heal_isolation": self.heal,
            "region_now": self.describe,
        }

    def inject(self, kind: str, resource: str, amount: str = "") -> Answer:
        """Isolate a region, all the time or by the rhythm that `amount` says.

        Raises `UsageError` when there is no region of that name, the amount says nothing, or the region comes and goes
        by another rhythm already.
        """
        region = self._find(resource)
        rhythm = read_rhythm(amount) if kind == "region_flapping" else None
        with self._lock:
            flapping = self._flapping.get(region.name)
            if flapping is not None and flapping.rhythm != rhythm:
                text = f"{region.name} comes and goes already, by another rhythm: heal that first."
                raise UsageError(text)
            before_ns = self._clock.now_ns()
            if rhythm is None:
                self._isolation.isolate(region.name)
            elif flapping is None:
                self._flapping[region.name] = Flapping(self._isolation, region.name, rhythm)
        return {
            "resource": resource,
            "before_ns": before_ns,
            "after_ns": self._clock.now_ns(),
            "details": {"place": resource, **({"rhythm": asdict(rhythm)} if rhythm else {})},
        }

    def heal(self, resource: str) -> Answer:
        """Connect a region for good; harmless when it is connected. Raises what kept it from coming and going."""
        region = self._find(resource)
        with self._lock:
            was = self._isolation.is_isolated(region.name)
            flapping = self._flapping.pop(region.name, None)
            if flapping is not None:
                flapping.stop()
            self._isolation.connect(region.name)
        return {"place": resource, "was_isolated": was}

    def describe(self, resource: str) -> Answer:
        """Say what has power in a region now, its APIs included, and which other regions' APIs there are.

        `zone`: the one of it in which somebody may stand who looks around.
        """
        region = self._find(resource)
        apis = describe_apis(self._network, region.name)
        hosts = [one for one in list_hosts(self._network, region.networks) if one["powered"]]
        return {
            "hosts": [*hosts, apis],
            "apis": apis,
            "zone": region.zones[0],
            "outside": [
                {"host": f"the APIs of {name}", "zone": name, "address": address}
                for name, address in self._network.endpoints().items()
                if name != region.name
            ],
        }

    def _find(self, name: str) -> RegionLayout:
        for layout in self._network.regions:
            if layout.name == name:
                return layout
        names = ", ".join(layout.name for layout in self._network.regions)
        raise UsageError(f"there is no region `{name}` in this mirror: {names}.")
