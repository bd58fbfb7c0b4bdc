"""Auto Scaling: a group is as large as it is told, spread over its zones, and replaces what it loses."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from drdrill.aws.ec2 import Refusal
from tests.aws.cloud import CHECKS, RETRY, ZONES, Cloud, FakeLauncher

A, B, C = ZONES
WORKERS = {"AutoScalingGroupName": "workers"}
CAPACITY = (
    "We currently do not have sufficient {type} capacity in the Availability Zone you requested ({zone})."
)


@pytest.fixture
def cloud() -> Cloud:
    """Return a region without groups."""
    return Cloud()


@pytest.fixture
def launcher(cloud: Cloud) -> FakeLauncher:
    """Return what made the machines of a group of three."""
    launcher = FakeLauncher()
    cloud.make_group(launcher, minimum=1)
    return launcher


def _activities(cloud: Cloud) -> list[dict[str, Any]]:
    return list(cloud.autoscaling.describe_scaling_activities(**WORKERS)["Activities"])


def test_a_new_group(cloud: Cloud, launcher: FakeLauncher) -> None:
    """A group launches what it is to have, one instance in each zone, and notes each launch."""
    described = cloud.describe()
    assert cloud.zones_of() == [A, B, C]
    assert {(one["LifecycleState"], one["HealthStatus"]) for one in described["Instances"]} == {
        ("InService", "Healthy")
    }
    assert (described["MinSize"], described["MaxSize"], described["DesiredCapacity"]) == (1, 6, 3)
    assert launcher.settled == list(launcher.machines)
    assert [one["StatusCode"] for one in _activities(cloud)] == ["Successful"] * 3
    assert len(cloud.autoscaling.describe_auto_scaling_instances()["AutoScalingInstances"]) == 3


def test_grow_and_shrink(cloud: Cloud, launcher: FakeLauncher) -> None:
    """More go where there are the fewest; the oldest of the fullest zone goes first, and is told before."""
    cloud.autoscaling.set_desired_capacity(**WORKERS, DesiredCapacity=5)
    cloud.look()
    assert cloud.zones_of() == [A, A, B, B, C]
    oldest = next(name for name, machine in launcher.machines.items() if machine.zone == A)
    cloud.autoscaling.set_desired_capacity(**WORKERS, DesiredCapacity=4)
    cloud.look()
    assert cloud.zones_of() in ([A, B, B, C], [A, A, B, C])
    assert launcher.retired == [oldest]
    assert launcher.machines[oldest].done == ["taken away"]


def test_a_terminated_instance_is_replaced_in_its_zone(cloud: Cloud, launcher: FakeLauncher) -> None:
    """Whoever terminates an instance behind the group's back gets another one in the zone that lacks one."""
    victim = next(name for name, machine in launcher.machines.items() if machine.zone == B)
    cloud.ec2.terminate_instances(InstanceIds=[victim])
    cloud.look()
    assert cloud.zones_of() == [A, B, C]
    assert victim not in {one["InstanceId"] for one in cloud.describe()["Instances"]}
    assert launcher.retired == []
    causes = " ".join(one["Cause"] for one in _activities(cloud))
    assert "EC2 health check indicating it has been terminated or stopped" in causes


def test_a_lost_machine_is_replaced_when_its_checks_fail(cloud: Cloud, launcher: FakeLauncher) -> None:
    """A machine without power is replaced when the status checks' time is up; one whose power comes back is not."""
    lost, back = list(launcher.machines.values())[:2]
    lost.powered = back.powered = False
    cloud.look()
    cloud.look(CHECKS / 2)
    back.powered = True
    cloud.look(CHECKS / 2 - 1)
    assert len(launcher.machines) == 3
    cloud.look(1)
    assert lost.done == ["taken away"]
    assert back.done == []
    assert (len(launcher.machines), cloud.zones_of()) == (4, [A, B, C])


