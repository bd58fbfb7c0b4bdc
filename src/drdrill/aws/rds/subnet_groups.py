"""DB subnet groups of one region, and the zones that their subnets stand for.

There is no VPC API in the mirror yet: a subnet is a name. The first one that RDS hears of lies in the region's first
zone, the next one in the second, and so on; a subnet stays in its zone as long as the mirror stands.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drdrill.aws.errors import AwsError
from drdrill.aws.rds.model import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.aws.ports import Fleet

VPC = "vpc-00000000000000000"  # the one network that a region of the mirror has


@dataclass(frozen=True, slots=True)
class SubnetGroup:
    """A group of subnets, each with its zone."""

    name: str
    description: str
    region: str
    subnets: tuple[tuple[str, str], ...]
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def arn(self) -> str:
        """The Amazon Resource Name."""
        return f"arn:aws:rds:{self.region}:{ACCOUNT}:subgrp:{self.name}"

    @property
    def zones(self) -> tuple[str, ...]:
        """Where instances of the group may stand."""
        return tuple(sorted({zone for _, zone in self.subnets}))


class SubnetGroups:
    """The subnet groups of a region. Thread-safe."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._lock = threading.Lock()
        self._groups: dict[str, SubnetGroup] = {}
        self._zones: dict[str, str] = {}

    def place(self, subnets: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        """Return every subnet with its zone."""
        zones = self._fleet.zones
        with self._lock:
            for subnet in subnets:
                self._zones.setdefault(subnet, zones[len(self._zones) % len(zones)])
            return tuple((subnet, self._zones[subnet]) for subnet in subnets)

    def zones_for(self, name: str | None) -> tuple[str, ...]:
        """Return the zones in which an instance of a group may stand; without a group all of the region."""
        with self._lock:
            group = self._groups.get(name or "")
        return group.zones if group else self._fleet.zones

    def find(self, name: str) -> SubnetGroup:
        """Return a group; raises AWS's DBSubnetGroupNotFoundFault."""
        with self._lock:
            found = self._groups.get(name.lower())
        if found is None:
            raise AwsError(
                "DBSubnetGroupNotFoundFault", f"DB subnet group '{name}' does not exist.", status=404
            )
        return found

    def add(self, group: SubnetGroup) -> None:
        """Enter a new group; raises AWS's DBSubnetGroupAlreadyExists."""
        with self._lock:
            if group.name in self._groups:
                text = f"The DB subnet group '{group.name}' already exists."
                raise AwsError("DBSubnetGroupAlreadyExists", text)
            self._groups[group.name] = group

    def change(self, name: str, change: Callable[[SubnetGroup], SubnetGroup]) -> SubnetGroup:
        """Put a changed group in the place of the one of its name, and return it; raises as `find` does."""
        self.find(name)
        with self._lock:
            self._groups[name.lower()] = changed = change(self._groups[name.lower()])
        return changed

    def remove(self, name: str) -> None:
        """Forget a group."""
        with self._lock:
            self._groups.pop(name, None)

    def all(self) -> tuple[SubnetGroup, ...]:
        """Return all groups."""
        with self._lock:
            return tuple(self._groups.values())
