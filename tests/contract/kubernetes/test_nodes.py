"""Nodes: what Kubernetes makes of one whose kubelet is killed or hangs, and of one that is lost.

How fast a node is missed is Kubernetes' own clock (50 s since 1.32, 40 s before), which nobody on EKS can change.

https://kubernetes.io/docs/concepts/architecture/nodes/#node-controller
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.core.clock import NANOSECONDS, SystemClock
from tests.contract.kubernetes.cluster import MISSED_WITHIN, container_status, is_ready
from tests.contract.kubernetes.manifests import container, deployment, pod, pod_spec, service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.contract.kubernetes.cluster import Operators

pytestmark = pytest.mark.drill
_UNREACHABLE = "node.kubernetes.io/unreachable"
_EVICTED_WITHIN = timedelta(
    seconds=480
)  # 50 s until it is missed, 300 s that are tolerated, and a loaded machine
_NEVER_BEFORE = 39  # seconds; less would be somebody else's clock


@pytest.fixture
def restored(operators: Operators) -> Iterator[Callable[[str], None]]:
    """Return what notes a node that a test breaks: it is mended and ready afterwards, whatever happens."""
    broken: list[str] = []
    yield broken.append
    for node in broken:
        operators.cluster.restore(node)
        operators.cluster.wake_kubelet(node)
    operators.await_true(
        lambda: all(operators.node_ready(node) == "True" for node in broken), "the nodes ready", MISSED_WITHIN
    )


def _serve(operators: Operators, replicas: int, **fields: object) -> list[dict[str, Any]]:
    """Have a server rolled out, and return its pods."""
    spec = pod_spec("web", container(operators.cluster.python), **fields)
    operators.apply(deployment("web", replicas, spec), service("web"))
    operators.roll_out("web")
    return operators.pods("web")


def _taints(operators: Operators, node: str) -> set[tuple[str, str]]:
    return {(one["key"], one["effect"]) for one in operators.read("node", node)["spec"].get("taints", [])}


def _tolerate(seconds: int) -> list[dict[str, Any]]:
    keys = (_UNREACHABLE, "node.kubernetes.io/not-ready")
    return [
        {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": seconds}
        for key in keys
    ]


def test_nodes_say_where_they_are(operators: Operators) -> None:
    """Each node has its zone and region as labels, is ready, and has room; none is under pressure.

    https://kubernetes.io/docs/reference/labels-annotations-taints/#topologykubernetesiozone
    """
    nodes = operators.read("nodes")["items"]
    labels = [one["metadata"]["labels"] for one in nodes]
    assert sorted(one["topology.kubernetes.io/zone"] for one in labels) == sorted(operators.cluster.zones)
    assert len({one["topology.kubernetes.io/region"] for one in labels}) == 1
    for node in nodes:
        conditions = {one["type"]: one["status"] for one in node["status"]["conditions"]}
        assert conditions.pop("Ready") == "True"
        assert set(conditions.values()) == {"False"}
        assert int(node["status"]["allocatable"]["pods"]) > 0


def test_nobody_tolerates_a_lost_node_for_more_than_five_minutes(operators: Operators) -> None:
    """A pod that says nothing gets Kubernetes' own tolerations: 300 s on a node that is not ready or unreachable.

    https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions
    """
    operators.apply(pod("plain", pod_spec("plain", container(operators.cluster.python))))
    tolerations = {
        one["key"]: one["tolerationSeconds"] for one in operators.read("pod", "plain")["spec"]["tolerations"]
    }
    assert tolerations == {_UNREACHABLE: 300, "node.kubernetes.io/not-ready": 300}


def test_a_node_says_what_is_used(operators: Operators) -> None:
    """Its kubelet tells how large its file system is, and what memory and processor each container uses.

    https://kubernetes.io/docs/reference/instrumentation/node-metrics/
    """
    (served,) = _serve(operators, 1)
    node, name = served["spec"]["nodeName"], served["metadata"]["name"]

    def measured() -> dict[str, Any] | None:
        said = json.loads(operators.kubectl("get", "--raw", f"/api/v1/nodes/{node}/proxy/stats/summary"))
        assert 0 < said["node"]["fs"]["availableBytes"] <= said["node"]["fs"]["capacityBytes"]
        found = [one for one in said["pods"] if one["podRef"]["name"] == name]
        return found[0] if found and found[0].get("containers") else None

    (used,) = operators.await_true(measured, "what the pod uses")["containers"]
    assert used["memory"]["workingSetBytes"] > 1 << 20
    assert used["cpu"]["usageCoreNanoSeconds"] > 0
    assert "ephemeral-storage" in operators.read("node", node)["status"]["allocatable"]


@pytest.mark.long
def test_a_pod_that_fills_its_scratch_space_is_evicted(operators: Operators) -> None:
    """More in an `emptyDir` than its `sizeLimit`: the pod fails, and says why; its node goes on.

    https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#local-ephemeral-storage
    """
    program = "open('/scratch/data', 'wb').write(bytes(16 << 20)); import time; time.sleep(1000)"
    filling = container(
        operators.cluster.python, program, volumeMounts=[{"name": "scratch", "mountPath": "/scratch"}]
    )
    volumes = [{"name": "scratch", "emptyDir": {"sizeLimit": "8Mi"}}]
    operators.apply(pod("fills", pod_spec("fills", filling, volumes=volumes)))
    operators.await_true(
        lambda: operators.read("pod", "fills")["status"].get("reason") == "Evicted", "eviction", MISSED_WITHIN
    )
    status = operators.read("pod", "fills")["status"]
    assert status["phase"] == "Failed"
    assert 'Usage of EmptyDir volume "scratch" exceeds the limit "8Mi"' in status["message"]


def test_a_killed_kubelet_takes_no_pod_with_it(operators: Operators, restored: Callable[[str], None]) -> None:
    """It is started again by its machine, the node is ready, and its pods went on, not restarted.

    https://kubernetes.io/docs/concepts/architecture/nodes/#heartbeats
    """
    (before,) = _serve(operators, 1)
    node = before["spec"]["nodeName"]
    restored(node)
    operators.cluster.kill_kubelet(node)
    operators.await_true(lambda: operators.node_ready(node) == "True", "the node")
    (after,) = operators.pods("web")
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    operators.await_true(lambda: is_ready(operators.pods("web")[0]), "the pod ready")
    status = container_status(operators.pods("web")[0])
    assert (status["restartCount"], status["containerID"]) == (0, container_status(before)["containerID"])


@pytest.mark.long
def test_a_killed_container_runtime_takes_no_pod_with_it(
    operators: Operators, restored: Callable[[str], None]
) -> None:
    """It is started again by its machine, finds the containers that went on, and starts and ends others as before.

    https://kubernetes.io/docs/concepts/architecture/cri/
    """
    (before,) = _serve(operators, 1)
    node, name = before["spec"]["nodeName"], before["metadata"]["name"]
    restored(node)
    operators.cluster.kill_runtime(node)
    operators.await_true(lambda: operators.node_ready(node) == "True", "the node")
    operators.await_true(lambda: is_ready(operators.read("pod", name)), "the pod ready")
    status = container_status(operators.read("pod", name))
    assert (status["restartCount"], status["containerID"]) == (0, container_status(before)["containerID"])
    spec = pod_spec("later", container(operators.cluster.python), nodeName=node, topologySpreadConstraints=[])
    operators.apply(pod("later", spec))
    operators.await_true(lambda: is_ready(operators.read("pod", "later")), "another pod ready")
    operators.ask_itself(name, "/end")
    operators.await_true(
        lambda: container_status(operators.read("pod", name)).get("restartCount") == 1, "a restart"
    )


@pytest.mark.long
def test_a_kubelet_that_hangs_is_missed_and_returns(
    operators: Operators, restored: Callable[[str], None]
) -> None:
    """The node is Unknown and tainted after Kubernetes' own time, its pods get no users; all is as before afterwards.

    https://kubernetes.io/docs/concepts/architecture/nodes/#node-status
    """
    before = {one["metadata"]["uid"]: one for one in _serve(operators, 3)}
    node = next(iter(before.values()))["spec"]["nodeName"]
    restored(node)
    clock = SystemClock()
    began_ns = clock.now_ns()
    operators.cluster.hang_kubelet(node)
    operators.await_true(lambda: operators.node_ready(node) == "Unknown", "the node missed", MISSED_WITHIN)
    assert (
        clock.now_ns() - began_ns
    ) / NANOSECONDS > _NEVER_BEFORE - 10  # its last lease is up to 10 s older
    operators.await_true(lambda: (_UNREACHABLE, "NoExecute") in _taints(operators, node), "the taint")
    assert (_UNREACHABLE, "NoSchedule") in _taints(operators, node)
    assert [one["spec"]["nodeName"] for one in operators.pods("web") if not is_ready(one)] == [node]
    operators.cluster.wake_kubelet(node)
    operators.await_true(lambda: operators.node_ready(node) == "True", "the node")
    operators.await_true(lambda: not _taints(operators, node), "no taint")
    operators.await_true(lambda: all(map(is_ready, operators.pods("web"))), "all pods ready")
    assert {one["metadata"]["uid"] for one in operators.pods("web")} == set(before)


@pytest.mark.long
@pytest.mark.parametrize("tolerated", [20, 300])
def test_the_pods_of_a_lost_node_are_started_elsewhere(
    operators: Operators, restored: Callable[[str], None], tolerated: int
) -> None:
    """They keep their name until the node is missed and the time that they tolerate is up, and not a moment longer.

    https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions
    """
    pods = _serve(operators, 2, topologySpreadConstraints=[], tolerations=_tolerate(tolerated))
    lost = pods[0]["spec"]["nodeName"]
    restored(lost)
    clock = SystemClock()
    began_ns = clock.now_ns()
    operators.cluster.lose(lost)
    operators.await_true(
        lambda: (
            len(now := operators.pods("web")) == 2
            and all(map(is_ready, now))
            and lost not in {one["spec"]["nodeName"] for one in now}
        ),
        "two pods on other nodes",
        _EVICTED_WITHIN,
    )
    assert (clock.now_ns() - began_ns) / NANOSECONDS > _NEVER_BEFORE - 10 + tolerated
    assert operators.node_ready(lost) == "Unknown"
    # Nobody can say of the old ones that they have ended: they wait for their node.
    waiting = [
        one for one in operators.read("pods", "-l", "app=web")["items"] if one["spec"]["nodeName"] == lost
    ]
    assert all("deletionTimestamp" in one["metadata"] for one in waiting)
    operators.cluster.restore(lost)
    operators.await_true(lambda: operators.node_ready(lost) == "True", "the node", MISSED_WITHIN)
    operators.await_true(
        lambda: (
            not [
                one
                for one in operators.read("pods", "-l", "app=web")["items"]
                if one["spec"]["nodeName"] == lost
            ]
        ),
        "the old pods gone",
    )
