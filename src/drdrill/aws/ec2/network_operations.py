"""Operations that describe networks: VPCs and subnets. What makes and changes them is the upstream's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.aws.ec2.filters import read_filters, select_page
from drdrill.aws.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.ec2.networks import Description, Networks
    from drdrill.aws.protocol import Parameters


class NetworkOperations:
    """The operations on the networks of one region."""

    def __init__(self, networks: Networks) -> None:
        self._networks = networks

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {"DescribeSubnets": self.describe_subnets, "DescribeVpcs": self.describe_vpcs}

    def describe_subnets(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe the subnets that are named, or all that pass the filters."""
        found = self._networks.describe_subnets()
        wanted = _require(
            parameters.get("SubnetIds", []), found, "SubnetId", ("InvalidSubnetID.NotFound", "subnet")
        )
        passes = read_filters(
            parameters,
            {
                "subnet-id": _member("SubnetId"),
                "subnet-arn": _member("SubnetArn"),
                "availability-zone": _member("AvailabilityZone"),
                "availabilityZone": _member("AvailabilityZone"),
                "availability-zone-id": _member("AvailabilityZoneId"),
                "availabilityZoneId": _member("AvailabilityZoneId"),
                "available-ip-address-count": _member("AvailableIpAddressCount"),
                "vpc-id": _member("VpcId"),
                "cidr-block": _member("CidrBlock"),
                "cidr": _member("CidrBlock"),
                "default-for-az": _member("DefaultForAz"),
                "defaultForAz": _member("DefaultForAz"),
                "map-public-ip-on-launch": _member("MapPublicIpOnLaunch"),
                "owner-id": _member("OwnerId"),
                "state": _member("State"),
                "tag": lambda _: (),
            },
            _tags,
        )
        listed = [one for one in found if (not wanted or one["SubnetId"] in wanted) and passes(one)]
        page, more = select_page(
            listed, parameters, key=lambda one: f"{one['AvailabilityZone']} {one['SubnetId']}"
        )
        return {"Subnets": page, **more}

    def describe_vpcs(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe the VPCs that are named, or all that pass the filters."""
        found = self._networks.describe_vpcs()
        wanted = _require(parameters.get("VpcIds", []), found, "VpcId", ("InvalidVpcID.NotFound", "vpc"))
        passes = read_filters(
            parameters,
            {
                "vpc-id": _member("VpcId"),
                "cidr": _member("CidrBlock"),
                "cidr-block-association.cidr-block": lambda one: tuple(
                    str(block["CidrBlock"]) for block in one.get("CidrBlockAssociationSet", [])
                ),
                "dhcp-options-id": _member("DhcpOptionsId"),
                "is-default": _member("IsDefault"),
                "isDefault": _member("IsDefault"),
                "owner-id": _member("OwnerId"),
                "state": _member("State"),
                "tag": lambda _: (),
            },
            _tags,
        )
        listed = [one for one in found if (not wanted or one["VpcId"] in wanted) and passes(one)]
        page, more = select_page(listed, parameters, key=lambda one: str(one["VpcId"]))
        return {"Vpcs": page, **more}


def _require(wanted: list[str], found: list[Description], member: str, problem: tuple[str, str]) -> list[str]:
    known = {one[member] for one in found}
    for identifier in wanted:
        if identifier not in known:
            code, what = problem
            raise AwsError(code, f"The {what} ID '{identifier}' does not exist")
    return wanted


def _member(name: str) -> Callable[[Description], tuple[str, ...]]:
    """Return what reads a member as filters compare it."""

    def read(described: Description) -> tuple[str, ...]:
        value = described.get(name)
        if isinstance(value, bool):
            return (str(value).lower(),)
        return () if value is None else (str(value),)

    return read


def _tags(described: Description) -> tuple[tuple[str, str], ...]:
    return tuple((tag["Key"], tag["Value"]) for tag in described.get("Tags", []))
