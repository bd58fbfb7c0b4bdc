"""Operations on DB subnet groups: make, describe, change, delete."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from drdrill.aws.errors import AwsError
from drdrill.aws.rds.listing import select_page
from drdrill.aws.rds.subnet_groups import SubnetGroup, describe_subnet_group
from drdrill.aws.rds.tags import read_tags

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.ports import Subnet
    from drdrill.aws.protocol import Parameters
    from drdrill.aws.rds.region import RdsRegion

_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9 ._-]{0,254}")
_LEAST_ZONES = 2  # API reference, CreateDBSubnetGroup


class SubnetGroupOperations:
    """The operations on the subnet groups of one region."""

    def __init__(self, region: RdsRegion) -> None:
        self._region = region
        self._groups = region.subnet_groups

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {
            "CreateDBSubnetGroup": self.create_db_subnet_group,
            "DescribeDBSubnetGroups": self.describe_db_subnet_groups,
            "ModifyDBSubnetGroup": self.modify_db_subnet_group,
            "DeleteDBSubnetGroup": self.delete_db_subnet_group,
        }

    def create_db_subnet_group(self, parameters: Parameters) -> Mapping[str, Any]:
        """Make a group of subnets in at least two zones."""
        name = parameters["DBSubnetGroupName"].lower()
        if not _NAME.fullmatch(name) or name == "default":
            raise AwsError("InvalidParameterValue", f"The DB subnet group name {name} is not valid.")
        group = SubnetGroup(
            name=name,
            description=parameters["DBSubnetGroupDescription"],
            region=self._region.name,
            subnets=self._place(parameters),
            tags=read_tags(parameters),
        )
        self._groups.add(group)
        return {"DBSubnetGroup": describe_subnet_group(group)}

    def describe_db_subnet_groups(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe one group, or all."""
        if parameters.get("Filters"):
            raise AwsError("InvalidParameterValue", "Filters are not supported by DescribeDBSubnetGroups")
        wanted = parameters.get("DBSubnetGroupName")
        found = (self._groups.find(wanted),) if wanted else self._groups.all()
        page, more = select_page(found, parameters, key=lambda group: group.name)
        return {"DBSubnetGroups": [describe_subnet_group(group) for group in page], **more}

    def modify_db_subnet_group(self, parameters: Parameters) -> Mapping[str, Any]:
        """Give a group other subnets; those in which its instances stand cannot be taken away."""
        found = self._groups.find(parameters["DBSubnetGroupName"])
        subnets = self._place(parameters)
        zones = {subnet.zone for subnet in subnets}
        for one in self._region.instances():
            record = one.record
            if record.subnet_group == found.name and {record.zone, record.secondary_zone} - zones - {None}:
                text = f"Some of the subnets are in use by {record.identifier}."
                raise AwsError("SubnetAlreadyInUse", text)
        description = parameters.get("DBSubnetGroupDescription", found.description)
        changed = self._groups.change(
            found.name, lambda group: replace(group, subnets=subnets, description=description)
        )
        return {"DBSubnetGroup": describe_subnet_group(changed)}

    def delete_db_subnet_group(self, parameters: Parameters) -> Mapping[str, Any]:
        """Delete a group that no instance has."""
        group = self._groups.find(parameters["DBSubnetGroupName"])
        users = [
            one.record.identifier for one in self._region.instances() if one.record.subnet_group == group.name
        ]
        if users:
            text = (
                f"Cannot delete the subnet group '{group.name}' because at least one database instance: {users[0]} "
                "is still using it."
            )
            raise AwsError("InvalidDBSubnetGroupStateFault", text)
        self._groups.remove(group.name)
        return {}

    def _place(self, parameters: Parameters) -> tuple[Subnet, ...]:
        """Return the subnets of a request; raises AWS's errors for too few zones and wrong ids."""
        placed = self._groups.place(tuple(dict.fromkeys(parameters["SubnetIds"])))
        zones = sorted({subnet.zone for subnet in placed})
        if len(zones) < _LEAST_ZONES:
            text = (
                "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ coverage: "
                f"{', '.join(zones)}. Add subnets to cover at least {_LEAST_ZONES} AZs."
            )
            raise AwsError("DBSubnetGroupDoesNotCoverEnoughAZs", text)
        return placed
