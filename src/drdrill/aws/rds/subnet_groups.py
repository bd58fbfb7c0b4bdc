"""DB subnet groups of one region: sets of its subnets, in whose zones instances stand."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drdrill.aws.errors import AwsError
from drdrill.aws.ports import SubnetNotFoundError
from drdrill.aws.rds.model import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.aws.ports import Fleet, Subnet, Subnets


@dataclass(frozen=True, slots=True)
class SubnetGroup:
    """A group of subnets of one VPC."""

    name: str
    description: str
    region: str
    subnets: tuple[Subnet, ...]
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def arn(self) -> str:
        """The Amazon Resource Name."""
        return f"arn:aws:rds:{self.region}:{ACCOUNT}:subgrp:{self.name}"

    @property
    def vpc(self) -> str:
        """The id of their VPC."""
        return self.subnets[0].vpc

    @property
    def zones(self) -> tuple[str, ...]:
        """Where instances of the group may stand."""
        return tuple(sorted({subnet.zone for subnet in self.subnets}))


def describe_subnet_group(group: SubnetGroup) -> dict[str, Any]:
    """Return a `DBSubnetGroup` of the API."""
    return {
        "DBSubnetGroupName": group.name,
        "DBSubnetGroupDescription": group.description,
        "VpcId": group.vpc,
        "SubnetGroupStatus": "Complete",
        "DBSubnetGroupArn": group.arn,
        "SupportedNetworkTypes": ["IPV4"],
        "Subnets": [
            {
                "SubnetIdentifier": subnet.identifier,
                "SubnetAvailabilityZone": {"Name": subnet.zone},
                "SubnetStatus": "Active",
            }
            for subnet in group.subnets
        ],
    }


class SubnetGroups:
    """The subnet groups of a region. Thread-safe."""

    def __init__(self, fleet: Fleet, subnets: Subnets) -> None:
        self._fleet = fleet
        self._subnets = subnets
        self._lock = threading.Lock()
        self._groups: dict[str, SubnetGroup] = {}

    def place(self, subnets: tuple[str, ...]) -> tuple[Subnet, ...]:
        """Return subnets by their ids; raises AWS's InvalidSubnet for one that is not there, and for several VPCs."""
        try:
            found = self._subnets.find(subnets)
        except SubnetNotFoundError as error:
            text = f"Some input subnets in :[{error.identifier}] are invalid."
            raise AwsError("InvalidSubnet", text) from error
        if len({subnet.vpc for subnet in found}) > 1:
            text = "The requested subnets are not all in a common VPC."
            raise AwsError("InvalidSubnet", text)
        return found

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
