"""EKS: clusters and node groups whose statuses are true, updates, access entries."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from drdrill.aws.ec2 import Refusal
from drdrill.aws.sts import name_caller
from tests.aws.cloud import ACCOUNT, RETRY, ZONES, Cloud, FakeLauncher

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.aws.cloud import FakePlane

ROLE = f"arn:aws:iam::{ACCOUNT}:role/eks"
CALLER = name_caller(ACCOUNT)
VIEW = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"
ADMIN = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
WORKERS = {"clusterName": "shop", "nodegroupName": "workers"}
WHOLE = {"type": "cluster"}


@pytest.fixture
def cloud() -> Cloud:
    """Return a region without clusters."""
    return Cloud()


def _subnets(cloud: Cloud) -> list[str]:
    return [zone.subnet for zone in cloud.ec2_region.zones]


def _create(cloud: Cloud, **changes: Any) -> Any:
    wanted = {
        "name": "shop",
        "roleArn": ROLE,
        "resourcesVpcConfig": {"subnetIds": _subnets(cloud)},
        **changes,
    }
    return cloud.eks.create_cluster(**wanted)


def _create_workers(cloud: Cloud, **changes: Any) -> Any:
    sizes = {"minSize": 1, "maxSize": 6, "desiredSize": 3}
    wanted = {**WORKERS, "nodeRole": ROLE, "subnets": _subnets(cloud), "scalingConfig": sizes, **changes}
    return cloud.eks.create_nodegroup(**wanted)


@pytest.fixture
def launcher(cloud: Cloud) -> FakeLauncher:
    """Return what makes the machines of an active cluster."""
    _create(cloud)
    return cloud.fleet.planes["shop"].launcher


def _workers(cloud: Cloud) -> dict[str, Any]:
    return dict(cloud.eks.describe_nodegroup(**WORKERS)["nodegroup"])


def test_a_cluster_is_active_when_it_is_up() -> None:
    """A cluster is creating, without an endpoint, until its control plane is up; then it has one, and an authority."""
    begun: list[Callable[[], None]] = []
    cloud = Cloud(begun.append)
    _create(cloud, tags={"team": "a"})
    described = cloud.eks.describe_cluster(name="shop")["cluster"]
    assert described["status"] == "CREATING"
    assert "endpoint" not in described
    begun.pop()()
    described = cloud.eks.describe_cluster(name="shop")["cluster"]
    plane = cloud.fleet.planes["shop"]
    assert (described["status"], described["endpoint"]) == ("ACTIVE", plane.endpoint)
    assert base64.b64decode(described["certificateAuthority"]["data"]).decode() == plane.authority
    assert (described["version"], described["tags"]) == ("1.34", {"team": "a"})
    assert cloud.eks.list_clusters()["clusters"] == ["shop"]
    cloud.eks.get_waiter("cluster_active").wait(name="shop")


def test_a_cluster_says_what_it_waits_for() -> None:
    """A cluster is creating while what it is made of is not there, with the reason in its health; then all is well."""
    begun: list[Callable[[], None]] = []
    cloud = Cloud(begun.append)
    cloud.fleet.wait = "Kubernetes 1.34.4 is being built on this machine."
    seen: list[dict[str, Any]] = []
    create = cloud.fleet.create

    def look_and_create(name: str, *, endpoint: str = "") -> FakePlane:
        seen.append(cloud.eks.describe_cluster(name=name)["cluster"])
        return create(name, endpoint=endpoint)

    cloud.fleet.create = look_and_create  # type: ignore[method-assign]
    _create(cloud)
    begun.pop()()
    (waiting,) = seen
    assert waiting["status"] == "CREATING"
    assert waiting["health"]["issues"] == [{"code": "Other", "message": cloud.fleet.wait, "resourceIds": []}]
    described = cloud.eks.describe_cluster(name="shop")["cluster"]
    assert (described["status"], described["health"]["issues"]) == ("ACTIVE", [])


def test_a_cluster_that_does_not_come_up(cloud: Cloud) -> None:
    """A cluster whose control plane fails has failed, and says why; it can be deleted."""
    cloud.fleet.failure = "kube-apiserver was not ready within 90 s."
    _create(cloud)
    described = cloud.eks.describe_cluster(name="shop")["cluster"]
    assert described["status"] == "FAILED"
    assert described["health"]["issues"][0]["message"] == cloud.fleet.failure
    cloud.eks.delete_cluster(name="shop")
    assert cloud.eks.list_clusters()["clusters"] == []


def test_the_same_request_again(cloud: Cloud) -> None:
    """A request with the same token creates nothing more; another one for the same name is refused."""
    _create(cloud, clientRequestToken="one")
    _create(cloud, clientRequestToken="one")
    with pytest.raises(cloud.eks.exceptions.ResourceInUseException):
        _create(cloud, clientRequestToken="two")
    assert list(cloud.fleet.planes) == ["shop"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": "-shop"}, "InvalidParameterException"),
        ({"roleArn": "eks"}, "InvalidParameterException"),
        ({"version": "1.29"}, "InvalidParameterException"),
        ({"resourcesVpcConfig": {"subnetIds": ["subnet-1"]}}, "InvalidParameterException"),
        ({"resourcesVpcConfig": {}}, "InvalidParameterException"),
        ({"tags": {"aws:x": "y"}}, "InvalidParameterException"),
        ({"encryptionConfig": []}, "NotImplemented"),
        ({"kubernetesNetworkConfig": {"ipFamily": "ipv6"}}, "NotImplemented"),
        ({"accessConfig": {"authenticationMode": "CONFIG_MAP"}}, "NotImplemented"),
    ],
)
def test_a_wrong_cluster(cloud: Cloud, changes: dict[str, object], code: str) -> None:
    """A wrong request is AWS's own error, and creates nothing."""
    with pytest.raises(ClientError) as caught:
        _create(cloud, **changes)
    assert caught.value.response["Error"]["Code"] == code
    assert cloud.fleet.planes == {}