def test_insufficient_capacity(cloud: Cloud, launcher: FakeLauncher) -> None:
    """A zone without capacity is a failed activity with AWS's code; another zone helps out; later it is balanced."""
    cloud.ec2_region.refuse([Refusal("InsufficientInstanceCapacity", CAPACITY, zone=A)])
    victim = next(name for name, machine in launcher.machines.items() if machine.zone == A)
    cloud.ec2.terminate_instances(InstanceIds=[victim])
    cloud.look()
    assert cloud.zones_of() == [B, B, C]
    failed = next(one for one in _activities(cloud) if one["StatusCode"] == "Failed")
    assert failed["StatusMessage"] == (
        "Could not launch On-Demand Instances. InsufficientInstanceCapacity - We currently do not have sufficient "
        f"m5.large capacity in the Availability Zone you requested ({A}). Launching EC2 instance failed."
    )
    cloud.ec2_region.refuse([])
    cloud.look(RETRY)
    cloud.look()
    assert cloud.zones_of() == [A, B, C]


def test_a_quota(cloud: Cloud, launcher: FakeLauncher) -> None:
    """A quota refuses in every zone; the group is asked again later, and grows when it may."""
    cloud.ec2_region.refuse(
        [Refusal("VcpuLimitExceeded", "You have requested more vCPU capacity than your limit.")]
    )
    cloud.autoscaling.set_desired_capacity(**WORKERS, DesiredCapacity=4)
    for _ in range(3):
        cloud.look()
    failed = [one for one in _activities(cloud) if one["StatusCode"] == "Failed"]
    assert len(failed) == 3
    assert all("VcpuLimitExceeded" in one["StatusMessage"] for one in failed)
    cloud.ec2_region.refuse([])
    cloud.look()
    assert len(launcher.machines) == 3
    cloud.look(RETRY)
    assert len(launcher.machines) == 4


def test_a_machine_that_cannot_be_made(cloud: Cloud) -> None:
    """What fails below EC2 is a failed activity as well, and the instance was never in service."""
    launcher = FakeLauncher(failure="no space")
    cloud.make_group(launcher, desired=1)
    assert cloud.describe()["Instances"] == []
    assert "InternalError" in _activities(cloud)[0]["StatusMessage"]


def test_other_zones(cloud: Cloud, launcher: FakeLauncher) -> None:
    """A group whose zones change moves there: it launches first and terminates then."""
    cloud.autoscaling.update_auto_scaling_group(**WORKERS, AvailabilityZones=[A, B])
    for _ in range(3):
        cloud.look()
    assert set(cloud.zones_of()) == {A, B}
    assert len(launcher.machines) == 4


def test_suspended_processes(cloud: Cloud, launcher: FakeLauncher) -> None:
    """What is suspended is not done, and said; resumed, it is done."""
    cloud.autoscaling.suspend_processes(**WORKERS, ScalingProcesses=["Launch"])
    victim = next(iter(launcher.machines))
    cloud.ec2.terminate_instances(InstanceIds=[victim])
    cloud.look()
    assert len(cloud.describe()["Instances"]) == 2
    assert [one["ProcessName"] for one in cloud.describe()["SuspendedProcesses"]] == ["Launch"]
    cloud.autoscaling.resume_processes(**WORKERS)
    cloud.look()
    assert len(cloud.describe()["Instances"]) == 3
    assert cloud.describe()["SuspendedProcesses"] == []


def test_terminate_in_group(cloud: Cloud, launcher: FakeLauncher) -> None:
    """An instance goes through its group, replaced or not as was asked."""
    first, second = list(launcher.machines)[:2]
    terminate = cloud.autoscaling.terminate_instance_in_auto_scaling_group
    terminate(InstanceId=first, ShouldDecrementDesiredCapacity=False)
    cloud.look()
    assert (len(cloud.describe()["Instances"]), cloud.describe()["DesiredCapacity"]) == (3, 3)
    terminate(InstanceId=second, ShouldDecrementDesiredCapacity=True)
    cloud.look()
    assert (len(cloud.describe()["Instances"]), cloud.describe()["DesiredCapacity"]) == (2, 2)
    assert launcher.retired == [first, second]


