"""The places of one region: zones, and one network with a subnet in each zone, as AWS makes a default one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drdrill.aws.ec2.filters import read_filters, select_page
from drdrill.aws.errors import AwsError
from drdrill.aws.ports import Subnet, SubnetNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drdrill.aws.protocol import Parameters

VPC = "vpc-00000000000000000"  # the one network that a region of the mirror has
_VPC_PREFIX = 16


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone with its subnet."""

    name: str
    region: str
    number: int
    network: str

    @property
    def identifier(self) -> str:
        """AWS's id of a zone, such as `euw1-az1`."""
        area, *middle, last = self.region.split("-")
        return f"{area}{''.join(word[0] for word in middle)}{last}-az{self.number}"

    @property
    def subnet(self) -> str:
        """The id of its subnet: always the same."""
        return "subnet-" + hashlib.sha256(self.name.encode()).hexdigest()[:17]


def make_zones(region: str, networks: Mapping[str, str]) -> tuple[Zone, ...]:
    """Return the zones of a region."""
    return tuple(Zone(name, region, number, networks[name]) for number, name in enumerate(networks, start=1))


def vpc_network(subnet: str) -> str:
    """Return the range of the default VPC, from that of one of its subnets."""
    first, second, *_ = subnet.split(".")
    return f"{first}.{second}.0.0/{_VPC_PREFIX}"


class DefaultSubnets:
    """The subnets of a region in which nobody made any: one in each zone. Implements `ports.Subnets`."""

    def __init__(self, zones: Sequence[Zone]) -> None:
        self._subnets = {zone.subnet: Subnet(zone.subnet, zone.name, VPC, zone.network) for zone in zones}

    def find(self, identifiers: Sequence[str], /) -> tuple[Subnet, ...]:
        """Return subnets; raises `SubnetNotFoundError`."""
        for identifier in identifiers:
            if identifier not in self._subnets:
                raise SubnetNotFoundError(identifier)
        return tuple(self._subnets[identifier] for identifier in identifiers)

    def defaults(self) -> tuple[Subnet, ...]:
        """Return all of them."""
        return tuple(self._subnets.values())


def zones_of_subnets(zones: Sequence[Zone], subnets: Sequence[str]) -> tuple[str, ...]:
    """Return the zones that subnets lie in, each once; raises KeyError with the id of one that there is not."""
    known = {zone.subnet: zone.name for zone in zones}
    return tuple(dict.fromkeys(known[subnet] for subnet in subnets))


