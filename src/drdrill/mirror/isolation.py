"""A region that nobody outside hears, and that hears nobody outside: by which packets the core routes on.

::

    hosts of the region ◀─▶ each other, their own region's APIs, the supervisor, the resolver: as ever
    everything else     ──▶ dropped without a word, also of connections that are open

Rules come before routes: one that drops says nothing to whoever sent, where a route that is gone says *unreachable*.
The resolver stands for the one that every VPC has, and the supervisor for the region's own control plane; what that one
does for two regions at once it leaves while one of them is isolated (`hear_each_other`). The network is built so that
the kernel looks for routes after these rules (`ROUTES_RULE`).
"""

from __future__ import annotations

import json
import subprocess
import threading
from typing import TYPE_CHECKING

from drdrill.core.errors import CommandFailedError
from drdrill.mirror.network import DNS_ADDRESS, ROUTES_RULE, VPC_OCTETS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from drdrill.mirror.network import RegionLayout

_RULES_OF_A_REGION = 50
_APIS = "198.19.0.0/16"


class Isolation:
    """Isolates regions and connects them again. Thread-safe."""

    def __init__(self, regions: Sequence[RegionLayout]) -> None:
        self._numbers = {region.name: number for number, region in enumerate(regions)}
        self._lock = threading.Lock()
        self._isolated: set[str] = set()

    def isolate(self, region: str) -> None:
        """Have nothing come out of a region and nothing into it. Harmless when it is so."""
        number = self._numbers[region]
        with self._lock:
            if region in self._isolated:
                return
            try:
                for priority, rule in enumerate(_rules(number), start=_first(number)):
                    _ip("rule", "add", "priority", str(priority), *rule.split())
            except BaseException:
                _remove_rules(number)  # a region that is isolated by halves is neither
                raise
            self._isolated.add(region)

    def connect(self, region: str) -> None:
        """Have a region be heard again, and hear. Harmless when it is."""
        with self._lock:
            _remove_rules(self._numbers[region])
            self._isolated.discard(region)

    def is_isolated(self, region: str) -> bool:
        """Tell whether a region is isolated."""
        return region in self._isolated

    def hear_each_other(self, one: str, other: str) -> bool:
        """Tell whether two regions hear each other."""
        return one == other or not self._isolated & {one, other}


def _remove_rules(number: int) -> None:
    """Remove what there is of a region's rules, those that drop first."""
    own = range(_first(number), _first(number) + _RULES_OF_A_REGION)
    there = {one["priority"] for one in json.loads(_ip("-json", "rule", "show"))}
    for priority in sorted(there & set(own), reverse=True):
        _ip("rule", "del", "priority", str(priority))


def _first(number: int) -> int:
    return 1 + number * _RULES_OF_A_REGION


def _rules(number: int) -> Iterator[str]:
    """Yield what passes and what does not, in order. A packet of the core's own has no source before it has a route."""
    hosts, apis, core = f"10.{VPC_OCTETS[number]}.0.0/16", f"198.19.{number}.0/24", f"169.254.{number}.0/30"
    for one, other in ((hosts, hosts), (hosts, apis), (apis, apis), (hosts, core), (hosts, DNS_ADDRESS)):
        for source, destination in dict.fromkeys(((one, other), (other, one))):
            yield f"from {source} to {destination} goto {ROUTES_RULE}"
    yield f"from {_APIS} to {hosts} blackhole"  # those of other regions, which the core has as well
    for here in (hosts, apis):
        yield f"iif lo to {here} goto {ROUTES_RULE}"
    for here in (hosts, apis):
        yield f"from {here} blackhole"
        yield f"to {here} blackhole"


def _ip(*arguments: str) -> str:
    """Run `ip` in the core, and return what it said."""
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise CommandFailedError(["ip", *arguments], done.returncode, done.stderr)
    return done.stdout
