"""Chaos Toolkit's extension for Kubernetes, unmodified: its actions and probes for pods, nodes and deployments.

Each experiment runs by the plain `chaos` command where operators are, with the operators' own kubeconfig.

https://chaostoolkit.org/drivers/kubernetes/
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.kubernetes.manifests import container, deployment, pod_spec

if TYPE_CHECKING:
    from tests.contract.kubernetes.cluster import Operators

pytestmark = pytest.mark.drill
_WITHIN = timedelta(
    seconds=150
)  # measured 2 to 15 s; the extension looks every 10 s whether a node is drained
_RUN = (
    'cd "$(mktemp -d)" && cat > experiment.json && '
    "chaos --no-version-check --settings settings.yaml run experiment.json >&2 && cat journal.json"
)
_POD, _NODE, _DEPLOYMENT = "chaosk8s.pod", "chaosk8s.node", "chaosk8s.deployment"
WEB = "app=web"


def action(module: str, name: str, /, **arguments: object) -> dict[str, Any]:
    """Return an activity of an experiment."""
    provider = {"type": "python", "module": f"{module}.actions", "func": name, "arguments": arguments}
    return {"type": "action", "name": name, "provider": provider}


def probe(module: str, name: str, /, **arguments: object) -> dict[str, Any]:
    """Return an activity of an experiment that looks."""
    provider = {"type": "python", "module": f"{module}.probes", "func": name, "arguments": arguments}
    return {"type": "probe", "name": name, "provider": provider}


def run(operators: Operators, *activities: dict[str, Any]) -> list[Any]:
    """Run activities one after another; all must succeed. Return what they gave."""
    experiment = {
        "title": "The extension at a cluster",
        "description": "Its own actions and probes.",
        "method": list(activities),
    }
    ended = operators.try_out("sh", "-c", _RUN, said=json.dumps(experiment), within=_WITHIN)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    done = json.loads(ended.stdout)["run"]
    assert [one["activity"]["name"] for one in done] == [one["name"] for one in activities]
    failed = [(one["activity"]["name"], one.get("exception")) for one in done if one["status"] != "succeeded"]
    assert not failed, ended.stderr
    return [one["output"] for one in done]


def _serve(operators: Operators, replicas: int) -> None:
    operators.apply(deployment("web", replicas, pod_spec("web", container(operators.cluster.python))))
    operators.roll_out("web")


def test_pods(operators: Operators) -> None:
    """A pod that is terminated is gone and replaced; pods are counted, looked at, read and entered."""
    _serve(operators, 3)
    ns = operators.namespace
    before = {one["metadata"]["name"] for one in operators.pods("web")}
    ready = [{"type": "Ready", "status": "True"}]
    terminated, entered, *looks = run(
        operators,
        action(_POD, "terminate_pods", label_selector=WEB, ns=ns, qty=1, rand=True, grace_period=0),
        action(
            _POD, "exec_in_pods", cmd=["sh", "-c", "hostname; exit 3"], label_selector=WEB, ns=ns, qty=1,
            container_name="main", order="oldest",
        ),
        probe("chaosk8s.deployment", "deployment_fully_available", name="web", ns=ns, timeout=60),
        probe(_POD, "count_pods", label_selector=WEB, phase="Running", ns=ns),
        probe(_POD, "count_min_pods", label_selector=WEB, min_count=3, ns=ns),
        probe(_POD, "pods_in_phase", label_selector=WEB, ns=ns),
        probe(_POD, "pods_in_conditions", label_selector=WEB, conditions=ready, ns=ns),
        probe(_POD, "pods_not_in_phase", label_selector=WEB, phase="Pending", ns=ns),
        probe(_POD, "all_pods_healthy", ns=ns),
        probe(_POD, "pod_is_not_available", name="nobody", ns=ns),
        probe(_POD, "read_pod_logs", label_selector=WEB, ns=ns, container_name="main"),
    )  # fmt: skip
    after = {one["metadata"]["name"] for one in operators.pods("web")}
    assert len(terminated) == 1
    assert set(terminated) == before - after
    (inside,) = entered
    assert (inside["stdout"].strip(), inside["exit_code"]) == (inside["pod_name"], "3")
    *answers, logs = looks
    assert answers == [True, 3, *[True] * 6]
    assert set(logs) == after
    assert all("serves" in words for words in logs.values())


def test_nodes(operators: Operators) -> None:
    """Nodes are read, cordoned, drained of all that can go, and uncordoned; an entry is deleted."""
    _serve(operators, 3)
    operators.await_true(lambda: not _ending(operators), "the end of other tests' namespaces")
    node = operators.pods("web")[0]["spec"]["nodeName"]
    there = len(operators.read("nodes")["items"])
    try:
        listed, ready, healthy, pressed, cordoned, drained = run(
            operators,
            probe(_NODE, "get_nodes"),
            probe(_NODE, "all_nodes_must_be_ready_to_schedule"),
            probe(_NODE, "nodes_must_be_healthy"),
            probe(_NODE, "verify_nodes_condition", condition_type="MemoryPressure", condition_value="False"),
            action(_NODE, "cordon_node", name=node),
            action(_NODE, "drain_nodes", name=node, delete_pods_with_local_storage=True),
        )
        assert len(listed["items"]) == there
        assert (ready, healthy, pressed) == (True, True, True)
        assert cordoned == drained == [node]
        assert node not in {one["spec"].get("nodeName") for one in operators.pods("web")}
        (uncordoned,) = run(operators, action(_NODE, "uncordon_node", name=node))
        assert uncordoned == [node]
    finally:
        operators.kubectl("uncordon", node)
    operators.roll_out("web")
    # Made by kubectl: what the extension's `create_node` returns cannot be written into any journal.
    name = f"{operators.namespace}.example"
    operators.apply(
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": {"contract": operators.namespace}},
        }
    )
    (deleted,) = run(
        operators, action(_NODE, "delete_nodes", label_selector=f"contract={operators.namespace}")
    )
    assert deleted == [name]
    assert len(operators.read("nodes")["items"]) == there


def _ending(operators: Operators) -> list[str]:
    """Return the namespaces that are being deleted: nothing can be evicted in them."""
    namespaces = operators.read("namespaces")["items"]
    return [one["metadata"]["name"] for one in namespaces if one["status"]["phase"] == "Terminating"]


def test_deployments(operators: Operators) -> None:
    """A deployment is scaled, restarted and deleted, and found available or not as it is."""
    _serve(operators, 1)
    ns = operators.namespace
    before = {one["metadata"]["uid"] for one in operators.pods("web")}
    answers = run(
        operators,
        probe(_DEPLOYMENT, "deployment_available_and_healthy", name="web", ns=ns),
        action(_DEPLOYMENT, "scale_deployment", name="web", replicas=3, ns=ns),
        probe(_DEPLOYMENT, "deployment_not_fully_available", name="web", ns=ns, timeout=60),
        probe(_DEPLOYMENT, "deployment_fully_available", name="web", ns=ns, timeout=60),
        action(_DEPLOYMENT, "rollout_deployment", name="web", ns=ns),
        probe(_DEPLOYMENT, "deployment_partially_available", name="web", ns=ns),
    )
    assert [one for one in answers if one is not None] == [True] * 4
    operators.roll_out("web")
    after = operators.pods("web")
    assert len(after) == 3
    assert not before & {one["metadata"]["uid"] for one in after}
    run(operators, action(_DEPLOYMENT, "delete_deployment", name="web", ns=ns))
    operators.await_true(lambda: not operators.read("pods")["items"], "no pods")


def test_a_probe_that_is_not_met_says_so(operators: Operators) -> None:
    """What does not hold is not said to hold: a deployment without its replicas is not healthy."""
    spec = pod_spec("web", container(operators.cluster.missing.image))
    operators.apply(deployment("web", 1, spec))
    ns = operators.namespace
    assert run(
        operators,
        probe(_DEPLOYMENT, "deployment_available_and_healthy", name="web", ns=ns, raise_on_unavailable=False),
        probe(_POD, "pods_in_phase", label_selector=WEB, ns=ns, raise_on_invalid_phase=False),
        probe(_POD, "all_pods_healthy", ns=ns, raise_on_any_unhealthy=False),
    ) == [False, False, False]
