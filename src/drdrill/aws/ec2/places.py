"""The places of one region: its zones, and which default subnet each has, in one default VPC, as AWS makes it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drdrill.aws.ec2.filters import read_filters
from drdrill.aws.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drdrill.aws.protocol import Parameters

VPC = "vpc-00000000000000000"  # the default one, of every region
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


class PlaceOperations:
    """The operations on places, of one region; `regions` are the names of all."""

    def __init__(self, zones: Sequence[Zone], regions: Sequence[str]) -> None:
        self._zones = tuple(zones)
        self._regions = tuple(regions)

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {
            "DescribeRegions": self.describe_regions,
            "DescribeAvailabilityZones": self.describe_availability_zones,
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


def _require_known(wanted: Sequence[str], known: Sequence[str], problem: str) -> Sequence[str]:
    unknown = [one for one in wanted if one not in known]
    if unknown:
        raise AwsError("InvalidParameterValue", f"{problem}: [{', '.join(unknown)}]")
    return wanted
