"""Operations on load balancers: create, describe, change, delete."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Any

from drdrill.aws.elbv2.attributes import (
    DELETION_PROTECTION,
    change_balancer_attributes,
    default_balancer_attributes,
)
from drdrill.aws.elbv2.model import Kind, LoadBalancer
from drdrill.aws.elbv2.records import draw_identifier, select_page
from drdrill.aws.elbv2.tag_operations import read_tags
from drdrill.aws.elbv2.zone_ids import find_zone_id
from drdrill.aws.errors import AwsError, NotImplementedInMirrorError
from drdrill.aws.ports import SubnetNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drdrill.aws.elbv2.region import ElbRegion
    from drdrill.aws.ports import Subnet
    from drdrill.aws.protocol import Parameters

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?")
_SCHEMES = ("internet-facing", "internal")
_FEWEST_ZONES = 2  # of an Application Load Balancer
_MOST = 50  # quotas
_UNIMPLEMENTED = ("CustomerOwnedIpv4Pool", "EnablePrefixForIpv6SourceNat", "IpamPools")


class BalancerOperations:
    """The operations on the load balancers of one region."""

    def __init__(self, region: ElbRegion) -> None:
        self._region = region
        self._records = region.records

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {
            "CreateLoadBalancer": self.create_load_balancer,
            "DescribeLoadBalancers": self.describe_load_balancers,
            "DeleteLoadBalancer": self.delete_load_balancer,
            "DescribeLoadBalancerAttributes": self.describe_load_balancer_attributes,
            "ModifyLoadBalancerAttributes": self.modify_load_balancer_attributes,
            "SetSubnets": self.set_subnets,
            "SetSecurityGroups": self.set_security_groups,
            "DescribeCapacityReservation": self.describe_capacity_reservation,
        }

    def create_load_balancer(self, parameters: Parameters) -> Mapping[str, Any]:
        """Make a load balancer; one of the same name and settings is returned as it is."""
        refuse_unimplemented("CreateLoadBalancer", parameters, _UNIMPLEMENTED)
        name, scheme = parameters["Name"], parameters.get("Scheme", _SCHEMES[0])
        if not _NAME.fullmatch(name) or name.startswith("internal-"):
            raise AwsError("ValidationError", f"The load balancer name '{name}' is not valid")
        if scheme not in _SCHEMES:
            raise AwsError("InvalidScheme", f"The scheme '{scheme}' is not valid")
        if parameters.get("IpAddressType", "ipv4") != "ipv4":
            raise NotImplementedInMirrorError("The IpAddressType dualstack of elbv2:CreateLoadBalancer")
        kind = _read_kind(parameters.get("Type", Kind.APPLICATION.value))
        subnets = self._read_subnets(kind, parameters)
        groups = self._region.require_security_groups(parameters.get("SecurityGroups", ()))
        tags = read_tags(parameters)
        with self._records.lock:
            taken = next((one for one in self._records.balancers.values() if one.name == name), None)
            if taken is not None:
                if (taken.kind, taken.scheme, taken.subnets) != (kind, scheme, subnets):
                    text = f"A load balancer with the same name '{name}' exists, but with different settings"
                    raise AwsError("DuplicateLoadBalancerName", text)
                return {"LoadBalancers": [self._describe(taken)]}
            if len(self._records.balancers) >= _MOST:
                raise AwsError(
                    "TooManyLoadBalancers", "The maximum number of load balancers has been reached"
                )
            balancer = self._make(name, kind, scheme, subnets, groups)
            self._records.tags[balancer.arn] = tags
            self._region.add(balancer)
        return {"LoadBalancers": [self._describe(balancer)]}

    def _make(
        self, name: str, kind: Kind, scheme: str, subnets: tuple[Subnet, ...], groups: tuple[str, ...]
    ) -> LoadBalancer:
        region, identifier = self._region, draw_identifier()
        if kind is Kind.NETWORK:
            dns_name = f"{name}-{identifier}.elb.{region.name}.amazonaws.com"
        else:
            number = secrets.randbelow(9 * 10**8) + 10**8
            internal = "internal-" if scheme == "internal" else ""
            dns_name = f"{internal}{name}-{number}.{region.name}.elb.amazonaws.com"
        return LoadBalancer(
            region.arns.name_balancer(kind, name, identifier),
            name,
            kind,
            scheme,
            dns_name,
            find_zone_id(kind, region.name),
            region.clock.utc(),
            subnets,
            groups,
            default_balancer_attributes(kind),
        )

    def _read_subnets(self, kind: Kind, parameters: Parameters) -> tuple[Subnet, ...]:
        mappings: Sequence[Mapping[str, Any]] = parameters.get("SubnetMappings", ())
        named = list(parameters.get("Subnets", ()))
        if bool(named) == bool(mappings):
            raise AwsError("ValidationError", "You must specify either subnets or subnet mappings")
        for mapping in mappings:
            for name in sorted(mapping.keys() - {"SubnetId"}):
                raise NotImplementedInMirrorError(f"The member {name} of elbv2 subnet mappings")
            named.append(mapping.get("SubnetId", ""))
        try:
            subnets = self._region.subnets.find(named)
        except SubnetNotFoundError as error:
            raise AwsError("SubnetNotFound", f"The subnet ID '{error.identifier}' is not valid") from error
        if len({one.vpc for one in subnets}) > 1:
            raise AwsError("InvalidConfigurationRequest", "All subnets must belong to the same VPC")
        zones = {one.zone for one in subnets}
        if len(zones) < len(subnets):
            text = "A load balancer cannot be attached to multiple subnets in the same Availability Zone"
            raise AwsError("InvalidConfigurationRequest", text)
        if kind is Kind.APPLICATION and len(zones) < _FEWEST_ZONES:
            text = "At least two subnets in two different Availability Zones must be specified"
            raise AwsError("ValidationError", text)
        return subnets

    def describe_load_balancers(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe the load balancers that are named, or all, as they are now."""
        arns, names = parameters.get("LoadBalancerArns"), parameters.get("Names")
        with self._records.lock:
            if arns and names:
                text = "Load balancer names and load balancer ARNs cannot be specified at the same time"
                raise AwsError("ValidationError", text)
            listed = [self._records.balancer(arn) for arn in arns] if arns else []
            if not arns:
                listed = list(self._records.balancers.values())
            for name in names or ():
                if name not in {one.name for one in listed}:
                    raise AwsError("LoadBalancerNotFound", f"Load balancers '[{name}]' not found")
            listed = [one for one in listed if not names or one.name in names]
            page, more = select_page(listed, parameters, key=lambda one: one.arn)
            return {"LoadBalancers": [self._describe(one) for one in page], **more}

    def delete_load_balancer(self, parameters: Parameters) -> Mapping[str, Any]:
        """Delete a load balancer with its listeners; harmless when it is gone."""
        arn = parameters["LoadBalancerArn"]
        with self._records.lock:
            found = self._records.balancers.get(arn)
            if found is not None and found.attribute(DELETION_PROTECTION) == "true":
                text = f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
                raise AwsError("OperationNotPermitted", text)
            self._region.remove(arn)
        return {}

    def describe_load_balancer_attributes(self, parameters: Parameters) -> Mapping[str, Any]:
        """List a load balancer's attributes."""
        balancer = self._records.balancer(parameters["LoadBalancerArn"])
        return {"Attributes": describe_attributes(balancer.attributes)}

    def modify_load_balancer_attributes(self, parameters: Parameters) -> Mapping[str, Any]:
        """Change attributes of a load balancer."""
        with self._records.lock:
            balancer = self._records.balancer(parameters["LoadBalancerArn"])
            wanted = {one["Key"]: one.get("Value", "") for one in parameters["Attributes"]}
            attributes = change_balancer_attributes(balancer.kind, balancer.attributes, wanted)
            self._records.change_balancer(balancer.arn, attributes=attributes)
        return {"Attributes": describe_attributes(attributes)}

    def set_subnets(self, parameters: Parameters) -> Mapping[str, Any]:
        """Enable the zones of these subnets, and no others."""
        refuse_unimplemented("SetSubnets", parameters, ("EnablePrefixForIpv6SourceNat",))
        with self._records.lock:
            balancer = self._records.balancer(parameters["LoadBalancerArn"])
            subnets = self._read_subnets(balancer.kind, parameters)
            if subnets[0].vpc != balancer.subnets[0].vpc:
                text = "The subnets must belong to the VPC of the load balancer"
                raise AwsError("InvalidConfigurationRequest", text)
            balancer = self._records.change_balancer(balancer.arn, subnets=subnets)
        return {"AvailabilityZones": _describe_zones(balancer), "IpAddressType": "ipv4"}

    def set_security_groups(self, parameters: Parameters) -> Mapping[str, Any]:
        """Note the security groups of a load balancer: in the mirror nothing is kept out by them."""
        groups = self._region.require_security_groups(parameters["SecurityGroups"])
        self._records.change_balancer(parameters["LoadBalancerArn"], security_groups=groups)
        return {"SecurityGroupIds": list(groups)}

    def describe_capacity_reservation(self, parameters: Parameters) -> Mapping[str, Any]:
        """Say that no capacity is reserved for a load balancer."""
        self._records.balancer(parameters["LoadBalancerArn"])
        return {}

    def _describe(self, balancer: LoadBalancer) -> dict[str, Any]:
        return {
            "LoadBalancerArn": balancer.arn,
            "DNSName": balancer.dns_name,
            "CanonicalHostedZoneId": balancer.zone_id,
            "CreatedTime": balancer.created_at,
            "LoadBalancerName": balancer.name,
            "Scheme": balancer.scheme,
            "VpcId": balancer.subnets[0].vpc,
            "State": {"Code": self._region.phase_of(balancer).value},
            "Type": balancer.kind.value,
            "AvailabilityZones": _describe_zones(balancer),
            "SecurityGroups": list(balancer.security_groups),
            "IpAddressType": "ipv4",
        }


def _read_kind(text: str) -> Kind:
    if text == "gateway":
        raise NotImplementedInMirrorError("The type gateway of elbv2:CreateLoadBalancer")
    try:
        return Kind(text)
    except ValueError as error:
        raise AwsError("ValidationError", f"The load balancer type '{text}' is not valid") from error


def _describe_zones(balancer: LoadBalancer) -> list[dict[str, Any]]:
    return [
        {"ZoneName": one.zone, "SubnetId": one.identifier, "LoadBalancerAddresses": []}
        for one in balancer.subnets
    ]


def describe_attributes(attributes: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    """Return the `Attributes` of the API."""
    return [{"Key": key, "Value": value} for key, value in attributes]


def refuse_unimplemented(operation: str, parameters: Parameters, names: Sequence[str]) -> None:
    """Say which parameter is given that the mirror does not implement."""
    for name in names:
        if parameters.get(name):
            raise NotImplementedInMirrorError(f"The parameter {name} of elbv2:{operation}")
