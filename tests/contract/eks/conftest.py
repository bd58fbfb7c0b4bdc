"""What the contract's tests see of an environment: clients of EKS, EC2 and Auto Scaling, and a cluster with nodes.

Only this file knows that the environment is an embedded mirror. `client` makes plain boto3 clients in the first region.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from drdrill.dataplane.kubernetes_programs import find_programs
from tests.contract.rds.conftest import client, environment, patience, plan, repository

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.plan.model import Plan

__all__ = ["client", "environment", "patience", "plan", "repository"]

ROLE = "arn:aws:iam::000000000000:role/eks"
CLUSTER = "contract"
WORKERS = {"clusterName": CLUSTER, "nodegroupName": "workers"}


@pytest.fixture(scope="module")
def aws(client: Callable[..., Any], plan: Plan) -> Callable[[str], Any]:
    """Return what makes a client of a service in the first region."""
    if find_programs() is None:
        pytest.skip("Kubernetes is not built here: ./drdrill setup")
    made: dict[str, Any] = {}

    def make(service: str) -> Any:
        if service not in made:
            made[service] = client(plan.regions.primary.name, service)
        return made[service]

    return make


@pytest.fixture(scope="module")
def subnets(aws: Callable[[str], Any]) -> list[str]:
    """Return the ids of a subnet in each zone."""
    return [one["SubnetId"] for one in aws("ec2").describe_subnets()["Subnets"]]


@pytest.fixture(scope="module")
def workers(aws: Callable[[str], Any], subnets: list[str], patience: dict[str, int]) -> dict[str, Any]:
    """Return a node group of three nodes, in a cluster of its own, when both are active."""
    eks = aws("eks")
    eks.create_cluster(name=CLUSTER, roleArn=ROLE, resourcesVpcConfig={"subnetIds": subnets})
    eks.get_waiter("cluster_active").wait(name=CLUSTER, WaiterConfig=patience)
    sizes = {"minSize": 1, "maxSize": 4, "desiredSize": 3}
    eks.create_nodegroup(**WORKERS, subnets=subnets, nodeRole=ROLE, scalingConfig=sizes)
    eks.get_waiter("nodegroup_active").wait(**WORKERS, WaiterConfig=patience)
    return dict(eks.describe_nodegroup(**WORKERS)["nodegroup"])