def test_declared_unhealthy(cloud: Cloud, launcher: FakeLauncher) -> None:
    """An instance that somebody declares unhealthy is replaced."""
    first = next(iter(launcher.machines))
    cloud.autoscaling.set_instance_health(InstanceId=first, HealthStatus="Unhealthy")
    cloud.look()
    assert launcher.machines[first].done == ["taken away"]
    assert cloud.zones_of() == [A, B, C]


def test_bounds_move_the_size(cloud: Cloud, launcher: FakeLauncher) -> None:
    """Without a size of its own a group follows new bounds."""
    cloud.autoscaling.update_auto_scaling_group(**WORKERS, MinSize=4)
    assert cloud.describe()["DesiredCapacity"] == 4
    cloud.autoscaling.update_auto_scaling_group(**WORKERS, MinSize=0, MaxSize=2)
    cloud.look()
    assert cloud.describe()["DesiredCapacity"] == 2
    assert len(launcher.machines) == 3


@pytest.mark.parametrize(
    ("call", "arguments", "said"),
    [
        ("set_desired_capacity", {**WORKERS, "DesiredCapacity": 9}, "above max value 6"),
        ("set_desired_capacity", {**WORKERS, "DesiredCapacity": 0}, "below min value 1"),
        ("set_desired_capacity", {"AutoScalingGroupName": "x", "DesiredCapacity": 1}, "name not found"),
        ("update_auto_scaling_group", {**WORKERS, "MinSize": 7}, "Max bound"),
        ("update_auto_scaling_group", {**WORKERS, "DesiredCapacity": 7}, "must be between"),
        (
            "update_auto_scaling_group",
            {**WORKERS, "AvailabilityZones": ["eu-west-1z"]},
            "Invalid availability zones",
        ),
        ("update_auto_scaling_group", {**WORKERS, "VPCZoneIdentifier": "subnet-1"}, "does not exist"),
        ("update_auto_scaling_group", {**WORKERS, "DefaultCooldown": 1}, "DefaultCooldown"),
        ("suspend_processes", {**WORKERS, "ScalingProcesses": ["Dance"]}, "not a valid scaling process"),
        ("set_instance_health", {"InstanceId": "i-1", "HealthStatus": "Healthy"}, "Instance Id not found"),
        (
            "terminate_instance_in_auto_scaling_group",
            {"InstanceId": "i-1", "ShouldDecrementDesiredCapacity": False},
            "Instance Id not found",
        ),
        ("describe_scaling_activities", {"AutoScalingGroupName": "x"}, "name not found"),
        ("describe_auto_scaling_groups", {"MaxRecords": 0}, "MaxRecords"),
        (
            "create_auto_scaling_group",
            {"AutoScalingGroupName": "x", "MinSize": 0, "MaxSize": 0},
            "autoscaling:CreateAutoScalingGroup",
        ),
    ],
)
def test_wrong_calls(
    cloud: Cloud, launcher: FakeLauncher, call: str, arguments: dict[str, object], said: str
) -> None:
    """A wrong call is AWS's own error, and changes nothing."""
    before = cloud.describe()
    with pytest.raises(ClientError, match=said) as caught:
        getattr(cloud.autoscaling, call)(**arguments)
    assert caught.value.response["Error"]["Code"] in ("ValidationError", "NotImplemented")
    cloud.look()
    assert cloud.describe() == before
    assert len(launcher.machines) == 3


def test_no_decrement_below_the_minimum(cloud: Cloud) -> None:
    """A group that is as small as it may be refuses to be one smaller."""
    launcher = FakeLauncher()
    cloud.make_group(launcher, minimum=3)
    with pytest.raises(ClientError, match="desiredSize equals minSize"):
        cloud.autoscaling.terminate_instance_in_auto_scaling_group(
            InstanceId=next(iter(launcher.machines)), ShouldDecrementDesiredCapacity=True
        )


def test_a_deleted_group(cloud: Cloud, launcher: FakeLauncher) -> None:
    """A group that is to go takes its instances with it, in order."""
    cloud.groups.find("workers").delete()
    cloud.look()
    assert cloud.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"] == []
    assert {machine.done[-1] for machine in launcher.machines.values()} == {"taken away"}
    assert sorted(launcher.retired) == sorted(launcher.machines)
