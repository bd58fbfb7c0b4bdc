"""What AWS documents of clusters, node groups, their instances and their Auto Scaling group: true of AWS, too."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from drdrill.core.waiting import wait_until
from tests.contract.eks.conftest import CLUSTER, ROLE, WORKERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.plan.model import Plan

    Aws = Callable[[str], Any]

pytestmark = pytest.mark.drill
WITHIN, EVERY = timedelta(minutes=10), timedelta(seconds=1)  # measured 2 to 10 s; AWS takes minutes


def _group(aws: Aws, workers: dict[str, Any]) -> dict[str, Any]:
    name = workers["resources"]["autoScalingGroups"][0]["name"]
    (found,) = aws("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])[
        "AutoScalingGroups"
    ]
    return dict(found)


def _await_whole(aws: Aws, workers: dict[str, Any], size: int) -> list[dict[str, Any]]:
    def look() -> list[dict[str, Any]]:
        instances: list[dict[str, Any]] = _group(aws, workers)["Instances"]
        whole = len(instances) == size and all(one["LifecycleState"] == "InService" for one in instances)
        return instances if whole else []

    return wait_until(look, what=f"{size} instances in service", within=WITHIN, every=EVERY)


def test_a_node_group_is_an_auto_scaling_group(aws: Aws, workers: dict[str, Any]) -> None:
    """Its sizes are the group's, its instances are tagged with cluster and node group.

    https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html
    """
    group = _group(aws, workers)
    sizes = {
        "minSize": group["MinSize"],
        "maxSize": group["MaxSize"],
        "desiredSize": group["DesiredCapacity"],
    }
    assert workers["scalingConfig"] == sizes
    assert {one["Key"]: one["Value"] for one in group["Tags"]}["eks:cluster-name"] == CLUSTER
    filters = [{"Name": "tag:eks:nodegroup-name", "Values": [workers["nodegroupName"]]}]
    filters.append({"Name": "instance-state-name", "Values": ["running"]})
    pages = aws("ec2").get_paginator("describe_instances").paginate(Filters=filters)
    found = {one["InstanceId"] for page in pages for r in page["Reservations"] for one in r["Instances"]}
    assert found == {one["InstanceId"] for one in group["Instances"]}


def test_instances_are_spread_over_the_zones(aws: Aws, workers: dict[str, Any], plan: Plan) -> None:
    """A group has as many instances in one zone as in another, if it can.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/auto-scaling-benefits.html
    """
    zones = Counter(one["AvailabilityZone"] for one in _await_whole(aws, workers, 3))
    assert zones == Counter(plan.regions.primary.zones)


def test_waiters(aws: Aws, workers: dict[str, Any], patience: dict[str, int]) -> None:
    """Every waiter of botocore for instances and subnets that are there ends; Auto Scaling has none.

    https://docs.aws.amazon.com/boto3/latest/reference/services/ec2.html#waiters
    """
    instances = [one["InstanceId"] for one in _await_whole(aws, workers, 3)]
    for name in ("instance_exists", "instance_running", "instance_status_ok", "system_status_ok"):
        aws("ec2").get_waiter(name).wait(InstanceIds=instances, WaiterConfig=patience)
    aws("ec2").get_waiter("subnet_available").wait(SubnetIds=workers["subnets"], WaiterConfig=patience)


def test_a_terminated_instance_is_replaced(
    aws: Aws, workers: dict[str, Any], patience: dict[str, int]
) -> None:
    """A group replaces an instance that somebody terminates, and keeps its zones even.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-health-checks.html
    """
    before = _await_whole(aws, workers, 3)
    victim = before[0]["InstanceId"]
    aws("ec2").terminate_instances(InstanceIds=[victim])
    aws("ec2").get_waiter("instance_terminated").wait(InstanceIds=[victim], WaiterConfig=patience)

    def replaced() -> bool:
        return victim not in {one["InstanceId"] for one in _await_whole(aws, workers, 3)}

    wait_until(replaced, what="another instance", within=WITHIN, every=EVERY)
    after = Counter(one["AvailabilityZone"] for one in _await_whole(aws, workers, 3))
    assert after == Counter(one["AvailabilityZone"] for one in before)


def test_the_minimum_holds(aws: Aws, workers: dict[str, Any]) -> None:
    """A size out of bounds is refused, and so is an instance less than the minimum.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_SetDesiredCapacity.html
    """
    name = _group(aws, workers)["AutoScalingGroupName"]
    for wanted in (0, 5):
        with pytest.raises(ClientError) as caught:
            aws("autoscaling").set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=wanted)
        assert caught.value.response["Error"]["Code"] == "ValidationError"


def test_an_update(aws: Aws, workers: dict[str, Any], patience: dict[str, int]) -> None:
    """An update of sizes has an id and ends successfully; the node group is active then.

    https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateNodegroupConfig.html
    """
    eks = aws("eks")
    for size in (4, 3):
        update = eks.update_nodegroup_config(**WORKERS, scalingConfig={"desiredSize": size})["update"]

        def ended(asked: str = update["id"]) -> bool:
            said = eks.describe_update(name=CLUSTER, nodegroupName=workers["nodegroupName"], updateId=asked)
            return bool(said["update"]["status"] == "Successful")

        wait_until(ended, what="the end of the update", within=WITHIN, every=EVERY)
        eks.get_waiter("nodegroup_active").wait(**WORKERS, WaiterConfig=patience)
        _await_whole(aws, workers, size)


def test_names_are_taken_once(aws: Aws, workers: dict[str, Any], subnets: list[str]) -> None:
    """A second cluster or node group of a name is refused, and a cluster with node groups is not deleted.

    https://docs.aws.amazon.com/eks/latest/APIReference/API_DeleteCluster.html
    """
    eks = aws("eks")
    with pytest.raises(eks.exceptions.ResourceInUseException):
        eks.create_cluster(name=CLUSTER, roleArn=ROLE, resourcesVpcConfig={"subnetIds": subnets})
    with pytest.raises(eks.exceptions.ResourceInUseException):
        eks.create_nodegroup(**WORKERS, subnets=subnets, nodeRole=ROLE)
    with pytest.raises(eks.exceptions.ResourceInUseException):
        eks.delete_cluster(name=CLUSTER)
    assert eks.list_nodegroups(clusterName=CLUSTER)["nodegroups"] == [workers["nodegroupName"]]


def test_deletion(aws: Aws, workers: dict[str, Any], patience: dict[str, int]) -> None:
    """A node group goes with its group and its instances, then the cluster can go.

    https://docs.aws.amazon.com/eks/latest/userguide/delete-cluster.html
    """
    eks, name = aws("eks"), _group(aws, workers)["AutoScalingGroupName"]
    instances = [one["InstanceId"] for one in _group(aws, workers)["Instances"]]
    eks.delete_nodegroup(**WORKERS)
    eks.get_waiter("nodegroup_deleted").wait(**WORKERS, WaiterConfig=patience)
    aws("ec2").get_waiter("instance_terminated").wait(InstanceIds=instances, WaiterConfig=patience)
    described = aws("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])
    assert described["AutoScalingGroups"] == []
    eks.delete_cluster(name=CLUSTER)
    eks.get_waiter("cluster_deleted").wait(name=CLUSTER, WaiterConfig=patience)
    with pytest.raises(eks.exceptions.ResourceNotFoundException):
        eks.describe_cluster(name=CLUSTER)
