"""EC2: instances whose state is that of their machines, and the places that they stand in."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.aws.cloud import CHECKS, NETWORKS, ZONES, Cloud, FakeLauncher
from tests.aws.sdk import REGION


@pytest.fixture
def cloud() -> Cloud:
    """Return a region without instances."""
    return Cloud()


@pytest.fixture
def launcher(cloud: Cloud) -> FakeLauncher:
    """Return what made the machines of a group of three."""
    launcher = FakeLauncher()
    cloud.make_group(launcher)
    return launcher


def _code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


def test_instances_are_described(cloud: Cloud, launcher: FakeLauncher) -> None:
    """An instance has the zone, the address and the name of its machine, and is running because that has power."""
    found = [r["Instances"][0] for r in cloud.ec2.describe_instances()["Reservations"]]
    assert {one["InstanceId"] for one in found} == set(launcher.machines)
    for one in found:
        machine = launcher.machines[one["InstanceId"]]
        assert one["Placement"]["AvailabilityZone"] == machine.zone
        assert (one["PrivateIpAddress"], one["PrivateDnsName"]) == (machine.address, machine.name)
        assert one["State"] == {"Code": 16, "Name": "running"}
        assert {"Key": "aws:autoscaling:groupName", "Value": "workers"} in one["Tags"]


@pytest.mark.parametrize(
    ("name", "values", "number"),
    [
        ("instance-state-name", ["running"], 3),
        ("instance-state-name", ["terminated", "stopped"], 0),
        ("tag:team", ["a"], 3),
        ("tag:team", ["?", "b"], 3),
        ("tag:team", ["b"], 0),
        ("tag-key", ["aws:autoscaling:*"], 3),
        ("availability-zone", [ZONES[1]], 1),
        ("private-dns-name", ["ip-10-20-2-*"], 1),
        ("instance-id", ["i-00000000000000000"], 0),
    ],
)
def test_filters(cloud: Cloud, launcher: FakeLauncher, name: str, values: list[str], number: int) -> None:
    """Filters choose by state, tag, zone and name, with wildcards."""
    found = cloud.ec2.describe_instances(Filters=[{"Name": name, "Values": values}])["Reservations"]
    assert len(found) == number
    assert len(launcher.machines) == 3


@pytest.mark.parametrize(
    ("call", "arguments", "code"),
    [
        ("describe_instances", {"InstanceIds": ["i-0123456789abcdef0"]}, "InvalidInstanceID.NotFound"),
        ("describe_instances", {"InstanceIds": ["web-1"]}, "InvalidInstanceID.Malformed"),
        ("terminate_instances", {"InstanceIds": ["i-0123456789abcdef0"]}, "InvalidInstanceID.NotFound"),
        ("describe_instances", {"Filters": [{"Name": "colour", "Values": ["red"]}]}, "InvalidParameterValue"),
        ("describe_instances", {"MaxResults": 2}, "InvalidParameterValue"),
        ("describe_instances", {"NextToken": "?"}, "InvalidNextToken"),
        ("describe_regions", {"RegionNames": ["mars-north-1"]}, "InvalidParameterValue"),
        ("describe_availability_zones", {"ZoneNames": ["eu-west-1z"]}, "InvalidParameterValue"),
        ("describe_subnets", {"SubnetIds": ["subnet-1"]}, "InvalidSubnetID.NotFound"),
        ("describe_vpcs", {"VpcIds": ["vpc-1"]}, "InvalidVpcID.NotFound"),
        ("describe_regions", {"DryRun": True}, "DryRunOperation"),
        ("run_instances", {"MinCount": 1, "MaxCount": 1}, "NotImplemented"),
    ],
)
def test_wrong_calls(cloud: Cloud, call: str, arguments: dict[str, object], code: str) -> None:
    """A wrong call is AWS's own error."""
    with pytest.raises(ClientError) as caught:
        getattr(cloud.ec2, call)(**arguments)
    assert _code(caught) == code


def test_nothing_is_terminated_when_one_is_not_there(cloud: Cloud, launcher: FakeLauncher) -> None:
    """Of several that are named all are terminated, or none."""
    instances = [*launcher.machines, "i-0123456789abcdef0"]
    with pytest.raises(ClientError):
        cloud.ec2.terminate_instances(InstanceIds=instances)
    assert all(machine.powered for machine in launcher.machines.values())


def test_terminate(cloud: Cloud, launcher: FakeLauncher) -> None:
    """A terminated instance's machine is gone, it says so for an hour, and a second termination is harmless."""
    name = next(iter(launcher.machines))
    (said,) = cloud.ec2.terminate_instances(InstanceIds=[name])["TerminatingInstances"]
    assert (said["PreviousState"]["Name"], said["CurrentState"]["Name"]) == ("running", "shutting-down")
    assert launcher.machines[name].done == ["taken away"]
    (found,) = cloud.ec2.describe_instances(InstanceIds=[name])["Reservations"]
    assert found["Instances"][0]["State"]["Name"] == "terminated"
    assert "PrivateIpAddress" not in found["Instances"][0]
    (again,) = cloud.ec2.terminate_instances(InstanceIds=[name])["TerminatingInstances"]
    assert again["CurrentState"]["Name"] == "terminated"
    assert launcher.machines[name].done == ["taken away"]
    cloud.clock.sleep(3601)
    cloud.ec2.describe_instances()
    with pytest.raises(ClientError):
        cloud.ec2.describe_instances(InstanceIds=[name])


def test_status_checks(cloud: Cloud, launcher: FakeLauncher) -> None:
    """A machine without power is not running; its status checks fail when their time is up, and not before."""
    name, machine = next(iter(launcher.machines.items()))
    cloud.autoscaling.suspend_processes(AutoScalingGroupName="workers")

    def look() -> tuple[str, str]:
        (status,) = cloud.ec2.describe_instance_status(InstanceIds=[name], IncludeAllInstances=True)[
            "InstanceStatuses"
        ]
        return status["InstanceState"]["Name"], status["SystemStatus"]["Status"]

    assert look() == ("running", "ok")
    machine.powered = False
    assert look() == ("stopped", "insufficient-data")
    cloud.clock.sleep(CHECKS)
    assert look() == ("stopped", "impaired")
    assert len(cloud.ec2.describe_instance_status()["InstanceStatuses"]) == 2
    machine.powered = True
    assert look() == ("running", "ok")


def test_pages(cloud: Cloud) -> None:
    """Pages have every instance once."""
    cloud.make_group(FakeLauncher(), maximum=12, desired=12)
    pages = cloud.ec2.get_paginator("describe_instances").paginate(PaginationConfig={"PageSize": 5})
    found = [[r["Instances"][0]["InstanceId"] for r in page["Reservations"]] for page in pages]
    assert [len(page) for page in found] == [5, 5, 2]
    assert len({name for page in found for name in page}) == 12


def test_places(cloud: Cloud) -> None:
    """There are the plan's regions and zones, and a subnet in every zone, with the range of its machines."""
    assert [one["RegionName"] for one in cloud.ec2.describe_regions()["Regions"]] == [REGION, "eu-central-1"]
    zones = cloud.ec2.describe_availability_zones()["AvailabilityZones"]
    assert [(one["ZoneName"], one["ZoneId"]) for one in zones] == list(
        zip(ZONES, ["euw1-az1", "euw1-az2", "euw1-az3"], strict=True)
    )
    (vpc,) = cloud.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    assert vpc["CidrBlock"] == "10.20.0.0/16"
    subnets = cloud.ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])["Subnets"]
    assert {one["AvailabilityZone"]: one["CidrBlock"] for one in subnets} == NETWORKS
