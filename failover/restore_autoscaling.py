"""Give the recovery region's nodes production's limits: `python -m failover.restore_autoscaling [--look]`.

The last known limits are kept in a parameter of the recovery region. Never fewer nodes than there are: users may be
served already. It waits until as many instances are in service.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from failover._looking import conclude, make_parser
from failover._places import CLUSTER, NODEGROUP, reach
from failover._telling import run, say
from failover._waiters import PATIENCE, await_seen

PARAMETER = "/meqenet/production/autoscaling"


@dataclass(frozen=True, slots=True)
class Limits:
    """How many nodes there may be, and how many there are to be now."""

    minimum: int
    desired: int
    maximum: int


def read_wanted(ssm: Any) -> Limits:
    """Return the last known limits of production."""
    said = json.loads(ssm.get_parameter(Name=PARAMETER)["Parameter"]["Value"])
    return Limits(said["minimum"], said["desired"], said["maximum"])


def read_now(eks: Any) -> tuple[Limits, str, list[str]]:
    """Return the node group's limits, its status, and its Auto Scaling groups."""
    group = eks.describe_nodegroup(clusterName=CLUSTER, nodegroupName=NODEGROUP)["nodegroup"]
    sizes = group["scalingConfig"]
    limits = Limits(sizes["minSize"], sizes["desiredSize"], sizes["maxSize"])
    return limits, group["status"], [one["name"] for one in group["resources"]["autoScalingGroups"]]


def make_room(eks: Any, wanted: Limits) -> None:
    """Have as many nodes as production is to have, its minimum left as it is, and wait until the group is changed.

    Terraform leaves the number of nodes alone, and AWS refuses it a minimum above that number.
    """
    _await_active(eks)  # another's update first: AWS does one after the other
    now = read_now(eks)[0]
    aim = Limits(now.minimum, max(wanted.desired, now.desired), max(wanted.maximum, now.maximum))
    _set(eks, now, aim)


def restore(eks: Any, autoscaling: Any, wanted: Limits) -> None:
    """Set the limits, as far as they are not set, and wait for the nodes."""
    _await_active(eks)
    now = read_now(eks)[0]
    aim = Limits(wanted.minimum, min(max(wanted.desired, now.desired), wanted.maximum), wanted.maximum)
    _set(eks, now, aim)
    advice = "`aws autoscaling describe-scaling-activities` says why nodes do not come."
    await_seen(lambda: observe(eks, autoscaling, wanted), advice=advice)


def _set(eks: Any, now: Limits, aim: Limits) -> None:
    if aim != now:
        sizes = {"minSize": aim.minimum, "desiredSize": aim.desired, "maxSize": aim.maximum}
        eks.update_nodegroup_config(clusterName=CLUSTER, nodegroupName=NODEGROUP, scalingConfig=sizes)
        say("limits set", **sizes)
    _await_active(eks)


def _await_active(eks: Any) -> None:
    waiter = eks.get_waiter("nodegroup_active")
    waiter.wait(clusterName=CLUSTER, nodegroupName=NODEGROUP, WaiterConfig=PATIENCE)


def observe(eks: Any, autoscaling: Any, wanted: Limits) -> list[str]:
    """Return what is not so yet: limits, status, instances in service."""
    now, status, groups = read_now(eks)
    missing = []
    if (now.minimum, now.maximum) != (wanted.minimum, wanted.maximum):
        missing.append(
            f"{NODEGROUP} may have {now.minimum} to {now.maximum} nodes, not {wanted.minimum} to {wanted.maximum}."
        )
    if now.desired < wanted.desired:
        missing.append(f"{NODEGROUP} is to have {now.desired} nodes, not {wanted.desired}.")
    if status != "ACTIVE":
        missing.append(f"{NODEGROUP} is {status}.")
    described = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=groups)["AutoScalingGroups"]
    instances = [one for group in described for one in group["Instances"]]
    serving = sum(
        (one["LifecycleState"], one["HealthStatus"]) == ("InService", "Healthy") for one in instances
    )
    if serving < wanted.desired:
        missing.append(f"{serving} of {wanted.desired} nodes are in service.")
    return missing


def main() -> None:
    """Restore the limits, or look."""
    asked = make_parser("Give the recovery region's nodes production's limits of autoscaling.").parse_args()
    wanted, eks, autoscaling = read_wanted(reach("ssm")), reach("eks"), reach("autoscaling")
    if not asked.look:
        restore(eks, autoscaling, wanted)
    conclude(observe(eks, autoscaling, wanted), f"{wanted.desired} nodes or more are in service")


if __name__ == "__main__":
    run(main)