def test_one_zone_is_too_few(cloud: Cloud) -> None:
    """A cluster's subnets must lie in two zones at least."""
    with pytest.raises(cloud.eks.exceptions.InvalidParameterException, match="at least two different AZs"):
        _create(cloud, resourcesVpcConfig={"subnetIds": _subnets(cloud)[:1]})


def test_what_is_not_there(cloud: Cloud, launcher: FakeLauncher) -> None:
    """Whoever asks for what is not there hears so in EKS's words, with the status 404."""
    missing = cloud.eks.exceptions.ResourceNotFoundException
    for call, arguments in (
        ("describe_cluster", {"name": "x"}),
        ("delete_cluster", {"name": "x"}),
        ("describe_nodegroup", {**WORKERS, "nodegroupName": "x"}),
        ("list_nodegroups", {"clusterName": "x"}),
        ("describe_update", {"name": "shop", "updateId": "x"}),
        ("describe_access_entry", {"clusterName": "shop", "principalArn": f"{CALLER}/x"}),
    ):
        with pytest.raises(missing) as caught:
            getattr(cloud.eks, call)(**arguments)
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    assert launcher.machines == {}


def test_a_node_group_is_active_when_its_nodes_are_ready(cloud: Cloud, launcher: FakeLauncher) -> None:
    """A node group is creating until the cluster says of all its nodes that they are Ready; it has one in each zone."""
    plane = cloud.fleet.planes["shop"]
    plane.unready = True
    _create_workers(cloud, labels={"tier": "front"}, instanceTypes=["m5.large"])
    cloud.look()
    assert (_workers(cloud)["status"], len(launcher.machines)) == ("CREATING", 3)
    plane.unready = False
    cloud.look()
    cloud.eks.get_waiter("nodegroup_active").wait(**WORKERS)
    described = _workers(cloud)
    assert described["scalingConfig"] == {"minSize": 1, "maxSize": 6, "desiredSize": 3}
    assert described["health"] == {"issues": []}
    group = described["resources"]["autoScalingGroups"][0]["name"]
    assert cloud.zones_of(group) == list(ZONES)
    for machine in launcher.machines.values():
        assert machine.labels["tier"] == "front"
        assert machine.labels["eks.amazonaws.com/nodegroup"] == "workers"
        assert machine.labels["node.kubernetes.io/instance-type"] == "m5.large"
    filters = [{"Name": "tag:eks:nodegroup-name", "Values": ["workers"]}]
    assert len(cloud.ec2.describe_instances(Filters=filters)["Reservations"]) == 3


