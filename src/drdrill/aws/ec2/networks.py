"""The VPCs and subnets of one region: those that the upstream keeps, which begin as one default VPC.

Until something is asked of the upstream nobody can have made or deleted any, so the default ones are known without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.aws.ec2.places import VPC, vpc_network
from drdrill.aws.ports import Subnet, SubnetNotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from drdrill.aws.ec2.places import Zone
    from drdrill.aws.upstream_client import UpstreamClient

    Description = Mapping[str, Any]

_FREE_ADDRESSES = 251  # of 256: AWS keeps five (VPC User Guide, "Subnet CIDR blocks")


class Networks:
    """What EC2 says of a region's networks. Implements `ports.Subnets`. Without an upstream: its default VPC."""

    def __init__(self, zones: Sequence[Zone], account: str, upstream: UpstreamClient | None = None) -> None:
        self._zones = {zone.name: zone for zone in zones}
        self._account = account
        self._upstream = upstream

    def find(self, identifiers: Sequence[str], /) -> tuple[Subnet, ...]:
        """Return subnets; raises `SubnetNotFoundError`."""
        known = {one.identifier: one for one in map(_read_subnet, self.describe_subnets())}
        for identifier in identifiers:
            if identifier not in known:
                raise SubnetNotFoundError(identifier)
        return tuple(known[identifier] for identifier in identifiers)

    def zones_of(self, identifiers: Sequence[str]) -> tuple[str, ...]:
        """Return the zones that subnets lie in, each once; raises `SubnetNotFoundError`."""
        return tuple(dict.fromkeys(subnet.zone for subnet in self.find(identifiers)))

    def defaults(self) -> tuple[Subnet, ...]:
        """Return the default subnets."""
        return tuple(_read_subnet(one) for one in self.describe_subnets() if one["DefaultForAz"])

    def describe_subnets(self) -> list[Description]:
        """Return a `Subnet` of the API for each, in the order of zones and ids."""
        found = self._ask("DescribeSubnets", "Subnets")
        if found is None:
            found = [self._describe_default(zone) for zone in self._zones.values()]
        default = {one["VpcId"] for one in self.describe_vpcs() if one.get("IsDefault")}
        described = [
            {
                **one,
                "AvailabilityZoneId": self._zones[one["AvailabilityZone"]].identifier,
                # moto says so of the first subnet of a zone that has no other, whatever its VPC is.
                "DefaultForAz": one["VpcId"] in default and one.get("DefaultForAz", False),
            }
            for one in found
            if one["AvailabilityZone"] in self._zones
        ]
        return sorted(described, key=lambda one: (one["AvailabilityZone"], one["SubnetId"]))

    def describe_vpcs(self) -> list[Description]:
        """Return a `Vpc` of the API for each, in the order of ids."""
        found = self._ask("DescribeVpcs", "Vpcs")
        if found is None:
            network = vpc_network(next(iter(self._zones.values())).network)
            return [self._describe_default_vpc(network)]
        return sorted(found, key=lambda one: str(one["VpcId"]))

    def _ask(self, operation: str, member: str) -> list[Description] | None:
        """Return what the upstream describes; None: nothing was asked of it yet."""
        if self._upstream is None or not self._upstream.upstream.started:
            return None
        return list(self._upstream.call("ec2", operation)[member])

    def _describe_default(self, zone: Zone) -> Description:
        return {
            "SubnetId": zone.subnet,
            "SubnetArn": f"arn:aws:ec2:{zone.region}:{self._account}:subnet/{zone.subnet}",
            "VpcId": VPC,
            "AvailabilityZone": zone.name,
            "CidrBlock": zone.network,
            "AvailableIpAddressCount": _FREE_ADDRESSES,
            "DefaultForAz": True,
            "MapPublicIpOnLaunch": True,
            "State": "available",
            "OwnerId": self._account,
            "Tags": [],
        }

    def _describe_default_vpc(self, network: str) -> Description:
        return {
            "VpcId": VPC,
            "CidrBlock": network,
            "IsDefault": True,
            "State": "available",
            "OwnerId": self._account,
            "InstanceTenancy": "default",
            "Tags": [],
        }


def _read_subnet(described: Description) -> Subnet:
    return Subnet(
        described["SubnetId"], described["AvailabilityZone"], described["VpcId"], described["CidrBlock"]
    )
