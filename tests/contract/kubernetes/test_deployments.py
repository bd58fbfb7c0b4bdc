"""Deployments: rolled out, stuck, undone, scaled, and spread over the zones.

https://kubernetes.io/docs/concepts/workloads/controllers/deployment/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.kubernetes.cluster import is_ready
from tests.contract.kubernetes.manifests import container, deployment, pod_spec

if TYPE_CHECKING:
    from tests.contract.kubernetes.cluster import Operators

pytestmark = pytest.mark.drill


def _serve(operators: Operators, replicas: int, image: str = "") -> None:
    spec = pod_spec("web", container(image or operators.cluster.python))
    operators.apply(deployment("web", replicas, spec))


def test_a_bad_version_leaves_the_good_one_serving_and_is_undone(operators: Operators) -> None:
    """A rollout that cannot go on takes none of three pods away; `rollout undo` ends it, and the history says so.

    https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-back-a-deployment
    """
    _serve(operators, 3)
    operators.roll_out("web")
    good = {one["metadata"]["uid"] for one in operators.pods("web")}
    _serve(operators, 3, operators.cluster.missing.image)
    stuck = operators.try_kubectl("rollout", "status", "deployment/web", "--timeout=5s")
    assert stuck.returncode != 0
    assert "1 out of 3 new replicas have been updated" in stuck.stdout + stuck.stderr
    pods = operators.pods("web")
    assert good == {one["metadata"]["uid"] for one in pods if is_ready(one)}
    assert len(pods) == 4
    assert "rolled back" in operators.kubectl("rollout", "undo", "deployment/web")
    operators.roll_out("web")
    operators.await_true(
        lambda: {one["metadata"]["uid"] for one in operators.pods("web")} == good, "only the good pods"
    )
    history = operators.kubectl("rollout", "history", "deployment/web").splitlines()
    assert [line.split()[0] for line in history if line[:1].isdigit()] == ["2", "3"]


def test_a_deployment_is_scaled_up_and_down(operators: Operators) -> None:
    """`scale` changes how many pods there are; those that stay are the same ones.

    https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#scaling-a-deployment
    """
    _serve(operators, 1)
    operators.roll_out("web")
    (first,) = operators.pods("web")
    assert "scaled" in operators.kubectl("scale", "deployment/web", "--replicas=4")
    operators.roll_out("web")
    more = {one["metadata"]["uid"] for one in operators.pods("web")}
    assert first["metadata"]["uid"] in more
    assert len(more) == 4
    refused = operators.try_kubectl("scale", "deployment/web", "--current-replicas=9", "--replicas=2")
    assert refused.returncode != 0
    assert "Expected replicas to be 9, was 4" in refused.stderr
    operators.kubectl("scale", "deployment/web", "--replicas=0")
    operators.await_true(lambda: not operators.read("pods", "-l", "app=web")["items"], "no pods")


def test_pods_are_spread_over_the_zones(operators: Operators) -> None:
    """Twice as many pods as zones: two in each. No zone gets more than one more than another.

    https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/
    """
    zones = operators.cluster.zones
    _serve(operators, 2 * len(zones))
    operators.roll_out("web")
    assert operators.zones_of(operators.pods("web")) == sorted([*zones, *zones])


def test_a_pod_that_would_unbalance_the_zones_waits(operators: Operators) -> None:
    """With the nodes of a zone cordoned, a pod that only could run elsewhere waits; it runs when they are uncordoned.

    https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/#topologyspreadconstraints-field
    """
    zones = operators.cluster.zones
    in_zone = f"topology.kubernetes.io/zone={zones[0]}"
    operators.kubectl("cordon", "-l", in_zone)
    try:
        _serve(operators, len(zones))
        operators.await_true(
            lambda: sum(map(is_ready, operators.pods("web"))) == len(zones) - 1, "all but one"
        )
        (waits,) = [one for one in operators.pods("web") if not is_ready(one)]
        operators.await_true(
            lambda: (
                "didn't match pod topology spread constraints"
                in operators.kubectl("describe", "pod", waits["metadata"]["name"])
            ),
            "the scheduler's reason",
        )
    finally:
        operators.kubectl("uncordon", "-l", in_zone)
    operators.roll_out("web")
    assert operators.zones_of(operators.pods("web")) == sorted(zones)


def test_what_a_user_may_do_and_what_a_field_means(operators: Operators) -> None:
    """`auth can-i` answers by the cluster's roles; `explain` by its own schema.

    https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access
    """
    assert operators.kubectl("auth", "can-i", "create", "deployments").strip() == "yes"
    account = f"--as=system:serviceaccount:{operators.namespace}:default"
    asked = operators.try_kubectl("auth", "can-i", "create", "deployments", account)
    assert (asked.returncode, asked.stdout.strip()) == (1, "no")
    operators.kubectl(
        "create",
        "rolebinding",
        "editors",
        "--clusterrole=edit",
        "--serviceaccount",
        f"{operators.namespace}:default",
    )
    assert operators.kubectl("auth", "can-i", "create", "deployments", account).strip() == "yes"
    assert "maxSkew" in operators.kubectl("explain", "pod.spec.topologySpreadConstraints")