def test_an_update(cloud: Cloud, launcher: FakeLauncher) -> None:
    """An update is in progress until the new nodes are Ready; nodes that are too many are drained before they go."""
    _create_workers(cloud)
    cloud.look()
    plane = cloud.fleet.planes["shop"]
    plane.unready = True
    update = cloud.eks.update_nodegroup_config(**WORKERS, scalingConfig={"desiredSize": 5})["update"]
    assert update["params"] == [{"type": "DesiredSize", "value": "5"}]

    def look() -> tuple[str, str]:
        cloud.look()
        said = cloud.eks.describe_update(name="shop", nodegroupName="workers", updateId=update["id"])[
            "update"
        ]
        return said["status"], _workers(cloud)["status"]

    assert look() == ("InProgress", "UPDATING")
    with pytest.raises(cloud.eks.exceptions.ResourceInUseException):
        cloud.eks.update_nodegroup_config(**WORKERS, scalingConfig={"desiredSize": 4})
    plane.unready = False
    assert look() == ("Successful", "ACTIVE")
    assert len(launcher.machines) == 5
    cloud.eks.update_nodegroup_config(**WORKERS, scalingConfig={"desiredSize": 2})
    cloud.look()
    gone = [machine.done for machine in launcher.machines.values() if "taken away" in machine.done]
    assert gone == [["joined", "drained within 900 s", "taken away"]] * 3
    assert len(cloud.eks.list_updates(name="shop", nodegroupName="workers")["updateIds"]) == 2


def test_what_its_auto_scaling_group_is_told(cloud: Cloud, launcher: FakeLauncher) -> None:
    """A size that its Auto Scaling group is given is the node group's own."""
    _create_workers(cloud)
    cloud.look()
    group = _workers(cloud)["resources"]["autoScalingGroups"][0]["name"]
    cloud.autoscaling.set_desired_capacity(AutoScalingGroupName=group, DesiredCapacity=4)
    cloud.look()
    assert (_workers(cloud)["scalingConfig"]["desiredSize"], len(launcher.machines)) == (4, 4)


def test_no_capacity_for_a_new_node_group(cloud: Cloud, launcher: FakeLauncher) -> None:
    """A node group for which no zone has capacity cannot be created, and says with AWS's code why."""
    cloud.ec2_region.refuse(
        [Refusal("InsufficientInstanceCapacity", "There is no sufficient {type} in {zone}.")]
    )
    _create_workers(cloud)
    cloud.look()
    described = _workers(cloud)
    assert described["status"] == "CREATE_FAILED"
    (issue,) = described["health"]["issues"]
    assert issue["code"] == "AsgInstanceLaunchFailures"
    assert "InsufficientInstanceCapacity" in issue["message"]
    cloud.eks.delete_nodegroup(**WORKERS)
    cloud.look()
    cloud.look()
    assert cloud.eks.list_nodegroups(clusterName="shop")["nodegroups"] == []
    assert launcher.machines == {}


def test_a_quota_on_the_way_up(cloud: Cloud, launcher: FakeLauncher) -> None:
    """An update that a quota stops has failed; the group is degraded until it has what it was told."""
    _create_workers(cloud)
    cloud.look()
    cloud.ec2_region.refuse(
        [Refusal("VcpuLimitExceeded", "You have requested more vCPU capacity than your limit.")]
    )
    update = cloud.eks.update_nodegroup_config(**WORKERS, scalingConfig={"desiredSize": 4})["update"]
    cloud.look()
    said = cloud.eks.describe_update(name="shop", nodegroupName="workers", updateId=update["id"])["update"]
    assert (said["status"], said["errors"][0]["errorCode"]) == ("Failed", "NodeCreationFailure")
    assert "VcpuLimitExceeded" in said["errors"][0]["errorMessage"]
    assert _workers(cloud)["status"] == "DEGRADED"
    cloud.ec2_region.refuse([])
    cloud.look(RETRY)
    cloud.look()
    assert (_workers(cloud)["status"], len(launcher.machines)) == ("ACTIVE", 4)


def test_nodes_that_do_not_join(cloud: Cloud, launcher: FakeLauncher) -> None:
    """Instances that do not become nodes go on as instances, and the node group cannot be created."""
    launcher.fails_to_join = "kubelet was not ready within 90 s."
    _create_workers(cloud)
    cloud.look()
    described = _workers(cloud)
    assert described["status"] == "CREATE_FAILED"
    assert described["health"]["issues"][0]["code"] == "NodeCreationFailure"
    assert sorted(described["health"]["issues"][0]["resourceIds"]) == sorted(launcher.machines)
    assert all(machine.powered for machine in launcher.machines.values())


@pytest.mark.parametrize(
    "changes",
    [
        {"scalingConfig": {"minSize": 3, "maxSize": 2, "desiredSize": 3}},
        {"scalingConfig": {"minSize": 2, "maxSize": 3, "desiredSize": 1}},
        {"subnets": ["subnet-1"]},
        {"nodeRole": "nodes"},
        {"labels": {"kubernetes.io/x": "y"}},
        {"labels": {"x": "not a label"}},
        {"nodegroupName": "-x"},
        {"version": "1.30"},
    ],
)
def test_a_wrong_node_group(cloud: Cloud, launcher: FakeLauncher, changes: dict[str, object]) -> None:
    """A wrong request is AWS's own error, and creates nothing."""
    with pytest.raises(cloud.eks.exceptions.InvalidParameterException):
        _create_workers(cloud, **changes)
    cloud.look()
    assert launcher.machines == {}


