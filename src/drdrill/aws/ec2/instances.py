"""Operations on instances: describe, look at their status, terminate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.aws.ec2.filters import read_filters, select_page
from drdrill.aws.ec2.model import Check, InstanceRecord, State
from drdrill.aws.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drdrill.aws.ec2.region import Ec2Region
    from drdrill.aws.protocol import Parameters

_IMAGE = "ami-00000000000000000"  # every machine of the mirror is made of the same


class InstanceOperations:
    """The operations on the instances of one region."""

    def __init__(self, region: Ec2Region) -> None:
        self._region = region
        self._fields: Mapping[str, Callable[[InstanceRecord], tuple[str, ...]]] = {
            "instance-id": lambda one: (one.identifier,),
            "instance-state-name": lambda one: (one.state.value,),
            "instance-state-code": lambda one: (str(one.state.code),),
            "instance-type": lambda one: (one.instance_type,),
            "availability-zone": lambda one: (one.zone,),
            "subnet-id": lambda one: (one.subnet.identifier,),
            "vpc-id": lambda one: (one.subnet.vpc,),
            "reservation-id": lambda one: (one.reservation,),
            "private-ip-address": lambda one: (one.machine.address,) if one.machine else (),
            "network-interface.addresses.private-ip-address": lambda one: (
                (one.machine.address,) if one.machine else ()
            ),
            "private-dns-name": lambda one: (one.machine.name,) if one.machine else (),
            "tag": lambda _: (),
        }

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {
            "DescribeInstances": self.describe_instances,
            "DescribeInstanceStatus": self.describe_instance_status,
            "TerminateInstances": self.terminate_instances,
        }

    def describe_instances(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe the instances that are named, or all that pass the filters, as they are now."""
        passes = read_filters(parameters, self._fields, lambda one: one.tags)
        listed = [one for one in self._choose(parameters) if passes(one)]
        page, more = select_page(listed, parameters, key=lambda one: one.identifier)
        reservations = [
            {
                "ReservationId": one.reservation,
                "OwnerId": self._region.account,
                "Groups": [],
                "Instances": [self._describe(one)],
            }
            for one in page
        ]
        return {"Reservations": reservations, **more}

    def describe_instance_status(self, parameters: Parameters) -> Mapping[str, Any]:
        """Say what the status checks of running instances say, or those of all."""
        everything = parameters.get("IncludeAllInstances", False)
        fields = {
            name: self._fields[name]
            for name in ("instance-state-name", "instance-state-code", "availability-zone")
        }
        fields |= {
            "system-status.status": lambda one: (self._region.check(one).value,),
            "instance-status.status": lambda one: (self._region.check(one).value,),
        }
        passes = read_filters(parameters, fields)
        listed = [
            one
            for one in self._choose(parameters)
            if (everything or one.state is State.RUNNING) and passes(one)
        ]
        page, more = select_page(listed, parameters, key=lambda one: one.identifier)
        return {"InstanceStatuses": [self._describe_status(one) for one in page], **more}

    def terminate_instances(self, parameters: Parameters) -> Mapping[str, Any]:
        """Take instances away, all that are named or none."""
        found = [self._region.find(identifier) for identifier in dict.fromkeys(parameters["InstanceIds"])]
        changes = [(one.identifier, *self._region.terminate(one.identifier)) for one in found]
        return {
            "TerminatingInstances": [
                {
                    "InstanceId": identifier,
                    "PreviousState": _describe_state(before),
                    "CurrentState": _describe_state(now),
                }
                for identifier, before, now in changes
            ]
        }

    def _choose(self, parameters: Parameters) -> Sequence[InstanceRecord]:
        wanted = parameters.get("InstanceIds")
        if not wanted:
            return self._region.instances()
        if "MaxResults" in parameters:
            text = "The parameter instancesSet cannot be used with the parameter maxResults"
            raise AwsError("InvalidParameterCombination", text)
        return [self._region.find(identifier) for identifier in dict.fromkeys(wanted)]

    def _describe(self, record: InstanceRecord) -> dict[str, Any]:
        machine, reason = record.machine, record.reason
        described = {
            "InstanceId": record.identifier,
            "ImageId": _IMAGE,
            "InstanceType": record.instance_type,
            "LaunchTime": record.launched_at,
            "Placement": {"AvailabilityZone": record.zone, "Tenancy": "default"},
            "State": _describe_state(record.state),
            "StateReason": {"Code": reason[0], "Message": reason[1]} if reason else None,
            "Tags": [{"Key": key, "Value": value} for key, value in record.tags],
        }
        if machine is None:  # not yet, or not any more
            return described
        return described | {
            "PrivateIpAddress": machine.address,
            "PrivateDnsName": machine.name,
            "SubnetId": record.subnet.identifier,
            "VpcId": record.subnet.vpc,
        }

    def _describe_status(self, record: InstanceRecord) -> dict[str, Any]:
        check = self._region.check(record)
        reachability = {Check.OK: "passed", Check.IMPAIRED: "failed"}.get(check, "insufficient-data")
        details = (
            [{"Name": "reachability", "Status": reachability}] if check is not Check.NOT_APPLICABLE else []
        )
        status = {"Status": check.value, "Details": details}
        return {
            "InstanceId": record.identifier,
            "AvailabilityZone": record.zone,
            "InstanceState": _describe_state(record.state),
            "InstanceStatus": status,
            "SystemStatus": status,
        }


def _describe_state(state: State) -> dict[str, Any]:
    return {"Code": state.code, "Name": state.value}
