"""Operations on target groups: create, describe, change, delete."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from drdrill.aws.elbv2.attributes import change_group_attributes, default_group_attributes
from drdrill.aws.elbv2.balancer_operations import describe_attributes, refuse_unimplemented
from drdrill.aws.elbv2.health_check import change_check, describe_check, make_check
from drdrill.aws.elbv2.model import Kind, TargetGroup
from drdrill.aws.elbv2.records import select_page
from drdrill.aws.elbv2.tag_operations import read_tags
from drdrill.aws.errors import AwsError, NotImplementedInMirrorError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.elbv2.region import ElbRegion
    from drdrill.aws.protocol import Parameters

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?")
_KINDS = {"HTTP": Kind.APPLICATION, "HTTPS": Kind.APPLICATION, "TCP": Kind.NETWORK}
_PROTOCOLS_OF_AWS = ("TLS", "UDP", "TCP_UDP", "GENEVE", "QUIC", "TCP_QUIC")
_TYPES, _TYPES_OF_AWS = ("instance", "ip"), ("lambda", "alb")
_HIGHEST_PORT = 65535
_UNIMPLEMENTED = ("TargetControlPort",)


def kind_of(group: TargetGroup) -> Kind:
    """Return the kind of load balancers that can have a target group."""
    return _KINDS[group.protocol]


class GroupOperations:
    """The operations on the target groups of one region."""

    def __init__(self, region: ElbRegion) -> None:
        self._region = region
        self._records = region.records

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {
            "CreateTargetGroup": self.create_target_group,
            "DescribeTargetGroups": self.describe_target_groups,
            "ModifyTargetGroup": self.modify_target_group,
            "DeleteTargetGroup": self.delete_target_group,
            "DescribeTargetGroupAttributes": self.describe_target_group_attributes,
            "ModifyTargetGroupAttributes": self.modify_target_group_attributes,
        }

    def create_target_group(self, parameters: Parameters) -> Mapping[str, Any]:
        """Make a target group; one of the same name and settings is returned as it is."""
        wanted = self._read(parameters)
        tags = read_tags(parameters)
        with self._records.lock:
            taken = next((one for one in self._records.groups.values() if one.name == wanted.name), None)
            if taken is not None:
                if _settings(taken) != _settings(wanted):
                    text = f"A target group with the same name '{wanted.name}' exists, but with different settings"
                    raise AwsError("DuplicateTargetGroupName", text)
                return {"TargetGroups": [self._describe(taken)]}
            self._records.groups[wanted.arn] = wanted
            self._records.tags[wanted.arn] = tags
        return {"TargetGroups": [self._describe(wanted)]}

    def _read(self, parameters: Parameters) -> TargetGroup:
        refuse_unimplemented("CreateTargetGroup", parameters, _UNIMPLEMENTED)
        name, target_type = parameters["Name"], parameters.get("TargetType", "instance")
        if not _NAME.fullmatch(name):
            raise AwsError("ValidationError", f"The target group name '{name}' is not valid")
        if target_type in _TYPES_OF_AWS:
            raise NotImplementedInMirrorError(f"The target type {target_type} of elbv2 target groups")
        if target_type not in _TYPES:
            raise AwsError("ValidationError", f"The target type '{target_type}' is not valid")
        protocol, port = parameters.get("Protocol", ""), parameters.get("Port", 0)
        if protocol in _PROTOCOLS_OF_AWS:
            raise NotImplementedInMirrorError(f"The protocol {protocol} of elbv2 target groups")
        if protocol not in _KINDS:
            raise AwsError("ValidationError", "A protocol must be specified: HTTP, HTTPS or TCP")
        if not 1 <= port <= _HIGHEST_PORT:
            raise AwsError("ValidationError", f"A port must be specified, from 1 to {_HIGHEST_PORT}")
        if parameters.get("ProtocolVersion") not in (None, "", "HTTP1"):
            what = f"The protocol version {parameters['ProtocolVersion']} of elbv2 target groups"
            raise NotImplementedInMirrorError(what)
        if parameters.get("IpAddressType", "ipv4") != "ipv4":
            raise NotImplementedInMirrorError("The IpAddressType ipv6 of elbv2 target groups")
        vpc = parameters.get("VpcId", "")
        if not vpc:
            raise AwsError("ValidationError", "A VPC must be specified")
        return TargetGroup(
            self._region.arns.name_group(name),
            name,
            target_type,
            protocol,
            port,
            vpc,
            make_check(protocol, parameters),
            default_group_attributes(_KINDS[protocol]),
        )

    def describe_target_groups(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe the target groups that are named, those of a load balancer, or all."""
        arns, names = parameters.get("TargetGroupArns"), parameters.get("Names")
        balancer = parameters.get("LoadBalancerArn")
        if sum(map(bool, (arns, names, balancer))) > 1:
            text = "Only one of load balancer ARN, target group ARNs and names can be specified"
            raise AwsError("ValidationError", text)
        with self._records.lock:
            if arns:
                listed = [self._records.group(arn) for arn in arns]
            elif balancer:
                listed = list(self._records.groups_of(self._records.balancer(balancer).arn))
            else:
                listed = list(self._records.groups.values())
            for name in names or ():
                if name not in {one.name for one in listed}:
                    raise AwsError("TargetGroupNotFound", "One or more target groups not found")
            listed = [one for one in listed if not names or one.name in names]
            page, more = select_page(listed, parameters, key=lambda one: one.arn)
            return {"TargetGroups": [self._describe(one) for one in page], **more}

    def modify_target_group(self, parameters: Parameters) -> Mapping[str, Any]:
        """Change how a group's targets are checked."""
        with self._records.lock:
            group = self._records.group(parameters["TargetGroupArn"])
            check = change_check(group.protocol, group.check, parameters)
            changed = self._records.change_group(group.arn, check=check)
            return {"TargetGroups": [self._describe(changed)]}

    def delete_target_group(self, parameters: Parameters) -> Mapping[str, Any]:
        """Delete a target group that no load balancer uses; harmless when it is gone."""
        arn = parameters["TargetGroupArn"]
        with self._records.lock:
            if self._records.balancers_of(arn):
                text = f"Target group '{arn}' is currently in use by a listener or a rule"
                raise AwsError("ResourceInUse", text)
            self._records.groups.pop(arn, None)
            self._records.tags.pop(arn, None)
        return {}

    def describe_target_group_attributes(self, parameters: Parameters) -> Mapping[str, Any]:
        """List a target group's attributes."""
        group = self._records.group(parameters["TargetGroupArn"])
        return {"Attributes": describe_attributes(group.attributes)}

    def modify_target_group_attributes(self, parameters: Parameters) -> Mapping[str, Any]:
        """Change attributes of a target group."""
        with self._records.lock:
            group = self._records.group(parameters["TargetGroupArn"])
            wanted = {one["Key"]: one.get("Value", "") for one in parameters["Attributes"]}
            attributes = change_group_attributes(kind_of(group), group.attributes, wanted)
            self._records.change_group(group.arn, attributes=attributes)
        return {"Attributes": describe_attributes(attributes)}

    def _describe(self, group: TargetGroup) -> dict[str, Any]:
        return {
            "TargetGroupArn": group.arn,
            "TargetGroupName": group.name,
            "Protocol": group.protocol,
            "ProtocolVersion": "HTTP1" if kind_of(group) is Kind.APPLICATION else None,
            "Port": group.port,
            "VpcId": group.vpc,
            "TargetType": group.target_type,
            "IpAddressType": "ipv4",
            "LoadBalancerArns": list(self._records.balancers_of(group.arn)),
            **describe_check(group.check),
        }


def _settings(group: TargetGroup) -> tuple[object, ...]:
    return group.target_type, group.protocol, group.port, group.vpc, group.check