def test_sizes_that_contradict_each_other(cloud: Cloud, launcher: FakeLauncher) -> None:
    """An update to sizes that cannot be changes nothing, and the node group stays active."""
    _create_workers(cloud)
    cloud.look()
    with pytest.raises(cloud.eks.exceptions.InvalidParameterException, match="greater than max size 6"):
        cloud.eks.update_nodegroup_config(**WORKERS, scalingConfig={"desiredSize": 9})
    cloud.look()
    assert (_workers(cloud)["status"], len(launcher.machines)) == ("ACTIVE", 3)


def test_deletion(cloud: Cloud, launcher: FakeLauncher) -> None:
    """A cluster goes only without node groups, a node group with all of its machines, which are drained."""
    _create_workers(cloud)
    cloud.look()
    with pytest.raises(cloud.eks.exceptions.ResourceInUseException, match="nodegroups attached"):
        cloud.eks.delete_cluster(name="shop")
    assert cloud.eks.delete_nodegroup(**WORKERS)["nodegroup"]["status"] == "DELETING"
    cloud.look()
    cloud.look()
    cloud.eks.get_waiter("nodegroup_deleted").wait(**WORKERS)
    assert {machine.done[-1] for machine in launcher.machines.values()} == {"taken away"}
    plane = cloud.fleet.planes["shop"]
    cloud.eks.delete_cluster(name="shop")
    cloud.eks.get_waiter("cluster_deleted").wait(name="shop")
    assert plane.released


def test_access_entries(cloud: Cloud, launcher: FakeLauncher) -> None:
    """Whoever creates a cluster is its administrator; others are let in by entries, and do what policies allow."""
    assert cloud.eks.list_access_entries(clusterName="shop")["accessEntries"] == [CALLER]
    entry = {"clusterName": "shop", "principalArn": CALLER}
    (policy,) = cloud.eks.list_associated_access_policies(**entry)["associatedAccessPolicies"]
    assert policy["policyArn"] == ADMIN
    reader = {"clusterName": "shop", "principalArn": ROLE}
    cloud.eks.create_access_entry(**reader, kubernetesGroups=["readers"], username="reader")
    with pytest.raises(cloud.eks.exceptions.ResourceInUseException):
        cloud.eks.create_access_entry(**reader)
    cloud.eks.associate_access_policy(**reader, policyArn=VIEW, accessScope=WHOLE)
    found = cloud.eks_region.find("shop").find_user(ROLE)
    assert found == ("reader", ("readers", "eks:access-policy:AmazonEKSViewPolicy"))
    assert cloud.fleet.planes["shop"].granted[-1] == ("eks:access-policy:AmazonEKSViewPolicy", "view")
    cloud.eks.disassociate_access_policy(**reader, policyArn=VIEW)
    assert cloud.eks_region.find("shop").find_user(ROLE) == ("reader", ("readers",))
    cloud.eks.delete_access_entry(**reader)
    assert cloud.eks_region.find("shop").find_user(ROLE) is None
    assert launcher.machines == {}


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ("create_access_entry", {"principalArn": "me"}),
        ("create_access_entry", {"principalArn": ROLE, "username": "system:admin"}),
        ("create_access_entry", {"principalArn": ROLE, "kubernetesGroups": ["system:masters"]}),
        ("associate_access_policy", {"principalArn": CALLER, "policyArn": "x", "accessScope": WHOLE}),
    ],
)
def test_a_wrong_access_entry(
    cloud: Cloud, launcher: FakeLauncher, call: str, arguments: dict[str, object]
) -> None:
    """A wrong request is AWS's own error; nobody becomes a master of the cluster by a group's name."""
    with pytest.raises(cloud.eks.exceptions.InvalidParameterException):
        getattr(cloud.eks, call)(clusterName="shop", **arguments)
    assert cloud.eks.list_access_entries(clusterName="shop")["accessEntries"] == [CALLER]
    assert launcher.machines == {}


def test_nobody_is_let_in_where_that_was_asked_for(cloud: Cloud) -> None:
    """A cluster may be created that its creator has no access to."""
    _create(cloud, accessConfig={"bootstrapClusterCreatorAdminPermissions": False})
    assert cloud.eks.list_access_entries(clusterName="shop")["accessEntries"] == []
