"""Cache subnet groups of one region: subnets, each with the zone that EC2 says it lies in."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from drdrill.aws.elasticache.tags import read_tags
from drdrill.aws.errors import AwsError
from drdrill.aws.ports import SubnetNotFoundError
from drdrill.aws.rds.listing import select_page
from drdrill.aws.rds.model import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.elasticache.region import CacheRegion
    from drdrill.aws.ports import Subnet
    from drdrill.aws.protocol import Parameters

_NAME = re.compile(r"[a-zA-Z0-9-]{1,255}")


@dataclass(frozen=True, slots=True)
class SubnetGroup:
    """A group of subnets."""

    name: str
    description: str
    region: str
    subnets: tuple[Subnet, ...]
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def arn(self) -> str:
        """The Amazon Resource Name."""
        return f"arn:aws:elasticache:{self.region}:{ACCOUNT}:subnetgroup:{self.name}"

    @property
    def zones(self) -> tuple[str, ...]:
        """Where nodes of the group may stand."""
        return tuple(sorted({subnet.zone for subnet in self.subnets}))


class SubnetGroups:
    """The subnet groups of a region. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._groups: dict[str, SubnetGroup] = {}

    def find(self, name: str) -> SubnetGroup:
        """Return a group; raises AWS's CacheSubnetGroupNotFoundFault."""
        with self._lock:
            found = self._groups.get(name.lower())
        if found is None:
            text = f"Cache Subnet Group {name} does not exist."
            raise AwsError("CacheSubnetGroupNotFoundFault", text)
        return found

    def add(self, group: SubnetGroup) -> None:
        """Enter a new group; raises AWS's CacheSubnetGroupAlreadyExists."""
        with self._lock:
            if group.name in self._groups:
                text = f"Cache subnet group {group.name} already exists."
                raise AwsError("CacheSubnetGroupAlreadyExists", text)
            self._groups[group.name] = group

    def change(self, name: str, change: Callable[[SubnetGroup], SubnetGroup]) -> SubnetGroup:
        """Put a changed group in the place of the one of its name, and return it; raises as `find` does."""
        found = self.find(name)
        with self._lock:
            self._groups[found.name] = changed = change(self._groups[found.name])
        return changed

    def remove(self, name: str) -> None:
        """Forget a group."""
        with self._lock:
            self._groups.pop(name, None)

    def all(self) -> tuple[SubnetGroup, ...]:
        """Return all groups."""
        with self._lock:
            return tuple(self._groups.values())


class SubnetGroupOperations:
    """The operations on the subnet groups of one region."""

    def __init__(self, region: CacheRegion) -> None:
        self._region = region
        self._groups = region.subnet_groups

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {
            "CreateCacheSubnetGroup": self.create_cache_subnet_group,
            "DescribeCacheSubnetGroups": self.describe_cache_subnet_groups,
            "ModifyCacheSubnetGroup": self.modify_cache_subnet_group,
            "DeleteCacheSubnetGroup": self.delete_cache_subnet_group,
        }

    def create_cache_subnet_group(self, parameters: Parameters) -> Mapping[str, Any]:
        """Make a group of subnets of one VPC."""
        name = parameters["CacheSubnetGroupName"].lower()
        if not _NAME.fullmatch(name) or name == "default":
            text = f"The parameter CacheSubnetGroupName is not valid: {name}"
            raise AwsError("InvalidParameterValue", text)
        group = SubnetGroup(
            name=name,
            description=parameters["CacheSubnetGroupDescription"],
            region=self._region.name,
            subnets=self._find_subnets(parameters["SubnetIds"]),
            tags=read_tags(parameters),
        )
        self._groups.add(group)
        return {"CacheSubnetGroup": _describe(group)}

    def describe_cache_subnet_groups(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe one group, or all."""
        wanted = parameters.get("CacheSubnetGroupName")
        found = (self._groups.find(wanted),) if wanted else self._groups.all()
        page, more = select_page(found, parameters, key=lambda group: group.name)
        return {"CacheSubnetGroups": [_describe(group) for group in page], **more}

    def modify_cache_subnet_group(self, parameters: Parameters) -> Mapping[str, Any]:
        """Give a group other subnets; those in which nodes stand cannot be taken away."""
        found = self._groups.find(parameters["CacheSubnetGroupName"])
        subnets = (
            self._find_subnets(parameters["SubnetIds"]) if parameters.get("SubnetIds") else found.subnets
        )
        zones = {subnet.zone for subnet in subnets}
        for group in self._region.groups():
            record = group.record
            if record.subnet_group == found.name and {node.zone for node in record.nodes} - zones:
                raise AwsError("SubnetInUse", f"Some of the subnets are in use by {record.identifier}.")
        description = parameters.get("CacheSubnetGroupDescription", found.description)
        changed = self._groups.change(
            found.name, lambda group: replace(group, subnets=subnets, description=description)
        )
        return {"CacheSubnetGroup": _describe(changed)}

    def delete_cache_subnet_group(self, parameters: Parameters) -> Mapping[str, Any]:
        """Delete a group that no replication group has."""
        found = self._groups.find(parameters["CacheSubnetGroupName"])
        for group in self._region.groups():
            if group.record.subnet_group == found.name:
                text = f"Cache subnet group {found.name} is currently in use by a cache cluster."
                raise AwsError("CacheSubnetGroupInUse", text)
        self._groups.remove(found.name)
        return {}

    def _find_subnets(self, identifiers: list[str]) -> tuple[Subnet, ...]:
        try:
            subnets = self._region.subnets.find(tuple(dict.fromkeys(identifiers)))
        except SubnetNotFoundError as error:
            text = f"Some input subnets in :[{error.identifier}] are invalid."
            raise AwsError("InvalidSubnet", text) from error
        if not subnets:
            raise AwsError("InvalidParameterValue", "The parameter SubnetIds must be provided.")
        if len({subnet.vpc for subnet in subnets}) > 1:
            text = "The specified subnets are not in the same VPC."
            raise AwsError("InvalidSubnet", text)
        return subnets


def _describe(group: SubnetGroup) -> dict[str, Any]:
    return {
        "CacheSubnetGroupName": group.name,
        "CacheSubnetGroupDescription": group.description,
        "VpcId": group.subnets[0].vpc,
        "ARN": group.arn,
        "SupportedNetworkTypes": ["ipv4"],
        "Subnets": [
            {
                "SubnetIdentifier": subnet.identifier,
                "SubnetAvailabilityZone": {"Name": subnet.zone},
                "SupportedNetworkTypes": ["ipv4"],
            }
            for subnet in group.subnets
        ],
    }
