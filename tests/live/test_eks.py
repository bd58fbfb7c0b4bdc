"""EKS, EC2 and Auto Scaling of a standing mirror, as AWS's own command line and kubectl use them."""

from __future__ import annotations

import json
import os
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from drdrill.core.waiting import wait_until
from drdrill.mirror.control import Control
from drdrill.mirror.directory import find_mirror
from tests.live.aws_cli import install_aws_cli
from tests.live.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [
    pytest.mark.drill,
    pytest.mark.usefixtures("kubernetes"),
]
REGION = "eu-west-1"
ZONES = [f"{REGION}{letter}" for letter in "abc"]
ROLE = "arn:aws:iam::000000000000:role/eks"
CALLER = "arn:aws:iam::000000000000:user/mirror"
CLUSTER = ("--name", "shop")
WORKERS = ("--cluster-name", "shop", "--nodegroup-name", "workers")
WITHIN, EVERY = timedelta(seconds=120), timedelta(milliseconds=500)  # measured 1 to 12 s
IMAGES = "images:\n  test/sleep:\n    command: [sleep]\n    args: ['1000000']\n"
SLEEPERS = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: sleepers}
spec:
  replicas: 4
  selector: {matchLabels: {app: sleepers}}
  template:
    metadata: {labels: {app: sleepers}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: it, image: test/sleep:1}]
"""


class Operators:
    """What operators do on their host, and what the mirror's supervisor is asked."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self.control = Control(find_mirror(repository.path, "a").control)

    def run(self, *program: str, said: str | None = None) -> str:
        """Run a program and return what it wrote; it must succeed."""
        ended = self.try_to_run(*program, said=said)
        assert ended[0] == 0, ended
        return ended[1]

    def try_to_run(self, *program: str, said: str | None = None) -> tuple[int, str, str]:
        """Run a program and return how it ended, and what it wrote."""
        ended = self._repository.run("env", "exec", "--name", "a", "--", *program, said=said)
        return ended.returncode, ended.stdout, ended.stderr

    def aws(self, *arguments: str) -> Any:
        """Ask AWS, and return its answer."""
        said = self.run("aws", *arguments, "--output", "json")
        return json.loads(said) if said.strip() else None

    def kubectl(self, *arguments: str, said: str | None = None) -> str:
        """Run kubectl, with whatever `aws eks update-kubeconfig` wrote."""
        return self.run("kubectl", *arguments, said=said)

    def nodes(self) -> dict[str, str]:
        """Return the ready nodes with their zones, as the cluster says."""
        listed = json.loads(self.kubectl("get", "nodes", "-o", "json"))["items"]
        return {
            one["metadata"]["name"]: one["metadata"]["labels"]["topology.kubernetes.io/zone"]
            for one in listed
            if any(c["type"] == "Ready" and c["status"] == "True" for c in one["status"]["conditions"])
        }

    def instances(self, state: str = "running") -> dict[str, dict[str, Any]]:
        """Return the node group's instances in a state, as EC2 says."""
        filters = ("Name=tag:eks:nodegroup-name,Values=workers", f"Name=instance-state-name,Values={state}")
        found = self.aws("ec2", "describe-instances", "--filters", *filters)["Reservations"]
        return {one["InstanceId"]: one for r in found for one in r["Instances"]}

    def group(self) -> dict[str, Any]:
        """Return the node group's Auto Scaling group."""
        (found,) = self.aws("autoscaling", "describe-auto-scaling-groups")["AutoScalingGroups"]
        return dict(found)

    def nodegroup(self) -> dict[str, Any]:
        """Return the node group."""
        return dict(self.aws("eks", "describe-nodegroup", *WORKERS)["nodegroup"])

    def host_of(self, instance: str) -> str:
        """Return the host that an instance is."""
        (cluster,) = self.control.ask("clusters")["clusters"]
        return str(next(node["host"] for node in cluster["nodes"] if node["instance"] == instance))

    def await_whole(self, size: int) -> None:
        """Wait until the node group has as many instances, all nodes, over the zones, and nothing under way."""

        def look() -> bool:
            nodes, group = self.nodes(), self.group()
            settled = {one["LifecycleState"] for one in group["Instances"]} == {"InService"}
            spread = Counter(nodes.values())
            even = max(spread.values(), default=0) - min((spread[zone] for zone in ZONES), default=0) <= 1
            return len(nodes) == len(group["Instances"]) == size and settled and even

        _await(look, f"{size} nodes")


