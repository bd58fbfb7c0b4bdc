"""The picture of a mirror: regions, zones, hosts, and everything that runs on them, in one answer.

Every part of the mirror adds what it knows, in words of its own; what it does not know is None, and never zero.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as LateError
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drdrill.mirror.network import Network

_WITHIN_SECONDS = 3.0  # measured 5 ms; a cluster whose API server hangs is asked for longer


@dataclass(frozen=True, slots=True)
class Lag:
    """How far something is behind, in bytes, seconds or objects; None: nobody knows."""

    unit: str
    value: float | None


@dataclass(frozen=True, slots=True)
class Member:
    """A server of a part: its role, where it is, how it is. `lag` is None for what follows nobody."""

    name: str
    role: str
    zone: str | None
    host: str | None
    state: str
    healthy: bool
    address: str | None = None
    lag: Lag | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Something that a company has in a region: a database, a cache, a cluster, a load balancer, a bucket.

    `hosts`: those that are its own, beside its members'.
    """

    kind: str
    name: str
    region: str
    status: str
    healthy: bool
    endpoint: str | None = None
    members: tuple[Member, ...] = field(default=())
    hosts: tuple[str, ...] = ()


class Picture:
    """Draws the picture when it is asked for over the control socket; `parts` are asked side by side."""

    def __init__(self, network: Network, parts: Mapping[str, Callable[[], Sequence[Part]]]) -> None:
        self._network = network
        self._parts = parts

    def table(self) -> Mapping[str, Callable[..., Mapping[str, Any]]]:
        """Return the operations by name."""
        return {"picture": self.draw}

    def draw(self) -> Mapping[str, Any]:
        """Return regions with their zones, parts, and what could not be looked at, with the reason."""
        parts: list[Part] = []
        problems: list[str] = []
        pool = ThreadPoolExecutor(len(self._parts) or 1, thread_name_prefix="picture")
        asked = {kind: pool.submit(look) for kind, look in self._parts.items()}
        for kind, answer in asked.items():
            try:
                parts.extend(answer.result(_WITHIN_SECONDS))
            except LateError:
                problems.append(f"{kind}: no answer within {_WITHIN_SECONDS:g} s")
            except Exception as error:  # noqa: BLE001  (one part that cannot be seen must not hide the others)
                problems.append(f"{kind}: {type(error).__name__}: {error}")
        pool.shutdown(wait=False)
        return {
            "regions": [self._describe_region(layout.name, layout.zones) for layout in self._network.regions],
            "parts": [asdict(part) for part in parts],
            "problems": problems,
        }

    def _describe_region(self, region: str, zones: Sequence[str]) -> Mapping[str, Any]:
        hosts = self._network.hosts()
        return {
            "name": region,
            "apis_answer": not self._network.is_silent(region),
            "zones": [
                {
                    "name": zone,
                    "hosts": sum(host.zone == zone for host in hosts),
                    "without_power": [host.name for host in hosts if host.zone == zone and not host.powered],
                }
                for zone in zones
            ],
        }