class PlaceOperations:
    """The operations on places, of one region; `regions` are the names of all."""

    def __init__(self, zones: Sequence[Zone], regions: Sequence[str], account: str) -> None:
        self._zones = tuple(zones)
        self._regions = tuple(regions)
        self._account = account

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {
            "DescribeRegions": self.describe_regions,
            "DescribeAvailabilityZones": self.describe_availability_zones,
            "DescribeSubnets": self.describe_subnets,
            "DescribeVpcs": self.describe_vpcs,
        }

    def describe_regions(self, parameters: Parameters) -> Mapping[str, Any]:
        """List the regions of the mirror."""
        wanted = _require_known(parameters.get("RegionNames", []), self._regions, "Invalid region name")
        passes = read_filters(
            parameters,
            {
                "region-name": lambda name: (name,),
                "endpoint": lambda name: (f"ec2.{name}.amazonaws.com",),
                "opt-in-status": lambda _: ("opt-in-not-required",),
            },
        )
        found = [name for name in self._regions if (not wanted or name in wanted) and passes(name)]
        return {
            "Regions": [
                {
                    "RegionName": name,
                    "Endpoint": f"ec2.{name}.amazonaws.com",
                    "OptInStatus": "opt-in-not-required",
                }
                for name in found
            ]
        }

    def describe_availability_zones(self, parameters: Parameters) -> Mapping[str, Any]:
        """List the zones of the region. As in AWS one that is lost does not say so here."""
        names = _require_known(
            parameters.get("ZoneNames", []), [zone.name for zone in self._zones], "Invalid availability zone"
        )
        ids = _require_known(
            parameters.get("ZoneIds", []),
            [zone.identifier for zone in self._zones],
            "Invalid availability zone-id",
        )
        passes = read_filters(
            parameters,
            {
                "zone-name": lambda zone: (zone.name,),
                "zone-id": lambda zone: (zone.identifier,),
                "region-name": lambda zone: (zone.region,),
                "state": lambda _: ("available",),
                "zone-type": lambda _: ("availability-zone",),
                "opt-in-status": lambda _: ("opt-in-not-required",),
            },
        )
        return {
            "AvailabilityZones": [
                {
                    "ZoneName": zone.name,
                    "ZoneId": zone.identifier,
                    "RegionName": zone.region,
                    "State": "available",
                    "OptInStatus": "opt-in-not-required",
                    "ZoneType": "availability-zone",
                    "GroupName": zone.region,
                    "NetworkBorderGroup": zone.region,
                    "Messages": [],
                }
                for zone in self._zones
                if (not names or zone.name in names) and (not ids or zone.identifier in ids) and passes(zone)
            ]
        }

    def describe_subnets(self, parameters: Parameters) -> Mapping[str, Any]:
        """List the subnets: one in each zone."""
        wanted = set(parameters.get("SubnetIds", []))
        for subnet in wanted - {zone.subnet for zone in self._zones}:
            raise AwsError("InvalidSubnetID.NotFound", f"The subnet ID '{subnet}' does not exist")
        passes = read_filters(
            parameters,
            {
                "subnet-id": lambda zone: (zone.subnet,),
                "availability-zone": lambda zone: (zone.name,),
                "availability-zone-id": lambda zone: (zone.identifier,),
                "vpc-id": lambda _: (VPC,),
                "cidr-block": lambda zone: (zone.network,),
                "default-for-az": lambda _: ("true",),
                "state": lambda _: ("available",),
                "tag": lambda _: (),
            },
        )
        listed = [zone for zone in self._zones if (not wanted or zone.subnet in wanted) and passes(zone)]
        page, more = select_page(listed, parameters, key=lambda zone: zone.name)
        return {
            "Subnets": [
                {
                    "SubnetId": zone.subnet,
                    "SubnetArn": f"arn:aws:ec2:{zone.region}:{self._account}:subnet/{zone.subnet}",
                    "VpcId": VPC,
                    "AvailabilityZone": zone.name,
                    "AvailabilityZoneId": zone.identifier,
                    "CidrBlock": zone.network,
                    "DefaultForAz": True,
                    "State": "available",
                    "OwnerId": self._account,
                    "Tags": [],
                }
                for zone in page
            ],
            **more,
        }

    def describe_vpcs(self, parameters: Parameters) -> Mapping[str, Any]:
        """List the one network."""
        for vpc in set(parameters.get("VpcIds", [])) - {VPC}:
            raise AwsError("InvalidVpcID.NotFound", f"The vpc ID '{vpc}' does not exist")
        network = vpc_network(self._zones[0].network)
        passes = read_filters(
            parameters,
            {
                "vpc-id": lambda _: (VPC,),
                "cidr": lambda _: (network,),
                "is-default": lambda _: ("true",),
                "state": lambda _: ("available",),
                "tag": lambda _: (),
            },
        )
        described = {
            "VpcId": VPC,
            "CidrBlock": network,
            "IsDefault": True,
            "State": "available",
            "OwnerId": self._account,
            "InstanceTenancy": "default",
            "Tags": [],
        }
        return {"Vpcs": [described] if passes(VPC) else []}


def _require_known(wanted: Sequence[str], known: Sequence[str], problem: str) -> Sequence[str]:
    unknown = [one for one in wanted if one not in known]
    if unknown:
        raise AwsError("InvalidParameterValue", f"{problem}: [{', '.join(unknown)}]")
    return wanted