def _await(look: Callable[[], object], what: str) -> None:
    wait_until(look, what=what, within=WITHIN, every=EVERY)


@pytest.fixture(scope="module")
def operators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operators]:
    """Bring a mirror up in which status checks are quick, and create a cluster with three nodes by AWS's API."""
    repository = Repository.copy(tmp_path_factory.mktemp("live"))
    repository.variables["PATH"] = f"{install_aws_cli()}{os.pathsep}{os.environ['PATH']}"
    folder = repository.path / "environments" / "embedded"
    (folder / "images.yaml").write_text(IMAGES, encoding="utf-8")
    settings = yaml.safe_load((folder / "environment.yaml").read_text(encoding="utf-8"))
    settings["kubernetes"] = {
        **settings.get("kubernetes", {}),
        "instance_checks": "3 s",
        "launch_retry": "2 s",
    }
    (folder / "environment.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    try:
        up = repository.run("env", "up", "--only", "databases", "--name", "a")
        assert up.returncode == 0, up.stderr
        made = Operators(repository)
        subnets = [one["SubnetId"] for one in made.aws("ec2", "describe-subnets")["Subnets"]]
        places = f"subnetIds={','.join(subnets)}"
        made.aws("eks", "create-cluster", *CLUSTER, "--role-arn", ROLE, "--resources-vpc-config", places)
        made.aws("eks", "wait", "cluster-active", *CLUSTER)
        made.run("aws", "eks", "update-kubeconfig", *CLUSTER)
        sizes = "minSize=1,maxSize=6,desiredSize=3"
        made.aws(
            "eks", "create-nodegroup", *WORKERS, "--subnets", *subnets, "--node-role", ROLE, "--scaling-config", sizes,
            "--labels", "tier=front",
        )  # fmt: skip
        made.aws("eks", "wait", "nodegroup-active", *WORKERS)
        yield made
    finally:
        repository.clear()


def test_the_cluster_is_what_it_says(operators: Operators) -> None:
    """With the AWS CLI's token kubectl is the cluster's administrator, and sees a ready node in each zone."""
    described = operators.aws("eks", "describe-cluster", *CLUSTER)["cluster"]
    assert described["status"] == "ACTIVE"
    assert operators.kubectl("config", "current-context").strip() == described["arn"]
    who = json.loads(operators.kubectl("auth", "whoami", "-o", "json"))["status"]["userInfo"]
    assert who["username"] == CALLER
    assert operators.kubectl("auth", "can-i", "*", "*").strip() == "yes"
    assert sorted(operators.nodes().values()) == ZONES
    assert operators.nodegroup()["status"] == "ACTIVE"


def test_instances_are_the_nodes(operators: Operators) -> None:
    """An instance's name, zone and address are those of the node that it is."""
    nodes = {
        one["metadata"]["name"]: one
        for one in json.loads(operators.kubectl("get", "nodes", "-o", "json"))["items"]
    }
    instances = operators.instances()
    assert {one["PrivateDnsName"] for one in instances.values()} == set(nodes)
    for name, instance in instances.items():
        node = nodes[instance["PrivateDnsName"]]
        zone = instance["Placement"]["AvailabilityZone"]
        assert node["spec"]["providerID"] == f"aws:///{zone}/{name}"
        assert node["metadata"]["labels"]["tier"] == "front"
        assert {"type": "InternalIP", "address": instance["PrivateIpAddress"]} in node["status"]["addresses"]


def test_a_terminated_instance_is_replaced_in_its_zone(operators: Operators) -> None:
    """Terminating an instance kills its node; the group starts another one in the zone that lacks one."""
    victim, described = next(iter(operators.instances().items()))
    operators.aws("ec2", "terminate-instances", "--instance-ids", victim)
    operators.run("aws", "ec2", "wait", "instance-terminated", "--instance-ids", victim)
    assert victim in operators.instances("terminated")
    operators.await_whole(3)
    assert described["PrivateDnsName"] not in operators.nodes()
    assert victim not in operators.instances()


def test_a_lost_host_is_replaced(operators: Operators) -> None:
    """A host that loses its power is no running instance any more; when its checks fail the group replaces it."""
    victim, described = next(iter(operators.instances().items()))
    operators.control.ask("power_off", host=operators.host_of(victim))
    assert victim not in operators.instances()
    _await(lambda: victim in operators.instances("terminated"), "the end of the lost instance")
    operators.await_whole(3)
    assert described["PrivateDnsName"] not in operators.nodes()
    activities = operators.aws("autoscaling", "describe-scaling-activities")["Activities"]
    assert any("EC2 instance status checks failure" in one["Cause"] for one in activities)


@pytest.mark.long
def test_an_update_to_five_and_back(operators: Operators) -> None:
    """An update is successful when the nodes are Ready; nodes that go are drained, and their pods live on elsewhere."""
    operators.kubectl("apply", "-f", "-", said=SLEEPERS)
    operators.kubectl("rollout", "status", "deployment/sleepers", "--timeout=60s")
    for size in (5, 2):
        sizes = f"desiredSize={size}"
        update = operators.aws("eks", "update-nodegroup-config", *WORKERS, "--scaling-config", sizes)[
            "update"
        ]

        def ended(update: dict[str, Any] = update) -> bool:
            asked = ("--name", "shop", "--nodegroup-name", "workers", "--update-id", update["id"])
            return bool(operators.aws("eks", "describe-update", *asked)["update"]["status"] == "Successful")

        _await(ended, "the end of the update")
        assert len(operators.nodes()) == size
        assert operators.nodegroup()["status"] == "ACTIVE"
    operators.kubectl("rollout", "status", "deployment/sleepers", "--timeout=60s")
    operators.kubectl("delete", "deployment", "sleepers")
    group = operators.group()["AutoScalingGroupName"]
    operators.aws(
        "autoscaling", "set-desired-capacity", "--auto-scaling-group-name", group, "--desired-capacity", "3"
    )
    operators.await_whole(3)


def test_a_zone_without_capacity(operators: Operators) -> None:
    """A launch that is refused is a failed activity with AWS's code; another zone helps; later it is balanced."""
    operators.control.ask(
        "refuse_launches", region=REGION, code="InsufficientInstanceCapacity", zones=[ZONES[0]]
    )
    victim = next(
        name
        for name, one in operators.instances().items()
        if one["Placement"]["AvailabilityZone"] == ZONES[0]
    )
    operators.aws("ec2", "terminate-instances", "--instance-ids", victim)
    _await(
        lambda: (
            sorted(operators.nodes().values()) in ([ZONES[1], ZONES[1], ZONES[2]], [*ZONES[1:], ZONES[2]])
        ),
        "help",
    )
    activities = operators.aws("autoscaling", "describe-scaling-activities")["Activities"]
    failed = [one for one in activities if one["StatusCode"] == "Failed"]
    assert "InsufficientInstanceCapacity" in failed[0]["StatusMessage"]
    assert ZONES[0] in failed[0]["StatusMessage"]
    operators.control.ask("allow_launches", region=REGION)
    operators.await_whole(3)


@pytest.mark.long
def test_a_lost_zone(operators: Operators) -> None:
    """Its instances are replaced in the zones that are left, as EC2 has none to give there; later it is balanced."""
    operators.control.ask("lose_zone", zone=ZONES[0])
    try:
        _await(
            lambda: (
                sorted(operators.nodes().values())
                in ([ZONES[1], ZONES[1], ZONES[2]], [ZONES[1], ZONES[2], ZONES[2]])
            ),
            "three nodes in two zones",
        )
        activities = operators.aws("autoscaling", "describe-scaling-activities")["Activities"]
        failed = [one for one in activities if one["StatusCode"] == "Failed"]
        assert "InsufficientInstanceCapacity" in failed[0]["StatusMessage"]
        assert ZONES[0] in failed[0]["StatusMessage"]
        assert operators.control.ask("allow_launches", region=REGION)[
            "refused"
        ]  # a lost zone has nothing to give
    finally:
        operators.control.ask("return_zone", zone=ZONES[0])
    operators.await_whole(3)


@pytest.mark.long
def test_a_quota(operators: Operators) -> None:
    """An update that a quota stops fails with AWS's code, and the node group is degraded until it may grow."""
    operators.control.ask("refuse_launches", region=REGION, code="VcpuLimitExceeded")
    update = operators.aws("eks", "update-nodegroup-config", *WORKERS, "--scaling-config", "desiredSize=4")[
        "update"
    ]
    asked = ("--name", "shop", "--nodegroup-name", "workers", "--update-id", update["id"])
    _await(
        lambda: operators.aws("eks", "describe-update", *asked)["update"]["status"] != "InProgress", "its end"
    )
    ended = operators.aws("eks", "describe-update", *asked)["update"]
    assert ended["status"] == "Failed"
    assert "VcpuLimitExceeded" in ended["errors"][0]["errorMessage"]
    assert operators.nodegroup()["health"]["issues"][0]["code"] == "AsgInstanceLaunchFailures"
    operators.control.ask("allow_launches", region=REGION)
    _await(lambda: len(operators.nodes()) == 4 and operators.nodegroup()["status"] == "ACTIVE", "four nodes")


def test_access_is_what_entries_say(operators: Operators) -> None:
    """Without a policy its owner is known, and may do nothing; with one to view, only that; as administrator, all."""
    entry = ("--cluster-name", "shop", "--principal-arn", CALLER)
    policies = "arn:aws:eks::aws:cluster-access-policy/AmazonEKS"

    def can(verb: str) -> bool:
        return operators.try_to_run("kubectl", "auth", "can-i", verb, "pods")[1].strip() == "yes"

    def become(add: str, remove: str) -> None:
        scope = ("--access-scope", "type=cluster")
        operators.aws(
            "eks", "associate-access-policy", *entry, "--policy-arn", f"{policies}{add}Policy", *scope
        )
        operators.aws(
            "eks", "disassociate-access-policy", *entry, "--policy-arn", f"{policies}{remove}Policy"
        )

    become("View", "ClusterAdmin")
    assert (can("list"), can("delete")) == (True, False)
    become("ClusterAdmin", "View")
    assert can("delete")


def test_tokens_of_strangers(operators: Operators) -> None:
    """Whoever is no user of the mirror, or shows a token for another cluster, is not let in."""
    command = ("kubectl", "get", "nodes")
    status, _, errors = operators.try_to_run("env", "AWS_SECRET_ACCESS_KEY=guessed", *command)
    assert status != 0
    assert "must be logged in" in errors or "Unauthorized" in errors
    token = operators.aws("eks", "get-token", "--cluster-name", "bank")["status"]["token"]
    endpoint = operators.aws("eks", "describe-cluster", *CLUSTER)["cluster"]["endpoint"]
    ask = ("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", f"Authorization: Bearer {token}")
    assert operators.run(*ask, f"{endpoint}/api/v1/nodes").strip() == "401"


def test_wrong_calls_are_awss_errors(operators: Operators) -> None:
    """The AWS CLI shows errors with AWS's codes, and the name of what is not there."""
    for arguments, said in (
        (("eks", "describe-cluster", "--name", "x"), "ResourceNotFoundException"),
        (("eks", "describe-addon-versions"), "eks:DescribeAddonVersions in eu-west-1 is not implemented"),
        (("eks", "delete-cluster", *CLUSTER), "ResourceInUseException"),
        (
            ("ec2", "terminate-instances", "--instance-ids", "i-0123456789abcdef0"),
            "InvalidInstanceID.NotFound",
        ),
        (("ec2", "describe-vpn-gateways"), "ec2:DescribeVpnGateways"),
        (("autoscaling", "describe-policies"), "autoscaling:DescribePolicies"),
    ):
        status, _, errors = operators.try_to_run("aws", *arguments)
        assert status != 0
        assert said in errors, (arguments, errors)


def test_zz_everything_goes(operators: Operators) -> None:
    """A node group goes with its instances, a cluster with everything: no host, no name is left."""
    endpoint = operators.aws("eks", "describe-cluster", *CLUSTER)["cluster"]["endpoint"]
    operators.aws("eks", "delete-nodegroup", *WORKERS)
    operators.run("aws", "eks", "wait", "nodegroup-deleted", *WORKERS)
    assert operators.nodes() == {}
    assert operators.instances() == {}
    operators.aws("eks", "delete-cluster", *CLUSTER)
    operators.run("aws", "eks", "wait", "cluster-deleted", *CLUSTER)
    assert not [host for host in operators.control.ask("hosts")["hosts"] if "shop" in host["name"]]
    assert "Could not resolve" in operators.try_to_run("curl", "-sS", "-m", "2", f"{endpoint}/readyz")[2]
