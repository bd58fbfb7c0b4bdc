"""Emptying a node, as one does before its machine is replaced.

https://kubernetes.io/docs/tasks/administer-cluster/safely-drain-node/
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.kubernetes.cluster import EVERY, is_ready
from tests.contract.kubernetes.manifests import container, deployment, disruption_budget, pod, pod_spec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.kubernetes.cluster import Operators

pytestmark = pytest.mark.drill


def _serve(operators: Operators, available: int) -> str:
    """Have three pods rolled out, of which so many have to be available, and return a node of one of them."""
    anywhere = pod_spec("web", container(operators.cluster.python), topologySpreadConstraints=[])
    operators.apply(deployment("web", 3, anywhere), disruption_budget("web", available))
    operators.roll_out("web")
    allowed = str(3 - available)
    operators.kubectl(
        "wait", "pdb/web", f"--for=jsonpath={{.status.disruptionsAllowed}}={allowed}", "--timeout=60s"
    )
    return str(operators.pods("web")[0]["spec"]["nodeName"])


@contextlib.contextmanager
def _cordoned_again(operators: Operators, node: str) -> Iterator[None]:
    """Have a node take pods again, whatever the block does."""
    try:
        yield
    finally:
        operators.kubectl("uncordon", node)


def test_a_drain_keeps_to_the_disruption_budget(operators: Operators) -> None:
    """All pods move to other nodes, no more at a time than the budget allows; the node gets none until uncordoned.

    https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-budgets
    """
    node = _serve(operators, 2)
    least = [3]
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(EVERY.total_seconds() / 2):
            ready = sum(map(is_ready, operators.pods("web")))
            least.append(ready)

    watcher = threading.Thread(target=watch)
    with _cordoned_again(operators, node):
        watcher.start()
        try:
            said = operators.kubectl("drain", node, "--ignore-daemonsets", "--timeout=80s")
        finally:
            ended.set()
            watcher.join()
        assert f"node/{node} drained" in said
        assert min(least) >= 2
        operators.roll_out("web")
        assert node not in {one["spec"]["nodeName"] for one in operators.pods("web")}
        assert operators.read("node", node)["spec"]["unschedulable"] is True


def test_a_drain_that_the_budget_forbids(operators: Operators) -> None:
    """With none to spare nothing is evicted, and drain says why until its time is up.

    https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/
    """
    node = _serve(operators, 3)
    before = {one["metadata"]["uid"] for one in operators.pods("web")}
    with _cordoned_again(operators, node):
        drained = operators.try_kubectl("drain", node, "--ignore-daemonsets", "--timeout=7s")
        assert drained.returncode != 0
        assert "Cannot evict pod as it would violate the pod's disruption budget." in drained.stderr
        assert {one["metadata"]["uid"] for one in operators.pods("web")} == before


def test_a_drain_refuses_what_nobody_would_start_again(operators: Operators) -> None:
    """A pod of its own is not evicted without `--force`, and goes with it.

    https://kubernetes.io/docs/reference/kubectl/generated/kubectl_drain/
    """
    operators.apply(pod("alone", pod_spec("alone", container(operators.cluster.python))))
    operators.kubectl("wait", "pod/alone", "--for=condition=Ready", "--timeout=60s")
    node = operators.read("pod", "alone")["spec"]["nodeName"]
    with _cordoned_again(operators, node):
        refused = operators.try_kubectl("drain", node, "--ignore-daemonsets")
        assert refused.returncode != 0
        assert "cannot delete" in refused.stderr
        assert "use --force to override" in refused.stderr
        operators.kubectl("drain", node, "--ignore-daemonsets", "--force", "--timeout=60s")
    gone: Any = operators.try_kubectl("get", "pod", "alone")
    assert "not found" in gone.stderr


def test_a_taint_keeps_pods_away_and_sends_them_away(operators: Operators) -> None:
    """NoExecute evicts at once what does not tolerate it, without any budget; what tolerates it stays.

    https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
    """
    node = _serve(operators, 3)
    tolerates = [{"key": "broken", "operator": "Exists"}]
    here = {
        "kubernetes.io/hostname": operators.read("node", node)["metadata"]["labels"]["kubernetes.io/hostname"]
    }
    spec = pod_spec("steady", container(operators.cluster.python), tolerations=tolerates, nodeSelector=here)
    operators.apply(pod("steady", spec))
    operators.kubectl("wait", "pod/steady", "--for=condition=Ready", "--timeout=60s")
    operators.kubectl("taint", "node", node, "broken=yes:NoExecute")
    try:
        operators.await_true(
            lambda: (
                len(pods := operators.pods("web")) == 3
                and all(map(is_ready, pods))
                and node not in {one["spec"]["nodeName"] for one in pods}
            ),
            "all pods elsewhere",
        )
        assert is_ready(operators.read("pod", "steady"))
    finally:
        operators.kubectl("taint", "node", node, "broken-")
