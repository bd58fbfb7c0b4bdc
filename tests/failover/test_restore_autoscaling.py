"""Production's limits of autoscaling: set once, never fewer nodes than there are, and nodes that are in service."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from failover.restore_autoscaling import Limits, make_room, observe, read_wanted, restore
from tests.failover.fake_clients import FakeClient

WANTED = Limits(3, 4, 9)


@dataclass
class Cloud(FakeClient):
    """A node group, its Auto Scaling group and the parameter with production's limits."""

    limits: Limits = field(default_factory=lambda: Limits(1, 1, 3))
    status: str = "ACTIVE"
    serving: int | None = None  # None: as many as are desired

    def get_parameter(self, Name: str) -> dict[str, Any]:  # noqa: N803
        """Answer as Systems Manager does."""
        assert Name == "/meqenet/production/autoscaling"
        return {"Parameter": {"Value": '{"minimum": 3, "desired": 4, "maximum": 9}'}}

    def describe_nodegroup(self, **_: object) -> dict[str, Any]:
        """Answer as EKS does."""
        limits = self.limits
        sizes = {"minSize": limits.minimum, "desiredSize": limits.desired, "maxSize": limits.maximum}
        group = {"scalingConfig": sizes, "status": self.status}
        return {"nodegroup": {**group, "resources": {"autoScalingGroups": [{"name": "asg"}]}}}

    def update_nodegroup_config(self, scalingConfig: dict[str, int], **_: object) -> None:  # noqa: N803
        """Resize, as EKS does it."""
        assert scalingConfig["minSize"] <= scalingConfig["desiredSize"] <= scalingConfig["maxSize"]
        self.changes.append("resize")
        sizes = scalingConfig
        self.limits = Limits(sizes["minSize"], sizes["desiredSize"], sizes["maxSize"])

    def describe_auto_scaling_groups(self, AutoScalingGroupNames: list[str]) -> dict[str, Any]:  # noqa: N803
        """Answer as EC2 Auto Scaling does; one instance more is just starting."""
        assert AutoScalingGroupNames == ["asg"]
        serving = self.limits.desired if self.serving is None else self.serving
        instances = [{"LifecycleState": "InService", "HealthStatus": "Healthy"}] * serving
        starting = {"LifecycleState": "Pending", "HealthStatus": "Healthy"}
        return {"AutoScalingGroups": [{"Instances": [*instances, starting]}]}


def test_limits_are_read_from_the_recovery_region() -> None:
    """As they were last known."""
    assert read_wanted(Cloud()) == WANTED


def test_restored_once() -> None:
    """The look says what is not so before, and nothing after; the second time nothing is changed."""
    cloud = Cloud()
    assert observe(cloud, cloud, WANTED) == [
        "services may have 1 to 3 nodes, not 3 to 9.",
        "services is to have 1 nodes, not 4.",
        "1 of 4 nodes are in service.",
    ]
    restore(cloud, cloud, WANTED)
    restore(cloud, cloud, WANTED)
    assert observe(cloud, cloud, WANTED) == []
    assert cloud.limits == WANTED
    assert cloud.changes.count("resize") == 1


def test_there_is_room_for_what_terraform_asks_for() -> None:
    """As many nodes as in production and the minimum left alone; a second time nothing is changed."""
    cloud = Cloud()
    make_room(cloud, WANTED)
    make_room(cloud, WANTED)
    assert cloud.limits == Limits(1, 4, 9)
    assert cloud.changes.count("resize") == 1


def test_room_is_never_taken_away() -> None:
    """More nodes, or a higher limit, stay."""
    cloud = Cloud(limits=Limits(3, 7, 12))
    make_room(cloud, WANTED)
    assert cloud.limits == Limits(3, 7, 12)


def test_an_update_under_way_is_waited_for_first() -> None:
    """AWS refuses a second one."""
    cloud = Cloud()
    restore(cloud, cloud, WANTED)
    assert cloud.changes == ["wait nodegroup_active", "resize", "wait nodegroup_active"]


def test_nodes_that_serve_are_not_taken_away() -> None:
    """Autoscaling may have made more of them, for users who are there already."""
    cloud = Cloud(limits=Limits(3, 7, 9))
    restore(cloud, cloud, WANTED)
    assert cloud.limits.desired == 7
    assert "resize" not in cloud.changes


@pytest.mark.parametrize(
    ("cloud", "says"),
    [
        (Cloud(limits=WANTED, serving=2), ["2 of 4 nodes are in service."]),
        (Cloud(limits=WANTED, status="UPDATING"), ["services is UPDATING."]),
    ],
)
def test_what_is_not_so_yet(cloud: Cloud, says: list[str]) -> None:
    """Limits alone serve nobody."""
    assert observe(cloud, cloud, WANTED) == says
